"""One bind to an SMSC, kept alive by aiosmpplib in a loop and a thread of its own.

The library reconnects, answers `enquire_link` and frames what is sent; who waits for which answer and receipt
is known here. Neither numbers nor texts stay in memory once they are sent, and nothing of them is logged.
"""

import asyncio
import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
from typing import Any

import structlog
from aiosmpplib import SmppCommandStatus, SubmitSm

from tracker.domain.errors import Unavailable
from tracker.notify.transports._sender import OnReceipt, Receipt
from tracker.notify.transports._smpp_smsc import ID_LENGTH, SOCKET_TIMEOUT_S, TASKS, Queue, SmppAddress, Smsc
from tracker.notify.transports._smpp_text import fate_of

BOUND_WITHIN_S = 5.0
ANSWERED_WITHIN_S = 10.0
UNRECEIPTED_MOST = 20_000
"""Messages whose receipts are awaited; the oldest are forgotten and stay "sent"."""
EARLY_MOST = 1000
"""Receipts kept whose message is not known, or not yet."""

log = structlog.get_logger()


@dataclass(slots=True)
class _Sent:
    """A message of which receipts are awaited, one for each part."""

    message_id: str
    parts_left: int


@dataclass(slots=True)
class _Waiting:
    """A part that is not answered yet."""

    answer: "asyncio.Future[int | None]"
    sent: _Sent
    sequence: int | None = None


class SmppLink:
    """Binds as a transceiver when it is first used, and again whenever the connection ends."""

    def __init__(self, address: SmppAddress, on_receipt: OnReceipt) -> None:
        self._address = address
        self._on_receipt = on_receipt
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._parts: dict[str, _Waiting] = {}
        self._by_sequence: dict[int, _Waiting] = {}
        self._unreceipted: OrderedDict[str, _Sent] = OrderedDict()
        self._early: OrderedDict[str, bool] = OrderedDict()
        self._bind_status = SmppCommandStatus.ESME_ROK
        self._is_untrusted = False

    def submit(self, message_id: str, parts: Sequence[SubmitSm]) -> list[int]:
        """Send the parts of one message; return the SMSC's `command_status` of each.

        Raises:
            Unavailable: it is not bound, or does not answer. It may have taken some parts nevertheless.
        """
        loop = self._running()
        future = asyncio.run_coroutine_threadsafe(self._submit(message_id, parts), loop)
        try:
            return future.result(BOUND_WITHIN_S + ANSWERED_WITHIN_S + 2)
        except Late:
            future.cancel()
            raise Unavailable("the SMSC does not answer") from None

    def close(self) -> None:
        """Unbind and end the thread; a later `submit` begins anew."""
        with self._starting:
            loop, self._loop = self._loop, None
            if loop is None:
                return
            asyncio.run_coroutine_threadsafe(self._end(), loop).result(10)
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join(5)
            self._receipts.shutdown()
            loop.close()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                loop, ready = asyncio.new_event_loop(), threading.Event()
                self._receipts = ThreadPoolExecutor(max_workers=1, thread_name_prefix="smpp-receipts")
                self._thread = threading.Thread(
                    target=self._run, args=(loop, ready), name="smpp", daemon=True
                )
                self._thread.start()
                ready.wait()
                self._loop = loop
            return self._loop

    def _run(self, loop: asyncio.AbstractEventLoop, ready: threading.Event) -> None:
        asyncio.set_event_loop(loop)
        self._queue = Queue(self._parts)
        self._esme = Smsc(self._address, self._queue, self)
        self._task = loop.create_task(self._keep())
        loop.call_soon(ready.set)
        loop.run_forever()

    async def _keep(self) -> None:
        while True:
            try:
                await self._esme.start()
                return
            except Exception as error:
                # Met by none of ours so far; it must not be the end of all messages.
                log.warning("the connection to the SMSC is made anew", error=type(error).__name__)
            self._cancel_the_rest()
            self._esme.hang_up()
            self._esme = Smsc(self._address, self._queue, self)
            await asyncio.sleep(SOCKET_TIMEOUT_S)

    def _cancel_the_rest(self) -> None:
        for each in asyncio.all_tasks():
            if each.get_name() in TASKS:
                each.cancel()

    async def _submit(self, message_id: str, parts: Sequence[SubmitSm]) -> list[int]:
        try:
            # Private, but there is no public way to wait for it.
            await asyncio.wait_for(self._esme._bound.wait(), BOUND_WITHIN_S)
        except TimeoutError:
            raise Unavailable(self._why_not_bound()) from None
        sent = _Sent(message_id, len(parts))
        loop = asyncio.get_running_loop()
        keys = []
        try:
            for part in parts:
                part.log_id = secrets.token_hex(8)
                keys.append(part.log_id)
                self._parts[part.log_id] = _Waiting(loop.create_future(), sent)
                await self._queue.enqueue(part)
            waiting = [self._parts[key].answer for key in keys]
            answers = await asyncio.wait_for(asyncio.gather(*waiting), ANSWERED_WITHIN_S)
        except TimeoutError:
            raise Unavailable("the SMSC does not answer") from None
        finally:
            for key in keys:
                part_waiting = self._parts.pop(key)
                if part_waiting.sequence is not None:
                    self._by_sequence.pop(part_waiting.sequence, None)
        if any(each is None for each in answers):
            raise Unavailable("the connection to the SMSC broke")
        return [int(each) for each in answers if each is not None]

    def _why_not_bound(self) -> str:
        if self._is_untrusted:
            return "the SMSC's certificate is not trusted"
        if self._bind_status == SmppCommandStatus.ESME_ROK:
            return "the SMSC does not answer"
        return f"the SMSC refuses to bind us: {self._bind_status.name}"

    # --- what the library and the SMSC tell, all in the loop's thread ---

    def on_sending(self, part: SubmitSm) -> None:
        """A part goes out now, under the number that its answer will have."""
        waiting = self._parts.get(part.log_id)
        if waiting is not None:
            waiting.sequence = part.sequence_num
            self._by_sequence[part.sequence_num] = waiting

    def on_not_sent(self, part: SubmitSm) -> None:
        """A part could not be written."""
        waiting = self._parts.get(part.log_id)
        if waiting is not None and not waiting.answer.done():
            waiting.answer.set_result(None)

    def on_answer(self, sequence: int, status: int, smsc_id: str) -> None:
        """The SMSC took or refused a part; what nobody waits for any more is ignored."""
        waiting = self._by_sequence.pop(sequence, None)
        if waiting is None or waiting.answer.done():
            return
        if status == SmppCommandStatus.ESME_ROK and smsc_id:
            # Here and not by who waits: a receipt may be the very next thing that is read.
            self._await_receipt(smsc_id.lower(), waiting.sent)
        waiting.answer.set_result(status)

    def on_untrusted(self) -> None:
        """The SMSC has a certificate of nobody's, or another one's; it was told nothing."""
        if not self._is_untrusted:
            log.warning("the SMSC's certificate is not trusted")
        self._is_untrusted = True

    def on_bound(self, status: Any) -> None:
        """The SMSC answered our bind."""
        self._is_untrusted = False
        if status not in {self._bind_status, SmppCommandStatus.ESME_ROK}:
            log.warning("the SMSC refuses to bind us", status=status.name)
        self._bind_status = status

    def on_delivery(self, body: bytes) -> None:
        """Something came from the SMSC; of receipts only those of our own messages count."""
        fate = fate_of(body)
        if fate is None:
            return
        smsc_id = fate.smsc_id.lower()
        sent = self._unreceipted.pop(smsc_id, None) or self._unreceipted.pop(_in_hexadecimal(smsc_id), None)
        if sent is not None:
            self._note(sent, delivered=fate.delivered)
            return
        # It may overtake the answer that gives the message its name.
        self._early[smsc_id] = fate.delivered
        if len(self._early) > EARLY_MOST:
            self._early.popitem(last=False)

    def _await_receipt(self, smsc_id: str, sent: _Sent) -> None:
        for name in (smsc_id, _in_decimal(smsc_id)):
            delivered = self._early.pop(name, None)
            if delivered is not None:
                self._note(sent, delivered=delivered)
                return
        self._unreceipted[smsc_id] = sent
        if len(self._unreceipted) > UNRECEIPTED_MOST:
            self._unreceipted.popitem(last=False)

    def _note(self, sent: _Sent, *, delivered: bool) -> None:
        """Count a part's receipt; the last one tells, or the first that failed, and after it none."""
        if sent.parts_left <= 0:
            return
        sent.parts_left = sent.parts_left - 1 if delivered else 0
        if sent.parts_left == 0:
            self._receipts.submit(self._tell, Receipt(message_id=sent.message_id, delivered=delivered))

    def _tell(self, receipt: Receipt) -> None:
        try:
            self._on_receipt(receipt)
        except Exception as error:
            log.warning("a receipt is lost", id=receipt.message_id, error=type(error).__name__)

    async def _end(self) -> None:
        try:
            await asyncio.wait_for(self._esme.stop(), 3)
        except TimeoutError:
            log.debug("the SMSC did not take leave")
        # What the library leaves running.
        rest = [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]
        for each in rest:
            each.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        self._esme.hang_up()
        await asyncio.sleep(0)  # a transport closes in the loop's next turn


def _in_hexadecimal(smsc_id: str) -> str:
    """Return a decimal id as some SMSCs write the same one when they take the message; "" if it is none."""
    usable = smsc_id.isascii() and smsc_id.isdecimal() and len(smsc_id) <= ID_LENGTH
    return f"{int(smsc_id):x}" if usable else ""


def _in_decimal(smsc_id: str) -> str:
    """Return a hexadecimal id as those SMSCs write it in the receipt; "" if it is none."""
    usable = len(smsc_id) <= ID_LENGTH and smsc_id and set(smsc_id) <= set("0123456789abcdef")
    return str(int(smsc_id, 16)) if usable else ""
