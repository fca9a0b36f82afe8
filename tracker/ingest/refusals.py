"""Counts what was refused and keeps it for its owner: quarantine, and the list of unclaimed devices."""

from datetime import datetime

from tracker.domain.errors import Reason
from tracker.ingest.metrics import Taken
from tracker.ingest.origin import Origin
from tracker.ingest.quarantine import STRANGERS_AN_HOUR, Allowance
from tracker.ingest.resolve import Entry
from tracker.store import quarantine, unclaimed
from tracker.store.seal import Sealer
from tracker.store.session import Session


class Refusals:
    """Keeps refusals, a bounded number a device and hour."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._allowance = Allowance()

    def keep(self, session: Session, entry: Entry, now: datetime, taken: Taken) -> None:
        """Count every refusal of a message and keep the message once, with the first reason.

        A message that speaks of unknown devices is kept once for each, until they are adopted.
        """
        refusals = [(each.reason, each.detail) for each in entry.decoded.problems]
        if entry.refused is not None:
            refusals.append((entry.refused.reason, entry.refused.detail))
        for reason, _ in refusals:
            taken.refused[reason.value] += 1
        if refusals and self._allowance.take(entry.origin_id, now):
            self._put(session, entry, *refusals[0])
        for external_id, count in entry.strangers.items():
            taken.refused[Reason.UNKNOWN_DEVICE.value] += count
            self._keep_stranger(session, entry, external_id, count, now)

    def _keep_stranger(
        self, session: Session, entry: Entry, external_id: str, count: int, now: datetime
    ) -> None:
        sender = entry.sender
        if not isinstance(sender, Origin):
            return
        unclaimed.note(
            session, sender.account_id, sender.origin_id, external_id, entry.dialect_name, count, now
        )
        # The origin first: names are its to invent, and each one remembered costs memory.
        in_all = self._allowance.take(f"{sender.origin_id}/", now, STRANGERS_AN_HOUR)
        if in_all and self._allowance.take(f"{sender.origin_id}/{external_id}", now):
            self._put(session, entry, Reason.UNKNOWN_DEVICE, "no device is called so", external_id)

    def _put(
        self,
        session: Session,
        entry: Entry,
        reason: Reason,
        detail: str,
        external_id: str | None = None,
    ) -> None:
        arrived = entry.arrived
        if arrived.replay:
            return
        quarantine.put(
            session,
            self._sealer,
            account_id=entry.sender.account_id if entry.sender else None,
            device_id=entry.device_id or entry.named_id,
            reason=reason,
            detail=detail,
            topic=arrived.topic,
            payload=arrived.payload,
            received_at=arrived.received_at,
            origin_id=entry.origin_id,
            external_id=external_id,
            dialect=entry.dialect_name if entry.dialect else None,
            retained=arrived.retained,
            query=arrived.query,
            headers=arrived.headers,
        )
