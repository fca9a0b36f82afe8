"""Stops: where a device stayed (docs/history.md, "Stops")."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tracker.history.gaps import SILENCE_S
from tracker.history.track import DEGREE_M, Fix, apart_m

RADIUS_M = 60.0
"""A place: a house with its yard, and what a parked satellite receiver wanders."""
SLACK_MOST_M = 50.0
"""At most so much of a fix's accuracy widens the place for it."""
LEAST_S = 180.0
"""Shorter rests are traffic lights and bus stops."""
LEAST_OFF_S = 60.0
"""With the ignition off a rest this long is a stop."""
EXCURSION_M, EXCURSION_S = 200.0, 300.0
"""A drift, or a walk to the bin: no farther and no longer than this away, nor longer than it had been
there, the device has not left."""
SETTLED_S = 90.0
"""Before a group lasted this long, two fixes away from it end it: it was passed, not stayed at."""
CELL_M = 20.0
"""Time is summed up over squares of three such cells a side to find where most of it was spent."""


_LEAST_ACCURACY_M = 5.0
_SQUARE = tuple((dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1))
_UNSAID_ACCURACY_M = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A stay at a place, from the fix numbered `first` to the one numbered `last` of the believed track.

    `radius_m` holds 90 % of its fixes, `unknown_s` is the time in it that silences longer than 20 minutes
    hide, `ignition_off` whether a fix said so, None if none spoke of the ignition.
    """

    first: int
    last: int
    started_at: float
    ended_at: float
    lat: float
    lon: float
    radius_m: float
    position_count: int
    unknown_s: float
    ignition_off: bool | None

    @property
    def duration_s(self) -> float:
        """How long it lasted."""
        return self.ended_at - self.started_at


def stops(believed: Sequence[Fix], first: int, end: int) -> list[Stop]:
    """Return the stops of a stretch `first` <= number < `end` of an ordered track without outliers."""
    found: list[Stop] = []
    number = first
    while number < end:
        members = _grown(believed, number, end)
        stop = _stop_of(believed, members)
        if stop is None:
            # A slow walk fills many overlapping groups: not each of its fixes needs a try of its own.
            number += max(1, len(members) // 8)
        else:
            found.append(stop)
            number = stop.last + 1
    return _joined(believed, found)


def _grown(believed: Sequence[Fix], first: int, end: int) -> list[int]:
    """Return the numbers of the fixes from `first` on that stay around their common middle."""
    origin = believed[first]
    shrink = DEGREE_M * math.cos(math.radians(origin.lat))
    weights = _weight(origin)
    sum_x = sum_y = 0.0
    members = [first]
    strays = 0
    seen_s = origin.recorded_at
    for number in range(first + 1, end):
        fix = believed[number]
        x = ((fix.lon - origin.lon + 180) % 360 - 180) * shrink
        y = (fix.lat - origin.lat) * DEGREE_M
        away_m = math.hypot(x - sum_x / weights, y - sum_y / weights)
        if away_m <= RADIUS_M + slack_m(fix):
            weight = _weight(fix)
            weights += weight
            sum_x += weight * x
            sum_y += weight * y
            members.append(number)
            seen_s = fix.recorded_at
            strays = 0
        elif away_m > EXCURSION_M or fix.recorded_at - seen_s > min(EXCURSION_S, seen_s - origin.recorded_at):
            break
        else:
            strays += 1
            if strays > 1 and seen_s - origin.recorded_at < SETTLED_S:
                break
    return members


def _stop_of(believed: Sequence[Fix], members: Sequence[int]) -> Stop | None:
    fixes = [believed[number] for number in members]
    if not _lasts(fixes):
        return None
    lat, lon = _middle(fixes)
    # The way in and out belongs to the trips: the stay begins and ends well within the place.
    core = [
        number
        for number, fix in zip(members, fixes, strict=True)
        if apart_m(lat, lon, fix.lat, fix.lon) <= RADIUS_M / 2 + slack_m(fix)
    ]
    if not core:
        return None
    return _measured(believed, [number for number in members if core[0] <= number <= core[-1]])


def _lasts(fixes: Sequence[Fix]) -> bool:
    is_off = any(fix.ignition is False for fix in fixes)
    return fixes[-1].recorded_at - fixes[0].recorded_at >= (LEAST_OFF_S if is_off else LEAST_S)


def _measured(believed: Sequence[Fix], members: Sequence[int]) -> Stop | None:
    fixes = [believed[number] for number in members]
    if not _lasts(fixes):
        return None
    ignitions = {fix.ignition for fix in fixes} - {None}
    lat, lon = _middle(fixes)
    away_m = sorted(apart_m(lat, lon, fix.lat, fix.lon) for fix in fixes)
    silences_s = (
        believed[number].recorded_at - believed[number - 1].recorded_at
        for number in range(members[0] + 1, members[-1] + 1)
    )
    return Stop(
        first=members[0],
        last=members[-1],
        started_at=fixes[0].recorded_at,
        ended_at=fixes[-1].recorded_at,
        lat=lat,
        lon=lon,
        radius_m=away_m[int(0.9 * (len(away_m) - 1))],
        position_count=len(fixes),
        unknown_s=sum(silence_s for silence_s in silences_s if silence_s > SILENCE_S),
        ignition_off=(False in ignitions) if ignitions else None,
    )


def _joined(believed: Sequence[Fix], found: Sequence[Stop]) -> list[Stop]:
    """Join stops at one place between which the device never really left."""
    joined: list[Stop] = []
    for stop in found:
        before = joined[-1] if joined else None
        if before and apart_m(before.lat, before.lon, stop.lat, stop.lon) <= RADIUS_M:
            away_m = max(
                (
                    apart_m(before.lat, before.lon, fix.lat, fix.lon)
                    for fix in believed[before.last : stop.first + 1]
                ),
            )
            if away_m <= 2 * RADIUS_M:
                joined[-1] = join(believed, before, stop)
                continue
        joined.append(stop)
    return joined


def join(believed: Sequence[Fix], before: Stop, after: Stop) -> Stop:
    """Return one stop for two at the same place, with what lies between them."""
    members = [
        number
        for number in range(before.first, after.last + 1)
        if apart_m(before.lat, before.lon, believed[number].lat, believed[number].lon) <= 2 * RADIUS_M
        or number in {before.first, after.last}
    ]
    return _measured(believed, members) or before


def _middle(fixes: Sequence[Fix]) -> tuple[float, float]:
    """Return the (lat, lon) around which most of the time was spent.

    Time and not fixes: a device at rest often tells less than one that moves. Most and not the mean of all:
    the way in and out, and drift to one side, do not pull it.
    """
    origin = fixes[0]
    shrink = DEGREE_M * math.cos(math.radians(origin.lat))
    last = len(fixes) - 1
    cells: dict[tuple[int, int], list[float]] = {}
    for number, fix in enumerate(fixes):
        x = ((fix.lon - origin.lon + 180) % 360 - 180) * shrink
        y = (fix.lat - origin.lat) * DEGREE_M
        held_s = fixes[min(last, number + 1)].recorded_at - fixes[max(0, number - 1)].recorded_at
        cell = cells.setdefault((round(x / CELL_M), round(y / CELL_M)), [0.0, 0.0, 0.0])
        cell[0] += held_s
        cell[1] += held_s * x
        cell[2] += held_s * y
    fullest = max(sorted(cells), key=lambda key: sum(cell[0] for cell in _around(cells, key)))
    around = _around(cells, fullest)
    held_s, moment_x, moment_y = (sum(cell[member] for cell in around) for member in range(3))
    lon = origin.lon + moment_x / held_s / shrink
    return origin.lat + moment_y / held_s / DEGREE_M, (lon + 180) % 360 - 180


def _around(cells: dict[tuple[int, int], list[float]], key: tuple[int, int]) -> list[list[float]]:
    x, y = key
    return [cells[near] for near in ((x + dx, y + dy) for dx, dy in _SQUARE) if near in cells]


def slack_m(fix: Fix) -> float:
    """Return how much of the distance of a fix from a place its accuracy explains."""
    return min(SLACK_MOST_M, fix.accuracy_m or 0.0)


def _weight(fix: Fix) -> float:
    return 1 / max(_LEAST_ACCURACY_M, _UNSAID_ACCURACY_M if fix.accuracy_m is None else fix.accuracy_m)
