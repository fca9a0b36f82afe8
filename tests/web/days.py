"""A day as a family's phone reports it, with everything in it that history must tell apart."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from tracker.domain.geo import LatLon
from tracker.domain.position import Placed, Position
from tracker.store import positions
from tracker.web.context import Services

HOME = LatLon(lat=60.1699, lon=24.9384)
SCHOOL = LatLon(lat=60.1765, lon=24.9510)
SHOP = LatLon(lat=60.1640, lon=24.9450)
WILD = LatLon(lat=60.9000, lon=25.9000)
"""Where the impossible fix is: eighty kilometres away, for one minute."""


def _between(a: LatLon, b: LatLon, part: float) -> LatLon:
    return LatLon(lat=a.lat + (b.lat - a.lat) * part, lon=a.lon + (b.lon - a.lon) * part)


def day_of_fixes(day: date) -> list[Position]:
    """Return a day by UTC: home until 08:00, a trip to school, a stay with one impossible fix, silence from
    12:00 to 13:00 that ends at the shop, a stay there, and the way home from 14:00 to 14:20.
    """
    midnight = datetime.combine(day, time(), UTC)
    found: list[Position] = []

    def fix(minute: float, at: LatLon, *, speed_mps: float | None = None) -> None:
        found.append(
            Position(
                recorded_at=midnight + timedelta(minutes=minute),
                at=at,
                accuracy_m=8,
                speed_mps=speed_mps,
                battery_pct=max(5.0, 95 - minute / 12),
            )
        )

    for minute in range(7 * 60, 8 * 60, 2):
        fix(minute, HOME, speed_mps=0)
    for step in range(1, 40):
        fix(8 * 60 + step / 2, _between(HOME, SCHOOL, step / 40), speed_mps=1 + step % 4)
    for minute in range(8 * 60 + 20, 12 * 60 + 1, 2):
        fix(minute, WILD if minute == 10 * 60 else SCHOOL, speed_mps=0)
    for minute in range(13 * 60, 14 * 60, 2):
        fix(minute, SHOP, speed_mps=0)
    for step in range(1, 41):
        fix(14 * 60 + step / 2, _between(SHOP, HOME, step / 40), speed_mps=1.4)
    for minute in range(14 * 60 + 22, 15 * 60, 2):
        fix(minute, HOME, speed_mps=0)
    return found


def store(
    services: Services, account_id: str, subject_id: str, device_id: str, fixes: Sequence[Position]
) -> None:
    """Store positions as ingest would."""
    now = services.clock()
    with services.database.begin() as session:
        positions.ensure_partitions(session, {positions.week_of(each.recorded_at) for each in fixes})
        positions.append(
            session,
            [
                Placed(
                    account_id=account_id,
                    subject_id=subject_id,
                    device_id=device_id,
                    received_at=now,
                    position=each,
                )
                for each in fixes
            ],
        )
