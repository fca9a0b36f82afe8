"""Remembers the devices that report, so that a batch need not ask for a thousand of them again.

What an owner may change of a device (whose it is, how it speaks, its key, that it is revoked) is as fresh as
if it were asked: every change moves a version in the database, and each batch reads that first. What only
ingest changes (last fix, presence) is noted here after each commit; where another process did, for a device
that reports both ways, it is at most a minute old, and only the judgement of a jump leans on it.
"""

from collections.abc import Collection, Mapping

from tracker.domain.plausibility import Fixes
from tracker.store import devices
from tracker.store.devices import Owned
from tracker.store.session import Session

MOST = 120_000
KEEP_S = 60.0


class Directory:
    """Devices by id; used by one thread. `now_s` is of one monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._version: int | None = None
        self._known: dict[str, tuple[Owned, float]] = {}
        self.fixes: dict[str, Fixes] = {}
        """Of devices that reported since they were read: newer than what `owned` tells."""

    def owned(self, session: Session, device_ids: Collection[str], now_s: float) -> dict[str, Owned]:
        """Return what ingest must know of each known, unrevoked device; others are absent."""
        version = devices.version(session)
        if version != self._version or len(self._known) > MOST:
            self.forget()
            self._version = version
        found: dict[str, Owned] = {}
        missing: list[str] = []
        for device_id in device_ids:
            known = self._known.get(device_id)
            if known is not None and known[1] > now_s:
                found[device_id] = known[0]
            else:
                missing.append(device_id)
        if missing:
            asked = devices.owned(session, sorted(missing))
            for device_id, owner in asked.items():
                self._known[device_id] = owner, now_s + KEEP_S
                self.fixes.pop(device_id, None)
            found |= asked
        return found

    def learn(self, fixes: Mapping[str, Fixes], online: Mapping[str, bool]) -> None:
        """Note what a committed batch made of devices: their fixes and their word of presence, by id."""
        self.fixes.update(fixes)
        for device_id, said in online.items():
            known = self._known.get(device_id)
            if known is not None:
                self._known[device_id] = known[0]._replace(online=said), known[1]

    def forget(self) -> None:
        """Know nothing: a transaction failed, or somebody else served these devices meanwhile."""
        self._known.clear()
        self.fixes.clear()
