"""How a device came to a fix: in its stride, or by a leap. Pure.

A receiver that errs by a reflection leaps at once, by tens or hundreds of metres, and then stands there; a
walker or a car that crosses an edge was already on its way.
"""

import math
from typing import NamedTuple

from tracker.domain.observation import Observation
from tracker.geofence._quiet import DEGREE_M
from tracker.geofence.device_state import FenceState
from tracker.geofence.verdict import counted_m

STRIDE_S = 180.0
"""Two legs longer than this tell no stride."""
SLOWER, FASTER = 0.4, 2.5
"""The second leg's speed in a stride, as a part of the first one's."""
STRAIGHT = 0.5
"""Cosine of the most that a stride turns: 60 degrees."""


class Leg(NamedTuple):
    """The way to a fix from the believed one before; `in_stride`: it goes on as the leg before that did."""

    mps: float
    in_stride: bool


AT_REST = Leg(0.0, False)


def leg_to(fix: Observation, last: Observation | None, prior: Observation | None) -> Leg:
    """Return the leg from `last`, the believed fix before; `prior` is the one before that.

    A leg shorter than the fixes' accuracies is no stride: the receiver may have wandered.
    """
    if last is None:
        return AT_REST
    north_m, east_m, far_m = _way(last.lat, last.lon, fix)
    took_s = max(fix.at_s - last.at_s, 1.0)
    mps = far_m / took_s
    if prior is None:
        return Leg(mps, False)
    before_north_m, before_east_m, before_m = _way(prior.lat, prior.lon, last)
    before_s = max(last.at_s - prior.at_s, 1.0)
    blur_m = max(counted_m(each.accuracy_m) for each in (prior, last, fix))
    in_stride = (
        max(took_s, before_s) <= STRIDE_S
        and min(far_m, before_m) >= blur_m
        and SLOWER <= mps / (before_m / before_s) <= FASTER
        and north_m * before_north_m + east_m * before_east_m >= STRAIGHT * far_m * before_m
    )
    return Leg(mps, in_stride)


def since_first_mps(state: FenceState, fix: Observation) -> float:
    """Return how fast the device went on since its candidate's first evidence; without one, endlessly."""
    candidate = state.candidate
    if candidate is None or not candidate.evidence:
        return math.inf
    first = candidate.evidence[0]
    return _way(first.lat, first.lon, fix)[2] / max(fix.at_s - first.at_s, 1.0)


def _way(lat: float, lon: float, fix: Observation) -> tuple[float, float, float]:
    """Return metres to the north, to the east, and in all; good for the few kilometres of a leg."""
    north_m = (fix.lat - lat) * DEGREE_M
    east_m = ((fix.lon - lon + 180) % 360 - 180) * DEGREE_M * math.cos(math.radians(lat))
    return north_m, east_m, math.hypot(north_m, east_m)
