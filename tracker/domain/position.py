"""A position: where a device was, when, and how sure that is; and the report that carries it.

These are made for every message, hence named tuples: a quarter of the cost of frozen dataclasses. Make them
by keyword; `_replace` gives a changed copy.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from tracker.domain.errors import Malformed, Reason
from tracker.domain.geo import LatLon

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
FUTURE_TOLERANCE = timedelta(minutes=20)
"""How far a device's clock may be ahead: a published Traccar sample is 16 minutes ahead of its server."""
LIVE_FOR = timedelta(minutes=10)
STALE_FOR = timedelta(hours=24)


class Freshness(StrEnum):
    """How much a last position still tells: by its age, at most 10 minutes, at most 24 hours, older, none."""

    LIVE = "live"
    STALE = "stale"
    SILENT = "silent"
    NEVER = "never"


class Position(NamedTuple):
    """One fix of one device; None is unknown, never zero.

    `recorded_at` is the moment of the fix. `accuracy_m` is a radius that holds about 68 % of fixes.
    `altitude_m` is above mean sea level, `course_deg` true, 0 <= course < 360, `battery_pct` 0..100.
    `network` and `attrs` hold JSON values only.
    """

    recorded_at: datetime
    at: LatLon
    accuracy_m: float | None = None
    altitude_m: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    battery_pct: float | None = None
    charging: bool | None = None
    ignition: bool | None = None
    motion: bool | None = None
    trigger: str | None = None
    satellites: int | None = None
    hdop: float | None = None
    odometer_m: float | None = None
    network: Mapping[str, Any] = {}
    attrs: Mapping[str, Any] = {}


class StreamMark(NamedTuple):
    """A native device's own count of what it sent: `seq` 1, 2, 3 ... within one `boot` (docs/devices.md)."""

    boot: str
    seq: int


class Fact(NamedTuple):
    """What a device told besides positions: presence, a crossing it saw, its status, a waypoint of its own.

    `data` holds JSON values only; `recorded_at` is the device's own time, or the time of receipt.
    """

    kind: str
    recorded_at: datetime
    data: Mapping[str, Any]


class Report(NamedTuple):
    """What one message, or one element of it, says about one device.

    `external_id` is the device's own name as the message claims it: an identity number, an address, a topic
    level. It chooses among the devices of the sender's account and never reaches beyond it. None: the sender
    itself.
    """

    external_id: str | None = None
    position: Position | None = None
    fact: Fact | None = None
    mark: StreamMark | None = None


class Placed(NamedTuple):
    """A position together with whose it is and when it reached the service.

    `held`: it implies an impossible jump and waits until another one agrees with it.
    """

    account_id: str
    subject_id: str
    device_id: str
    received_at: datetime
    position: Position
    held: bool = False


class HeardFact(NamedTuple):
    """A fact together with whose it is and when it reached the service."""

    account_id: str
    subject_id: str
    device_id: str
    received_at: datetime
    fact: Fact


def plausible_time(recorded_at: datetime, received_at: datetime) -> datetime:
    """Return `recorded_at` if a fix can be of that time: from 2000 on and at most 20 minutes ahead.

    Raises:
        Malformed: the time is before 2000, or further ahead of `received_at` than clocks may differ.
    """
    if recorded_at < EARLIEST:
        raise Malformed(Reason.TIME_BEFORE_2000, "time")
    if recorded_at > received_at + FUTURE_TOLERANCE:
        raise Malformed(Reason.TIME_IN_FUTURE, "time")
    return recorded_at


def freshness(recorded_at: datetime | None, now: datetime) -> Freshness:
    """Tell how fresh a last position of `recorded_at` is at `now`; None means there never was one."""
    if recorded_at is None:
        return Freshness.NEVER
    age = now - recorded_at
    if age <= LIVE_FOR:
        return Freshness.LIVE
    return Freshness.STALE if age <= STALE_FOR else Freshness.SILENT
