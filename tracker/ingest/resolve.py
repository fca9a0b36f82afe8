"""Finds out whose a batch's messages are, decodes what had to wait for that, and whom each report is about.

A device speaks for itself, whatever its messages claim. A gateway or source speaks for the devices of its
account, which it names by their external ids; who is called otherwise is a stranger, listed for adoption.
"""

import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import structlog

from tracker.domain.device import DeviceSettings
from tracker.domain.errors import Malformed, Misconfigured, Reason
from tracker.domain.position import Report, StreamMark
from tracker.ingest.arrived import Arrived
from tracker.ingest.dialects._message import NOTHING, Decoded, Dialect, Part, Problem
from tracker.ingest.directory import Directory
from tracker.ingest.origin import Origin, OriginKind
from tracker.ingest.prepare import NO_DIALECT, Prepared, decode
from tracker.store import devices, gateways
from tracker.store.devices import Owned
from tracker.store.seal import Sealer
from tracker.store.session import Session

Sender = Owned | Origin
NOBODY: Mapping[str, int] = {}

log = structlog.get_logger()


class Entry:
    """One message: who sent it, what it says of which device, and why it or parts of it are refused."""

    __slots__ = (
        *("about", "arrived", "decoded", "dialect", "named_id"),
        *("parts", "refused", "sender", "strangers"),
    )

    def __init__(self, prepared: Prepared, sender: Sender | None) -> None:
        self.arrived: Arrived = prepared.arrived
        self.sender = sender
        self.named_id = prepared.sender_id
        """Whom the topic names, known or not."""
        self.dialect: Dialect | None = prepared.dialect
        self.decoded: Decoded = prepared.decoded or NOTHING
        self.refused: Malformed | None = prepared.refused
        self.about: Sequence[tuple[Owned, Report]] = ()
        self.parts: Sequence[tuple[Owned, Part]] = ()
        self.strangers: Mapping[str, int] = NOBODY

    @property
    def dialect_name(self) -> str:
        """The dialect's name, "none" if it is not known."""
        return self.dialect.name if self.dialect else NO_DIALECT

    @property
    def device_id(self) -> str | None:
        """The device that sent it; None if it was a gateway or source, or nobody known."""
        return self.sender.device_id if isinstance(self.sender, Owned) else None

    @property
    def origin_id(self) -> str | None:
        """The device, gateway or source that sent it, if known."""
        return self.sender.origin_id if isinstance(self.sender, Origin) else self.device_id

    @property
    def names(self) -> Iterator[str | None]:
        """The external id of each thing that it says, as it claims."""
        yield from (report.external_id for report in self.decoded.reports)
        yield from (part.external_id for part in self.decoded.parts)

    @property
    def marks(self) -> Iterator[StreamMark]:
        """Every place in the sender's stream that is done with, refused ones too."""
        for report in self.decoded.reports:
            if report.mark is not None:
                yield report.mark
        for problem in self.decoded.problems:
            if problem.mark is not None:
                yield problem.mark

    def refuse(self, error: Malformed) -> None:
        """Take back everything it says but its places in the stream: sending it again would not help."""
        marks = tuple(Report(mark=mark) for mark in self.marks)
        self.decoded, self.refused = Decoded(reports=marks), error
        self.about, self.parts, self.strangers = (), (), NOBODY


@dataclass(frozen=True, slots=True)
class Known:
    """What decoding needs of the devices that a gateway or source may speak for, by external id."""

    settings: Mapping[str, DeviceSettings]
    keys: Mapping[str, bytes]


class Resolver:
    """Resolves batches; `dialects` by name. Without a `directory` every device is asked for anew."""

    def __init__(self, sealer: Sealer, dialects: Mapping[str, Dialect], directory: Directory | None) -> None:
        self._sealer = sealer
        self._dialects = dialects
        self._directory = directory

    def resolve(self, session: Session, batch: Sequence[Prepared]) -> list[Entry]:
        """Return an entry for each message, in the batch's order."""
        senders = self._senders(session, batch)
        entries = [Entry(each, _sender(each, senders)) for each in batch]
        accounts = {each.sender.account_id for each in entries if isinstance(each.sender, Origin)}
        known = self._known(session, accounts)
        for prepared, entry in zip(batch, entries, strict=True):
            if entry.sender is None:
                _refuse_unknown(prepared, entry)
            elif prepared.decoded is None:
                self._decode_late(prepared, entry, entry.sender, known)
        spoken_of = _spoken_of(session, entries) if accounts else {}
        for entry in entries:
            _attribute(entry, spoken_of)
        return entries

    def _senders(self, session: Session, batch: Sequence[Prepared]) -> dict[str | None, Sender]:
        ids = {each for each in map(_sender_id, batch) if each is not None}
        if not ids:
            return {}
        senders: dict[str | None, Sender] = {}
        if self._directory is not None:
            senders.update(self._directory.owned(session, ids, time.monotonic()))
        else:
            senders.update(devices.owned(session, sorted(ids)))
        # Most batches have no gateway: only who publishes below `gateway` and is no device is looked for.
        below = {each.sender_id for each in batch if each.decoded is None and each.dialect is None}
        others = sorted(each for each in below if each is not None and each not in senders)
        for gateway in gateways.owned(session, others).values() if others else ():
            senders[gateway.gateway_id] = Origin(
                kind=OriginKind.GATEWAY,
                account_id=gateway.account_id,
                origin_id=gateway.gateway_id,
                dialect=gateway.dialect,
            )
        return senders

    def _known(self, session: Session, accounts: Collection[str]) -> dict[str, Known]:
        if not accounts:
            return {}
        settings, sealed = devices.settings_of(session, accounts), devices.payload_keys(session, accounts)
        return {
            account_id: Known(
                settings=settings.get(account_id, {}),
                keys={
                    name: key
                    for name, device_id, wrapped in sealed.get(account_id, ())
                    if (key := self._opened(device_id, wrapped)) is not None
                },
            )
            for account_id in accounts
        }

    def _decode_late(
        self, prepared: Prepared, entry: Entry, sender: Sender, known: Mapping[str, Known]
    ) -> None:
        # Over HTTP the address that was called says how the sender speaks.
        spoken = entry.arrived.origin.dialect if entry.arrived.origin else sender.dialect
        entry.dialect = prepared.dialect or self._dialects.get(spoken)
        if entry.dialect is None:
            entry.refused = Malformed(Reason.BAD_TOPIC, "the sender's dialect is not known here")
            return
        if isinstance(sender, Owned):
            sealed = sender.payload_key_sealed
            entry.decoded, entry.refused = decode(
                entry.dialect,
                entry.arrived,
                payload_key=self._opened(sender.device_id, sealed) if sealed else None,
                devices={"": sender.settings},
            )
        else:
            named = known[sender.account_id]
            entry.decoded, entry.refused = decode(
                entry.dialect, entry.arrived, payload_keys=named.keys, devices=named.settings
            )

    def _opened(self, device_id: str, sealed: bytes) -> bytes | None:
        try:
            return self._sealer.open(sealed, context=devices.payload_key_context(device_id))
        except Misconfigured:
            log.error("a device's payload key cannot be opened", device=device_id)
            return None


def _sender_id(prepared: Prepared) -> str | None:
    origin = prepared.arrived.origin
    if origin is None:
        return prepared.sender_id
    return origin.origin_id if origin.kind is OriginKind.DEVICE else None


def _sender(prepared: Prepared, senders: Mapping[str | None, Sender]) -> Sender | None:
    origin = prepared.arrived.origin
    if origin is None:
        return senders.get(prepared.sender_id)
    return senders.get(origin.origin_id) if origin.kind is OriginKind.DEVICE else origin


def _refuse_unknown(prepared: Prepared, entry: Entry) -> None:
    """Refuse what nobody of ours sent, unless its topic is wrong already."""
    if prepared.refused is None or prepared.dialect is not None:
        entry.decoded, entry.refused = NOTHING, Malformed(Reason.UNKNOWN_DEVICE, "topic")


def _spoken_of(session: Session, entries: Sequence[Entry]) -> dict[tuple[str, str], Owned]:
    names = {
        (entry.sender.account_id, name.lower())
        for entry in entries
        if isinstance(entry.sender, Origin)
        for name in entry.names
        if name
    }
    return devices.by_external_id(session, names) if names else {}


def _attribute(entry: Entry, spoken_of: Mapping[tuple[str, str], Owned]) -> None:
    sender = entry.sender
    if isinstance(sender, Owned):
        if _claims_another(entry, sender):
            entry.refuse(Malformed(Reason.IDENTITY_MISMATCH, "the message is of another device"))
        else:
            entry.about = [(sender, report) for report in entry.decoded.reports]
            if entry.decoded.parts:
                entry.parts = [(sender, part) for part in entry.decoded.parts]
    elif sender is not None:
        _attribute_to_named(entry, sender.account_id, spoken_of)


def _claims_another(entry: Entry, sender: Owned) -> bool:
    """Tell whether a device with a name of its own passes on what another one said.

    On the roots of our own topics the broker has checked who it is, and what the message says besides
    is free.
    """
    if sender.external_id is None or entry.dialect is None or entry.dialect.root is not None:
        return False
    own = sender.external_id.lower()
    return any(name and name.lower() != own for name in entry.names)


def _attribute_to_named(entry: Entry, account_id: str, spoken_of: Mapping[tuple[str, str], Owned]) -> None:
    about, parts = [], []
    strangers: Counter[str] = Counter()
    nameless = 0
    for report in entry.decoded.reports:
        owner = spoken_of.get((account_id, (report.external_id or "").lower()))
        if owner is not None:
            about.append((owner, report))
        elif report.external_id:
            strangers[report.external_id] += 1
        else:
            nameless += 1
    for part in entry.decoded.parts:
        owner = spoken_of.get((account_id, (part.external_id or "").lower()))
        if owner is not None:
            parts.append((owner, part))
        elif part.external_id:
            strangers[part.external_id] += 1
    entry.about, entry.parts, entry.strangers = about, parts, strangers
    if nameless:
        problem = Problem(reason=Reason.NO_IDENTITY, detail="no device is named")
        entry.decoded = Decoded(
            reports=entry.decoded.reports,
            problems=(*entry.decoded.problems, problem),
            parts=entry.decoded.parts,
        )
