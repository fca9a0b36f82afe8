"""A crossing of a fence's edge, and the evidence for it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Side(StrEnum):
    """What one fix says: surely in, surely out, or neither."""

    IN = "in"
    OUT = "out"
    UNSURE = "unsure"


class Phase(StrEnum):
    """Where a device is taken to be; unknown before the first sure fix."""

    UNKNOWN = "unknown"
    IN = "in"
    OUT = "out"


class How(StrEnum):
    """How a crossing was decided.

    Confirmed: two or more sure fixes. In stride: one, on a way that led there. Settled: one strong fix and no
    contrary one for a while. Worn: only poor fixes for long, all on one side. First: it tells where the
    device is, not that it came. Redrawn: the fence changed its shape.
    """

    CONFIRMED = "confirmed"
    IN_STRIDE = "in_stride"
    SETTLED = "settled"
    WORN = "worn"
    FIRST = "first"
    REDRAWN = "redrawn"


class Evidence(NamedTuple):
    """One fix of an explanation; `distance_m` to the edge is negative inside, `probability` of being in."""

    at_s: float
    lat: float
    lon: float
    accuracy_m: float | None
    distance_m: float
    probability: float
    side: Side
    weak: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A device came in or went out.

    `at` is the first fix of the evidence, `earliest` the last sure one on the other side (`at` if none): the
    truth lies between. `decided_at` is of the data's time. `after_gap`: 20 minutes or more lie between.
    `evidence` holds at most 8.
    """

    account_id: str
    subject_id: str
    device_id: str
    geofence_id: str
    fence_version: int
    into: Phase
    how: How
    at: datetime
    earliest: datetime
    decided_at: datetime
    after_gap: bool
    evidence: tuple[Evidence, ...]

    @property
    def key(self) -> str:
        """What tells it from every other crossing: device, fence, direction, moment in microseconds."""
        micros = (self.at - _EPOCH).total_seconds() * 1e6
        return f"{self.device_id}:{self.geofence_id}:{self.into}:{round(micros)}"
