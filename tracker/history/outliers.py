"""Marks the fixes that cannot be true: the cheapest explanation of a track (docs/history.md, "Outliers").

To call a fix wrong costs 1. To believe a fix costs what its altitude is off its neighbours', because a bad
satellite geometry errs upwards even more than sideways. To believe that a device went from one believed fix
to the next costs its speed against what is fast for it there. The cheapest choice of believed fixes is found
by dynamic programming, as in map matching; so a run of up to three wrong fixes is found like a single one,
a true fix after a wrong one is not blamed, and a jump that two further fixes confirm is a move.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tracker.history.track import Located, between_m, brisk

NEIGHBOURS = 7
"""So many fixes on either side tell what was usual around a fix."""
REACH = 5
"""At most so many fixes before one are looked at for its predecessor."""
WRONG = 1.0
"""What it costs to call a fix wrong."""
DEAREST_LEG = 2.0
"""No leg costs more: once two fixes confirm a jump, it is cheaper to believe it."""
CALM = 0.1
"""A leg from a fix to the next that costs no more costs nothing: two and the altitude never make 1."""


@dataclass(frozen=True, kw_only=True)
class SpeedScale:
    """What is fast: a leg at `base_mps` plus `relative` x the median speed around it costs 1.

    `altitude_m` metres off the altitudes around cost 1, never more than `altitude_most`.
    """

    base_mps: float
    relative: float = 2.0
    altitude_m: float = 500.0
    altitude_most: float = 0.8


ON_FOOT = SpeedScale(base_mps=2.0)
"""Pets; the `relative` part lets them ride in a car."""
BY_ANY_MEANS = SpeedScale(base_mps=40.0)
"""People and vehicles."""


class _Costs:
    """What each step costs; medians are taken only where something is fast."""

    def __init__(self, track: Sequence[Located], scale: SpeedScale) -> None:
        self._track = track
        self._scale = scale
        self._limits_mps: dict[int, float] = {}
        self._usual_mps: dict[int, float] = {}
        self._into = [0.0] * (len(track) + 1)
        self.hasty: list[int] = []
        for number in brisk(track, CALM * scale.base_mps):
            cost = _leg_mps(track[number - 1], track[number]) / scale.base_mps
            if cost > CALM:
                self._into[number] = cost
                self.hasty.append(number)

    def leg(self, start: int, end: int) -> float:
        """Return the cost of having gone from one fix to a later one."""
        if start == end - 1 and self._into[end] == 0.0:
            return 0.0
        limit_mps = self._limits_mps.get(end)
        if limit_mps is None:
            limit_mps = self._scale.base_mps + self._scale.relative * self._median_mps(end)
            self._limits_mps[end] = limit_mps
        return min(DEAREST_LEG, _leg_mps(self._track[start], self._track[end]) / limit_mps)

    def _median_mps(self, number: int) -> float:
        """Return the median speed of the legs around a fix, as if it were not there."""
        track = self._track
        legs = [
            self._leg_plain_mps(each)
            for each in range(max(1, number - NEIGHBOURS + 1), min(len(track), number + NEIGHBOURS + 1))
            if each not in {number, number + 1}
        ]
        if 0 < number < len(track) - 1:
            legs.append(_plain_mps(track[number - 1], track[number + 1]))
        return statistics.median(legs) if legs else 0.0

    def _leg_plain_mps(self, number: int) -> float:
        speed_mps = self._usual_mps.get(number)
        if speed_mps is None:
            speed_mps = self._usual_mps[number] = _plain_mps(self._track[number - 1], self._track[number])
        return speed_mps

    def belief(self, number: int) -> float:
        """Return the cost of believing a fix."""
        altitude_m = self._track[number].altitude_m
        # Without a hasty leg the altitude alone never makes a fix wrong.
        if altitude_m is None or self._into[number] + self._into[number + 1] == 0.0:
            return 0.0
        around = _around(self._track, number)
        known_m = [fix.altitude_m for fix in around if fix.altitude_m is not None]
        if len(known_m) < 3:
            return 0.0
        off_m = abs(altitude_m - statistics.median(known_m))
        return min(self._scale.altitude_most, off_m / self._scale.altitude_m)


def outliers(track: Sequence[Located], scale: SpeedScale = BY_ANY_MEANS) -> list[bool]:
    """Tell of each fix of an ordered track whether it cannot be true."""
    wrong = [False] * len(track)
    costs = _Costs(track, scale)
    for first, end in _windows(costs.hasty, len(track)):
        for number in _unbelieved(costs, first, end):
            wrong[number] = True
    return wrong


def _windows(hasty: Sequence[int], count: int) -> list[tuple[int, int]]:
    """Return the stretches (first, end) around hasty legs; elsewhere nothing can be wrong."""
    found: list[tuple[int, int]] = []
    for number in hasty:
        first, end = max(0, number - REACH - 1), min(count, number + REACH + 1)
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((first, end))
    return found


def _unbelieved(costs: _Costs, first: int, end: int) -> list[int]:
    """Return the fixes of a stretch that the cheapest explanation leaves out."""
    best: list[float] = []
    came_from: list[int] = []
    for number in range(first, end):
        cost, source = (number - first) * WRONG, -1
        for start in range(number - 1, max(first - 1, number - 1 - REACH), -1):
            through = best[start - first] + (number - start - 1) * WRONG
            # The leg itself costs something too: often it need not be measured.
            if through < cost and (through := through + costs.leg(start, number)) < cost:
                cost, source = through, start
        best.append(cost + costs.belief(number))
        came_from.append(source)
    ends = range(end - 1, max(first - 1, end - 1 - REACH), -1)
    number = min(ends, key=lambda each: best[each - first] + (end - 1 - each) * WRONG)
    believed = set()
    while number >= 0:
        believed.add(number)
        number = came_from[number - first]
    return [number for number in range(first, end) if number not in believed]


def _around(track: Sequence[Located], number: int) -> list[Located]:
    first = max(0, number - NEIGHBOURS)
    return [*track[first:number], *track[number + 1 : number + 1 + NEIGHBOURS]]


def _leg_mps(a: Located, b: Located) -> float:
    # What the accuracies explain is no movement.
    unsure_m = math.hypot(a.accuracy_m or 0.0, b.accuracy_m or 0.0)
    return max(0.0, between_m(a, b) - unsure_m) / max(1.0, b.recorded_at - a.recorded_at)


def _plain_mps(a: Located, b: Located) -> float:
    return between_m(a, b) / max(1.0, b.recorded_at - a.recorded_at)
