"""The live rule against impossible jumps: what cannot be true waits until another fix agrees with it."""

import math
from enum import StrEnum
from typing import NamedTuple

from tracker.domain.geo import EARTH_RADIUS_M

FASTEST_MPS = 100.0
"""Nothing a family owns moves faster on the ground: high-speed trains run at up to 350 km/h (97 m/s)."""
FASTEST_FLIGHT_MPS = 350.0
"""Airliners cruise at about 250 m/s, with a strong tail wind at up to 350 m/s over the ground."""
UNSAID_ACCURACY_M = 25.0
"""Assumed where a device tells no accuracy: twice that is the error of a poor but ordinary satellite fix."""
CLOCK_STEP_S = 1.0
"""Most devices tell whole seconds, so the time between two fixes is known to a second."""
STRAIGHT = 0.8
"""A flight's three fixes lie so much on a line: the direct way is at least this part of the way flown."""

_DEGREE_M = math.radians(1) * EARTH_RADIUS_M


class Fix(NamedTuple):
    """A moment and a place: epoch seconds, WGS 84 degrees, radius that holds about 68 % of fixes or None."""

    recorded_at: float
    lat: float
    lon: float
    accuracy_m: float | None


Fixes = tuple[Fix | None, Fix | None]
"""The last accepted fix of a device, and a later one that waits."""


class Verdict(StrEnum):
    """What becomes of a new fix.

    Accepted: it is the last fix, or late and only history; a held one is given up. Held: it waits in place of
    any held one. Confirmed: it is the last fix, and the held one before it was true as well.
    """

    ACCEPTED = "accepted"
    HELD = "held"
    CONFIRMED = "confirmed"


def judge(last: Fix | None, held: Fix | None, new: Fix) -> Verdict:
    """Tell whether `new` can follow `last`, the newest accepted fix, or `held`, a later one that could not.

    A fix no later than `last` is never held. A device that truly moved (it was off, or in the hold of
    a ship) is believed at its second fix near the new place; a flight at its second fix on the line.
    """
    if last is None or new.recorded_at <= last.recorded_at or can_follow(last, new):
        return Verdict.ACCEPTED
    if held is None or new.recorded_at <= held.recorded_at:
        return Verdict.HELD
    if can_follow(held, new) or can_fly(last, held, new):
        return Verdict.CONFIRMED
    return Verdict.HELD


def can_follow(earlier: Fix, later: Fix) -> bool:
    """Tell whether something on the ground can have come from one fix to the other, given their accuracies.

    Twice the accuracy of either fix (about 95 % of its errors) is allowed for. The order does not matter.
    """
    reach_m = FASTEST_MPS * (abs(later.recorded_at - earlier.recorded_at) + CLOCK_STEP_S)
    # Most fixes are near the one before; the sum of both legs is never shorter than the way itself.
    legs_m = (abs(later.lat - earlier.lat) + abs(later.lon - earlier.lon)) * _DEGREE_M
    if legs_m <= reach_m:
        return True
    reach_m += _slack_m(earlier) + _slack_m(later)
    if legs_m <= reach_m:
        return True
    return apart_m(earlier, later) <= reach_m


def apart_m(a: Fix, b: Fix) -> float:
    """Return the great-circle distance in metres (haversine)."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    half = (
        math.sin((lat_b - lat_a) / 2) ** 2
        + math.cos(lat_a) * math.cos(lat_b) * math.sin(math.radians(b.lon - a.lon) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))


def can_fly(first: Fix, second: Fix, third: Fix) -> bool:
    """Tell whether three fixes by time can be of one flight: nearly on a line, no faster than airliners."""
    legs_m = 0.0
    for one, other in ((first, second), (second, third)):
        leg_m = apart_m(one, other)
        if leg_m > FASTEST_FLIGHT_MPS * (other.recorded_at - one.recorded_at + CLOCK_STEP_S):
            return False
        legs_m += leg_m
    return apart_m(first, third) >= STRAIGHT * legs_m


def _slack_m(fix: Fix) -> float:
    return 2 * (UNSAID_ACCURACY_M if fix.accuracy_m is None else fix.accuracy_m)
