"""Stops: where a device stayed (docs/history.md, "Stops")."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

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
_FEW = 100
"""Of more fixes than this not every two are compared."""
_ROUGHLY = 1.05
"""What the flat ground makes of distances, generously."""
_EXCURSION_M2 = EXCURSION_M**2
_ROW = 2**24
"""A cell's key is its number to the east times this, plus that to the north."""
_SQUARE = tuple(east * _ROW + north for east in (-1, 0, 1) for north in (-1, 0, 1))
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


class Ground:
    """An ordered track without outliers in columns, since the search for stops reads it many times over.

    The longitudes go on beyond 180° where the track crosses the antimeridian. `reaches_m2` is the square of
    how far from the middle of its place a fix may be, its accuracy allowed for.
    """

    def __init__(self, believed: Sequence[Fix]) -> None:
        self.moments = [fix.recorded_at for fix in believed]
        self.lats = [fix.lat for fix in believed]
        self.lons = _without_jumps([fix.lon for fix in believed])
        self.ignitions = [fix.ignition for fix in believed]
        accuracies_m = [fix.accuracy_m for fix in believed]
        self.slacks_m = [min(SLACK_MOST_M, each or 0.0) for each in accuracies_m]
        self.reaches_m2 = [(RADIUS_M + each) ** 2 for each in self.slacks_m]
        self.weights = [
            1 / max(_LEAST_ACCURACY_M, _UNSAID_ACCURACY_M if each is None else each) for each in accuracies_m
        ]

    def away_m(self, lat: float, lon: float, members: Sequence[int]) -> list[float]:
        """Return the metres from a place to each of some fixes, on a plane: right near it, far if far."""
        lats, lons = self.lats, self.lons
        lon += 360 * round((lons[members[0]] - lon) / 360)
        shrink = DEGREE_M * math.cos(math.radians(lat))
        return [
            math.hypot((lats[number] - lat) * DEGREE_M, (lons[number] - lon) * shrink) for number in members
        ]


def _without_jumps(lons: list[float]) -> list[float]:
    if not lons or max(lons) - min(lons) <= 180:
        return lons
    smooth = [lons[0]]
    for lon in lons[1:]:
        smooth.append(smooth[-1] + (lon - smooth[-1] + 180) % 360 - 180)
    return smooth


def stops(ground: Ground, first: int, end: int) -> list[Stop]:
    """Return the stops of a stretch `first` <= number < `end`."""
    found: list[Stop] = []
    number = first
    while number < end:
        members = _grown(ground, number, end)
        stop = _stop_of(ground, members)
        if stop is None:
            # A slow walk fills many overlapping groups: not each of its fixes needs a try of its own.
            number += max(1, len(members) // 8)
        else:
            found.append(stop)
            number = stop.last + 1
    return _joined(ground, found)


def _grown(ground: Ground, first: int, end: int) -> list[int]:
    """Return the numbers of the fixes from `first` on that stay around their common middle.

    Every fix of a way is looked at about ten times, so nothing here is called or computed twice.
    """
    moments, lats, lons, weights = ground.moments, ground.lats, ground.lons, ground.weights
    reaches_m2 = ground.reaches_m2
    began_s, lat, lon = moments[first], lats[first], lons[first]
    shrink = DEGREE_M * math.cos(math.radians(lat))
    weighed, middle_x, middle_y = weights[first], 0.0, 0.0
    members = [first]
    seen = first
    for number in range(first + 1, end):
        x = (lons[number] - lon) * shrink - middle_x
        y = (lats[number] - lat) * DEGREE_M - middle_y
        away_m2 = x * x + y * y
        if away_m2 <= reaches_m2[number]:
            weighed += weights[number]
            part = weights[number] / weighed
            middle_x += x * part
            middle_y += y * part
            members.append(number)
            seen = number
        elif away_m2 > _EXCURSION_M2:
            break
        else:
            lasted_s = moments[seen] - began_s
            if moments[number] - moments[seen] > min(EXCURSION_S, lasted_s):
                break
            if number - seen > 1 and lasted_s < SETTLED_S:
                break
    return members


def _stop_of(ground: Ground, members: Sequence[int]) -> Stop | None:
    if not _lasts(ground, members) or not _rests(ground, members):
        return None
    away_m = ground.away_m(*_middle(ground, members), members)
    # The way in and out belongs to the trips: the stay begins and ends well within the place.
    core = [
        at
        for at, (number, each_m) in enumerate(zip(members, away_m, strict=True))
        if each_m <= RADIUS_M / 2 + ground.slacks_m[number]
    ]
    return _measured(ground, members[core[0] : core[-1] + 1]) if core else None


def _rests(ground: Ground, members: Sequence[int]) -> bool:
    """Tell whether two fixes long enough apart are near enough to be of one core: a slow walk has none."""
    if len(members) > _FEW:
        return True
    least_s = LEAST_OFF_S if _is_off(ground, members) else LEAST_S
    moments, lats, lons, slacks_m = ground.moments, ground.lats, ground.lons, ground.slacks_m
    shrink = DEGREE_M * math.cos(math.radians(lats[members[0]]))
    for start in members:
        for end in reversed(members):
            if moments[end] - moments[start] < least_s:
                break
            away_m = math.hypot((lats[end] - lats[start]) * DEGREE_M, (lons[end] - lons[start]) * shrink)
            if away_m <= _ROUGHLY * (RADIUS_M + slacks_m[start] + slacks_m[end]):
                return True
    return False


def _is_off(ground: Ground, members: Sequence[int]) -> bool:
    return any(ground.ignitions[number] is False for number in members)


def _lasts(ground: Ground, members: Sequence[int]) -> bool:
    lasted_s = ground.moments[members[-1]] - ground.moments[members[0]]
    if lasted_s >= LEAST_S:
        return True
    return lasted_s >= LEAST_OFF_S and _is_off(ground, members)


def _measured(ground: Ground, members: Sequence[int]) -> Stop | None:
    if not _lasts(ground, members):
        return None
    ignitions = {ground.ignitions[number] for number in members} - {None}
    lat, lon = _middle(ground, members)
    away_m = sorted(ground.away_m(lat, lon, members))
    moments = ground.moments[members[0] : members[-1] + 1]
    return Stop(
        first=members[0],
        last=members[-1],
        started_at=moments[0],
        ended_at=moments[-1],
        lat=lat,
        lon=lon,
        radius_m=away_m[int(0.9 * (len(away_m) - 1))],
        position_count=len(members),
        unknown_s=sum(end - start for start, end in pairwise(moments) if end - start > SILENCE_S),
        ignition_off=(False in ignitions) if ignitions else None,
    )


def _joined(ground: Ground, found: Sequence[Stop]) -> list[Stop]:
    """Join stops at one place between which the device never really left."""
    joined: list[Stop] = []
    for stop in found:
        before = joined[-1] if joined else None
        if before and apart_m(before.lat, before.lon, stop.lat, stop.lon) <= RADIUS_M:
            between = range(before.last, stop.first + 1)
            if max(ground.away_m(before.lat, before.lon, between)) <= 2 * RADIUS_M:
                joined[-1] = join(ground, before, stop)
                continue
        joined.append(stop)
    return joined


def join(ground: Ground, before: Stop, after: Stop) -> Stop:
    """Return one stop for two at the same place, with what lies between them."""
    whole = range(before.first, after.last + 1)
    away_m = ground.away_m(before.lat, before.lon, whole)
    away_m[0] = away_m[-1] = 0.0
    members = [number for number, each_m in zip(whole, away_m, strict=True) if each_m <= 2 * RADIUS_M]
    return _measured(ground, members) or before


def _middle(ground: Ground, members: Sequence[int]) -> tuple[float, float]:
    """Return the (lat, lon) around which most of the time was spent.

    Time and not fixes: a device at rest often tells less than one that moves. Most and not the mean of all:
    the way in and out, and drift to one side, do not pull it.
    """
    lat, lon = ground.lats[members[0]], ground.lons[members[0]]
    shrink = DEGREE_M * math.cos(math.radians(lat))
    moments = [ground.moments[number] for number in members]
    befores, behinds = [moments[0], *moments[:-1]], [*moments[1:], moments[-1]]
    cells: dict[int, list[float]] = {}
    for number, before_s, behind_s in zip(members, befores, behinds, strict=True):
        x = (ground.lons[number] - lon) * shrink
        y = (ground.lats[number] - lat) * DEGREE_M
        held_s = behind_s - before_s
        cell = cells.setdefault(round(x / CELL_M) * _ROW + round(y / CELL_M), [0.0, 0.0, 0.0])
        cell[0] += held_s
        cell[1] += held_s * x
        cell[2] += held_s * y

    def around(key: int) -> list[list[float]]:
        return [cells[key + step] for step in _SQUARE if key + step in cells]

    fullest = max(sorted(cells), key=lambda key: sum([cell[0] for cell in around(key)]))
    held_s, moment_x, moment_y = map(sum, zip(*around(fullest), strict=True))
    middle_lon = lon + moment_x / held_s / shrink
    return lat + moment_y / held_s / DEGREE_M, (middle_lon + 180) % 360 - 180


def slack_m(fix: Fix) -> float:
    """Return how much of the distance of a fix from a place its accuracy explains."""
    return min(SLACK_MOST_M, fix.accuracy_m or 0.0)
