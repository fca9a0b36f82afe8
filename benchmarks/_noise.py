"""What a receiver makes of a true path: the noise that `tracker bench truth` states.

- Error: Gaussian in both axes, correlated over 30 s (AR(1)), sigma 4 m outdoors and 15 m indoors.
- Accuracy: the radius of 68 % of that error (1.51 sigma), misreported by 0.3 to 3 times in a fifth of fixes.
- Multipath: jumps of 50 to 400 m that last 5 to 45 s, one in an hour outdoors and one in 20 minutes indoors,
  with an accuracy that does not confess them; and lone fixes so far off, 0.2 % of all, at any interval.
- Cells: 4 % of the fixes indoors are of the network, with an accuracy of 500 to 2,000 m that is true.
- Gaps: on average one silence of 10 to 40 minutes in eight hours.
- Lateness: on average one stretch of 10 to 30 minutes in eight hours comes at once at its end, every second
  one of them behind three newer fixes.
"""

import math
import random
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks._ground_truth import Day, at

CORRELATED_S = 30.0
OUTDOORS_M, INDOORS_M = 4.0, 15.0
R68_SIGMAS = 1.5096
MISREPORTED, MISREPORT = 0.2, 3.0
JUMP_EVERY_OUTDOORS_S, JUMP_EVERY_INDOORS_S = 3600.0, 1200.0
JUMP_LASTS_S = (5.0, 45.0)
JUMP_M = (50.0, 400.0)
LONE_JUMPS = 0.002
CELLS = 0.04
CELL_M = (500.0, 2000.0)
MISHAP_EVERY_S = 8 * 3600.0


class Seen(NamedTuple):
    """A fix as the receiver tells it; `arrived_s` is when the service gets it."""

    at_s: float
    arrived_s: float
    x: float
    y: float
    accuracy_m: float | None


def observe(day: Day, interval_s: float, chance: random.Random) -> list[Seen]:
    """Return the fixes of a day in the order of their arrival."""
    begin, end = day.path[0][0], day.path[-1][0]
    moments = []
    moment = begin + chance.uniform(0, interval_s)
    while moment < end:
        moments.append(moment)
        moment += interval_s * chance.uniform(0.95, 1.05)
    gaps = _mishaps(begin, end, 600, 2400, chance)
    moments = [each for each in moments if not any(a <= each < b for a, b in gaps)]
    return _arrivals(_fixes(day, moments, chance), _mishaps(begin, end, 600, 1800, chance), chance)


def _fixes(day: Day, moments: Sequence[float], chance: random.Random) -> list[Seen]:
    error_x = error_y = 0.0
    last_s = -math.inf
    jumps = _jumps(day, chance)
    found = []
    for moment, (x, y) in zip(moments, at(day.path, moments), strict=True):
        indoors = any(a <= moment < b for a, b in day.indoors)
        sigma = INDOORS_M if indoors else OUTDOORS_M
        kept = math.exp(-(moment - last_s) / CORRELATED_S)
        fresh = math.sqrt(1 - kept * kept)
        error_x = kept * error_x + fresh * chance.gauss(0, sigma)
        error_y = kept * error_y + fresh * chance.gauss(0, sigma)
        last_s = moment
        accuracy_m = sigma * R68_SIGMAS
        if chance.random() < MISREPORTED:
            accuracy_m *= math.exp(chance.uniform(-math.log(1 / 0.3), math.log(MISREPORT)))
        dx, dy = error_x, error_y
        while jumps and jumps[0][1] <= moment:
            jumps.pop(0)
        if jumps and jumps[0][0] <= moment:
            dx, dy = dx + jumps[0][2], dy + jumps[0][3]
        elif chance.random() < LONE_JUMPS:
            far_x, far_y = _far(chance)
            dx, dy = dx + far_x, dy + far_y
        elif indoors and chance.random() < CELLS:
            accuracy_m = chance.uniform(*CELL_M)
            dx, dy = (chance.gauss(0, accuracy_m / R68_SIGMAS) for _ in range(2))
        found.append(Seen(moment, moment, x + dx, y + dy, round(accuracy_m, 1)))
    return found


def _jumps(day: Day, chance: random.Random) -> list[tuple[float, float, float, float]]:
    """Return when jumps begin and end, and by how much they are off."""
    found = []
    moment = day.path[0][0]
    while moment < day.path[-1][0]:
        indoors = any(a <= moment < b for a, b in day.indoors)
        moment += chance.expovariate(1 / (JUMP_EVERY_INDOORS_S if indoors else JUMP_EVERY_OUTDOORS_S))
        until = moment + chance.uniform(*JUMP_LASTS_S)
        found.append((moment, until, *_far(chance)))
        moment = until
    return found


def _far(chance: random.Random) -> tuple[float, float]:
    far, angle = chance.uniform(*JUMP_M), chance.uniform(0, 2 * math.pi)
    return far * math.cos(angle), far * math.sin(angle)


def _mishaps(
    begin: float, end: float, shortest_s: float, longest_s: float, chance: random.Random
) -> list[tuple[float, float]]:
    found = []
    moment = begin + chance.expovariate(1 / MISHAP_EVERY_S)
    while moment < end:
        until = moment + chance.uniform(shortest_s, longest_s)
        found.append((moment, until))
        moment = until + chance.expovariate(1 / MISHAP_EVERY_S)
    return found


def _arrivals(
    fixes: Sequence[Seen], late: Sequence[tuple[float, float]], chance: random.Random
) -> list[Seen]:
    for begin, end in late:
        newer = [fix.at_s for fix in fixes if fix.at_s >= end][:3]
        arrived = newer[-1] + 0.5 if newer and chance.random() < 0.5 else end
        fixes = [fix._replace(arrived_s=arrived) if begin <= fix.at_s < end else fix for fix in fixes]
    return sorted(fixes, key=lambda fix: (fix.arrived_s, fix.at_s))
