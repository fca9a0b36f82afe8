"""A real SMSC (smpp34, an implementation in Rust) as a process of its own, which says what it sees.

`python -m tests.kit.smsc PORT` prints one JSON line an event. What it does with a message hangs on the last
digit of its number:

    1  throttles it        ESME_RTHROTTLED
    2  refuses it          ESME_RINVDSTADR
    3  never answers
    5  takes it; the receipt has dates of 12 digits, as some SMSCs write them
    6  takes it; the receipt has an error in hexadecimal
    7  takes it; the receipt says that it cannot be delivered
    8  takes it; the receipt names it in decimal, the answer named it in hexadecimal
    9  throttles it the first time, then takes it
    else takes it, and sends a receipt
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import smpp34

from tests.kit.waiting import until
from tracker.local.ports import free_port

HEADED = 0x40
WIDE = 8
RECEIPT = 4
THROTTLED, BAD_NUMBER = 0x58, 0x0B  # SMPP 3.4, 5.1.3


@dataclass
class Smsc:
    """One SMSC of a test; may be killed and started again on the same port."""

    folder: Path
    port: int = field(default_factory=free_port)
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """What TRACKER_SMS would say."""
        return f"smpp://tracker:secret@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it listens."""
        begun = len(self.seen("ready"))
        with (self.folder / "smsc.jsonl").open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.kit.smsc", str(self.port)], stdin=subprocess.DEVNULL, stdout=log
            )
        until(lambda: len(self.seen("ready")) > begun, "the SMSC to listen")

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def seen(self, what: str) -> list[dict[str, Any]]:
        """Return the events of one kind so far."""
        path = self.folder / "smsc.jsonl"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        events = [json.loads(line) for line in lines if line.endswith("\n")]
        return [each for each in events if each["event"] == what]

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Every `submit_sm` so far; parts of one message may be out of order."""
        return self.seen("message")

    def text_to(self, number: str) -> str:
        """Return what a phone would show: the parts for `number` in their order, joined."""
        parts = [each for each in self.messages if each["to"] == number]
        return "".join(each["text"] for each in sorted(parts, key=lambda each: str(each["header"])))


@contextmanager
def smsc(folder: Path) -> Iterator[Smsc]:
    """Run an SMSC on a free port."""
    started = Smsc(folder)
    started.start()
    try:
        yield started
    finally:
        started.kill()


def _say(event: str, **members: Any) -> None:
    sys.stdout.write(json.dumps({"event": event, **members}) + "\n")
    sys.stdout.flush()


def _tell(event: smpp34.SubmitSmEvent) -> None:
    headed = bool(event.esm_class & HEADED)
    header, octets = (
        (event.short_message[:6], event.short_message[6:]) if headed else (b"", event.short_message)
    )
    _say(
        "message",
        to=event.destination_addr,
        source=event.source_addr,
        types=[event.dest_addr_ton, event.dest_addr_npi, event.source_addr_ton, event.source_addr_npi],
        data_coding=event.data_coding,
        length=len(event.short_message),
        header=header.hex(),
        text=octets.decode("utf-16-be" if event.data_coding == WIDE else "latin-1", "replace"),
        optional=[each.tag for each in event.tlvs],
    )


async def _receipt(esme: Any, event: smpp34.SubmitSmEvent, message_id: str) -> None:
    last = event.destination_addr[-1:]
    date = "261123175400" if last == "5" else "2611231754"
    error = "00A" if last == "6" else "000"
    state = "UNDELIV" if last == "7" else "DELIVRD"
    named = str(int(message_id, 16)) if last == "8" else message_id
    text = f"id:{named} sub:001 dlvrd:001 submit date:{date} done date:{date} stat:{state} err:{error} text:x"
    answer = await esme.deliver_sm(
        source_addr=event.destination_addr,
        destination_addr=event.source_addr,
        esm_class=RECEIPT,
        short_message=text.encode(),
    )
    _say("receipt", status=answer.command_status, to=event.destination_addr)


async def _serve(port: int) -> None:
    server = smpp34.Server(host="127.0.0.1", port=port, system_id="testsmsc")
    await server.start()
    _say("ready")
    sessions: dict[str, Any] = {}
    unanswered, throttled, running = [], set(), set()
    count = 0xABC000
    while True:
        event = await server.next()
        if isinstance(event, smpp34.Esme):
            sessions[event.session_id] = event
            _say("bound", system_id=event.system_id)
        elif isinstance(event, smpp34.Unbound):
            sessions.pop(event.session_id, None)
            _say("unbound")
        else:
            _tell(event)
            count += 1
            number = event.destination_addr
            if number.endswith("1") or (number.endswith("9") and number not in throttled):
                throttled.add(number)
                event.reject(THROTTLED)
            elif number.endswith("2"):
                event.reject(BAD_NUMBER)
            elif number.endswith("3"):
                unanswered.append(event)
            else:
                message_id = f"{count:x}"
                event.accept(message_id)
                if event.registered_delivery:
                    task = asyncio.create_task(_receipt(sessions[event.session_id], event, message_id))
                    running.add(task)
                    task.add_done_callback(running.discard)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
