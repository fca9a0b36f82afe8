"""The length of a way, without what the noise of its fixes adds (docs/history.md, "Distance")."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from tracker.history.track import Fix, apart_m

STEP_M = 10.0
"""A step counts once it is twice as long as the fixes are unsure together, and longer than this."""
STEP_MOST_M = 75.0
"""A step this long counts whatever the accuracies claim."""
UNSAID_ACCURACY_M = 8.0
"""Assumed where a device tells no accuracy: an open sky."""
MOVING_MPS = 0.5
"""Slower steps hold a rest: half a slow walk."""


class Mark(NamedTuple):
    """How far the way was at a moment, and for how long it had been moving."""

    recorded_at: float
    distance_m: float
    moving_s: float


def marks(
    fixes: Sequence[Fix],
    start: tuple[float, float] | None = None,
    end: tuple[float, float] | None = None,
) -> list[Mark]:
    """Return how the way through ordered fixes grew, step by step.

    It begins and ends at the given (lat, lon) places, if given, instead of the first and last fix. A fix
    counts once it is twice as far from the last that counted as both are unsure together, so that noise adds
    little.
    """
    if not fixes:
        return []
    lat, lon = start or (fixes[0].lat, fixes[0].lon)
    finish = end or (fixes[-1].lat, fixes[-1].lon)
    grown = [Mark(fixes[0].recorded_at, 0.0, 0.0)]
    unsure_at_m = fixes[0].accuracy_m
    previous_s = fixes[0].recorded_at
    for fix in fixes[1:-1]:
        moment_s, fix_lat, fix_lon, accuracy_m, *_ = fix
        step_m = apart_m(lat, lon, fix_lat, fix_lon)
        if step_m >= STEP_MOST_M or (step_m >= STEP_M and step_m >= _least_step_m(unsure_at_m, accuracy_m)):
            grown.append(_grown(grown[-1], moment_s, previous_s, step_m))
            lat, lon, unsure_at_m = fix_lat, fix_lon, accuracy_m
        previous_s = moment_s
    if len(fixes) > 1:
        grown.append(_grown(grown[-1], fixes[-1].recorded_at, previous_s, apart_m(lat, lon, *finish)))
    return grown


def _least_step_m(accuracy_a_m: float | None, accuracy_b_m: float | None) -> float:
    # An accuracy of 0 is not said either.
    unsure_m = math.hypot(accuracy_a_m or UNSAID_ACCURACY_M, accuracy_b_m or UNSAID_ACCURACY_M)
    return min(STEP_MOST_M, max(STEP_M, 2 * unsure_m))


def _grown(mark: Mark, moment_s: float, previous_s: float, step_m: float) -> Mark:
    took_s = moment_s - mark.recorded_at
    if step_m < MOVING_MPS * took_s:
        # It rested first: only the last hop, or what a slow walk needs, was movement.
        took_s = min(took_s, max(moment_s - previous_s, step_m))
        if step_m < MOVING_MPS * took_s:
            took_s = step_m / MOVING_MPS
    return Mark(moment_s, mark.distance_m + step_m, mark.moving_s + took_s)


def within(way: Sequence[Mark], since: float, until: float) -> tuple[float, float]:
    """Return (distance in metres, moving in seconds) of the part of a way between two moments."""
    begin, finish = _at(way, since), _at(way, until)
    return max(0.0, finish.distance_m - begin.distance_m), max(0.0, finish.moving_s - begin.moving_s)


def _at(way: Sequence[Mark], moment_s: float) -> Mark:
    number = bisect_left(way, moment_s, key=lambda mark: mark.recorded_at)
    if number in {0, len(way)}:
        return way[min(number, len(way) - 1)]
    before, after = way[number - 1], way[number]
    part = (moment_s - before.recorded_at) / (after.recorded_at - before.recorded_at)
    return Mark(
        moment_s,
        before.distance_m + part * (after.distance_m - before.distance_m),
        before.moving_s + part * (after.moving_s - before.moving_s),
    )


def top_speed_mps(fixes: Sequence[Fix], way: Sequence[Mark]) -> float | None:
    """Return the highest speed that held for three values in a row at least, or None if nothing tells.

    The device's own speeds count if at least half of the fixes carry one, since satellites measure speed
    better than places; else the speeds of the steps. A single wild value does not show.
    """
    told = [fix.speed_mps for fix in fixes if fix.speed_mps is not None]
    if told and 2 * len(told) >= len(fixes):
        return _steady_most(told)
    steps = [
        (after.distance_m - before.distance_m) / (after.recorded_at - before.recorded_at)
        for before, after in pairwise(way)
        if after.recorded_at > before.recorded_at
    ]
    return _steady_most(steps)


def _steady_most(speeds: Sequence[float]) -> float | None:
    if len(speeds) < 3:
        return min(speeds, default=None)
    threes = zip(speeds, speeds[1:], speeds[2:], strict=False)
    # The middle of three without a sort.
    return max(max(min(a, b), min(max(a, b), c)) for a, b, c in threes)


def by_odometer_m(fixes: Sequence[Fix], way_m: float) -> float | None:
    """Return the length by the odometer, or None if it does not tell it at both ends or cannot be right.

    Right is one that never runs back and differs from the way through the fixes by no more than a fifth less
    or a half more: one bad value must not make a trip of nothing.
    """
    told = [fix.odometer_m for fix in fixes if fix.odometer_m is not None]
    if len(told) < 2 or fixes[0].odometer_m is None or fixes[-1].odometer_m is None:
        return None
    if any(after < before for before, after in pairwise(told)):
        return None
    length_m = told[-1] - told[0]
    return length_m if 0.8 * way_m <= length_m <= 1.5 * way_m else None
