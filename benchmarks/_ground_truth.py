"""True paths of days, and the true crossings of places on them.

Places are circles in a plane of metres around `ORIGIN`; a path is a list of (second of the day, x, y) with
straight ways between. A crossing counts as true if the subject stays on the new side for a minute. It must be
told if the subject gets 15 m clear of the edge meanwhile; who keeps closer to it, within the error of any
receiver, may be told of or not.
"""

import math
import random
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tracker.domain.geo import EARTH_RADIUS_M, LatLon

ORIGIN = LatLon(lat=60.0, lon=25.0)
DEGREE_M = math.radians(1) * EARTH_RADIUS_M
STAYS_S = 60
CLEAR_M = 15.0

Path = Sequence[tuple[float, float, float]]


class Place(NamedTuple):
    """A circle."""

    x: float
    y: float
    radius_m: float

    def distance_m(self, x: float, y: float) -> float:
        """Return the distance to the edge, negative inside."""
        return math.hypot(x - self.x, y - self.y) - self.radius_m


class Day(NamedTuple):
    """A subject's day; `indoors` are spans of seconds in which satellites are hardly heard."""

    scenario: str
    path: Path
    places: tuple[Place, ...]
    indoors: tuple[tuple[float, float], ...] = ()


class TrueCrossing(NamedTuple):
    """The moment at which the subject came into a place or left it; `due`: it must be told."""

    place: int
    inside: bool
    at_s: float
    due: bool


def lat_lon(x: float, y: float) -> tuple[float, float]:
    """Return degrees of a point of the plane."""
    return ORIGIN.lat + y / DEGREE_M, ORIGIN.lon + x / (DEGREE_M * math.cos(math.radians(ORIGIN.lat)))


def at(path: Path, moments: Sequence[float]) -> list[tuple[float, float]]:
    """Return where the subject was at each moment."""
    starts = [point[0] for point in path]
    found = []
    for moment in moments:
        number = min(max(bisect_right(starts, moment) - 1, 0), len(path) - 2)
        (t0, x0, y0), (t1, x1, y1) = path[number], path[number + 1]
        part = min(1.0, max(0.0, (moment - t0) / max(t1 - t0, 1e-9)))
        found.append((x0 + (x1 - x0) * part, y0 + (y1 - y0) * part))
    return found


def true_crossings(path: Path, places: Sequence[Place], *, clear_m: float = CLEAR_M) -> list[TrueCrossing]:
    """Return the crossings after which the subject stayed on the new side, looking every second."""
    seconds = list(range(math.ceil(path[0][0]), math.floor(path[-1][0]) + 1))
    spots = at(path, seconds)
    found = []
    for number, place in enumerate(places):
        edge_m = [place.distance_m(*spot) for spot in spots]
        due = set(_changes(seconds, edge_m, clear_m))
        for inside, at_s in sorted(due | set(_changes(seconds, edge_m, 0.0))):
            found.append(TrueCrossing(number, inside, at_s, (inside, at_s) in due))
    return sorted(found, key=lambda each: each.at_s)


def _changes(seconds: Sequence[int], edge_m: Sequence[float], clear_m: float) -> list[tuple[bool, float]]:
    """Return the changes of side that lasted and got so far from the edge, by when the edge was crossed."""
    inside = edge_m[0] < 0
    since: int | None = None
    farthest_m = 0.0
    found = []
    for second, distance_m in zip(seconds, edge_m, strict=True):
        if (distance_m < 0) == inside:
            since, farthest_m = None, 0.0
            continue
        since = second if since is None else since
        farthest_m = max(farthest_m, abs(distance_m))
        if second - since >= STAYS_S and farthest_m >= clear_m:
            inside = not inside
            found.append((inside, float(since)))
            since, farthest_m = None, 0.0
    return found


def days(chance: random.Random) -> list[Day]:
    """Return a day of each scenario."""
    return [make(chance) for make in _SCENARIOS]


def _way(path: list[tuple[float, float, float]], x: float, y: float, mps: float) -> None:
    """Go on to a point."""
    t, x0, y0 = path[-1]
    path.append((t + math.hypot(x - x0, y - y0) / mps, x, y))


def _stay(path: list[tuple[float, float, float]], until_s: float) -> None:
    t, x, y = path[-1]
    path.append((max(until_s, t + 1), x, y))


def _school(chance: random.Random) -> Day:
    """A child walks to school, sits in it, and walks home by a friend's."""
    home, school, friend = Place(0, 0, 80), Place(700, 250, 110), Place(300, -350, 60)
    path = [(0.0, 5.0, 5.0)]
    _stay(path, 3600 + chance.uniform(0, 1800))
    left_s = path[-1][0]
    _way(path, 350, 60, 1.2)
    _stay(path, path[-1][0] + chance.uniform(0, 120))
    _way(path, 700 + chance.uniform(-30, 30), 250 + chance.uniform(-30, 30), 1.2)
    came_s = path[-1][0]
    _stay(path, came_s + 6 * 3600)
    out_s = path[-1][0]
    _way(path, 300, -350, 1.1)
    friend_s = path[-1][0]
    _stay(path, path[-1][0] + chance.uniform(1800, 5400))
    friend_left_s = path[-1][0]
    _way(path, 5, 5, 1.2)
    home_s = path[-1][0]
    _stay(path, 16 * 3600)
    indoors = ((0, left_s), (came_s, out_s), (friend_s, friend_left_s), (home_s, path[-1][0]))
    return Day("school", path, (home, school, friend), indoors)


def _yard(chance: random.Random) -> Day:
    """A cat wanders about its yard, and now and then out of it."""
    path = [(0.0, 0.0, 0.0)]
    x = y = 0.0
    while path[-1][0] < 12 * 3600:
        if chance.random() < 0.012:
            angle = chance.uniform(0, 2 * math.pi)
            x, y = chance.uniform(90, 180) * math.cos(angle), chance.uniform(90, 180) * math.sin(angle)
            _way(path, x, y, 1.0)
            _stay(path, path[-1][0] + chance.uniform(300, 1500))
        x, y = 0.8 * x + chance.gauss(0, 10), 0.8 * y + chance.gauss(0, 10)
        _way(path, x, y, 0.5)
        _stay(path, path[-1][0] + chance.uniform(20, 400))
    return Day("yard", path, (Place(0, 0, 60),))


def _parked(chance: random.Random) -> Day:
    """A car stands for a day near the edge of its place, inside or outside."""
    x = 60 + chance.choice((-25.0, -15.0, 25.0))
    return Day("parked", [(0.0, x, 0.0), (16 * 3600.0, x, 0.0)], (Place(0, 0, 60),))


def _bus(chance: random.Random) -> Day:
    """A bus goes to and fro past a place at 40 m, and into another one where it waits."""
    near, terminus = Place(3000, 190, 150), Place(6000, 0, 150)
    path = [(0.0, 0.0, 0.0)]
    for _ in range(8):
        for x, y in ((3000, 0), (6000, 0), (3000, 0), (0, 0)):
            _way(path, x, y, chance.uniform(8, 14))
            _stay(path, path[-1][0] + (chance.uniform(240, 600) if x == 6000 else chance.uniform(10, 90)))
        _stay(path, path[-1][0] + chance.uniform(300, 900))
    return Day("bus", path, (near, terminus))


def _flat(chance: random.Random) -> Day:
    """Somebody sits in a flat where only cells and walls are heard."""
    path = [(0.0, 10.0, 0.0)]
    _stay(path, 10 * 3600 + chance.uniform(0, 3600))
    out_s = path[-1][0]
    _way(path, 900, 400, 1.3)
    _stay(path, path[-1][0] + chance.uniform(600, 2400))
    _way(path, 10, 0, 1.3)
    back_s = path[-1][0]
    _stay(path, 16 * 3600)
    return Day("flat", path, (Place(0, 0, 100),), ((0, out_s), (back_s, path[-1][0])))


def _errands(chance: random.Random) -> Day:
    """A walk by three small places, stopping at each."""
    places = (Place(0, 0, 80), Place(600, 100, 50), Place(900, 700, 70), Place(100, 800, 40))
    path = [(0.0, 0.0, 0.0)]
    _stay(path, 3600)
    for place in (*places[1:], places[0]) * 2:
        _way(
            path,
            place.x + chance.uniform(-10, 10),
            place.y + chance.uniform(-10, 10),
            chance.uniform(1.0, 1.6),
        )
        _stay(path, path[-1][0] + chance.uniform(300, 2400))
    _stay(path, 14 * 3600)
    return Day("errands", path, places)


_SCENARIOS: tuple[Callable[[random.Random], Day], ...] = (_school, _yard, _parked, _bus, _flat, _errands)
