"""Positions a second that one core judges by fences, beside PostGIS and Shapely asked the bare point test.

Children's days, a fix each 10 s, the error correlated over 30 s: at home, to school, at school, past the
yard, home; each has five fences of its own (two circles, polygons of 16 and 5 corners, a corridor). Then a
child that keeps to an edge, and a van among 100,000 fences of one town. Pure: no database, no broker. The
floors do less than the engine, for they know no accuracy, no hysteresis and no order:

`postgis_join`: positions and fences as geometry with GiST indexes, joined by device and ST_Intersects and
counted, by one process of the server. `postgis_distance_join`: the same with ST_Distance of geographies,
which is what a signed distance costs there. `shapely_tree`: one query of an STRtree with the predicate.
"""

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import LiteralString

import numpy as np
import psycopg
import shapely
from psycopg import sql
from shapely.geometry.base import BaseGeometry

from benchmarks._result import Options, Result, median
from benchmarks._servers import private_servers
from tracker import registry
from tracker.domain.crossing import Phase, Side
from tracker.domain.geo import LatLon
from tracker.domain.geofence import Circle, Corridor, FenceOrigin, Geofence, Geometry, Polygon
from tracker.domain.observation import Observation
from tracker.geofence import device_state, engine, verdict
from tracker.geofence.index import fence_of
from tracker.geofence.shapes._shape import Floats, Shape

POSITIONS = 100_000
SHARED = 100_000
CHILDREN = 20
SEED = 11
EVERY_S = 10.0
HOME = LatLon(lat=60.170, lon=24.940)
SCHOOL_M = (1_700.0, 1_100.0)
ERROR_S = 30.0
OWNER = engine.Owner("0" * 16, "1" * 16, "2" * 16)
BEGUN = datetime(2026, 9, 1, tzinfo=UTC)
LAT_M = 111_195.0
LON_M = LAT_M * math.cos(math.radians(HOME.lat))


class FencesBenchmark:
    """`tracker bench fences`."""

    name = "fences"

    def run(self, options: Options) -> Result:
        """Measure on a private server; `size` is positions a round."""
        size = options.size or POSITIONS
        shapes = registry.load("tracker.geofence.shapes", "SHAPE")
        work = _Work(shapes, size)
        with private_servers("", "") as servers, psycopg.connect(servers.database_url) as link:
            _fill(link, work)
            rounds = [_round(link, work) for _ in range(options.rounds)]
        told = {name: median([each[name] for each in rounds]) for name in rounds[0]}
        floors = {name: told.pop(name) for name in list(told) if name.startswith(("postgis", "shapely"))}
        ratios = {
            f"{ours}_to_{name.removesuffix('_per_s')}": median(
                [each[f"positions_per_s_{ours}"] / each[name] for each in rounds]
            )
            for name in floors
            for ours in (
                ("shared_100k", "verdict_shared_100k") if "shared" in name else ("engine_5", "verdict_bulk_5")
            )
        }
        told["fences_shared"] = float(SHARED)
        told["build_shared_s"] = work.build_shared_s
        return Result(name=self.name, figures=told, floors=floors, ratios=ratios)


class _Work:
    """The positions and the fences, made once."""

    def __init__(self, shapes: Mapping[str, Shape], size: int) -> None:
        chance = random.Random(SEED)
        self.homes = [_at(HOME, 20_000 * (child % 10), 20_000 * (child // 10)) for child in range(CHILDREN)]
        geofences = [[_geofence(*each) for each in _five(home)] for home in self.homes]
        self.shown = [
            [shapes[each.shape].lonlat_geometry(each.geometry) for each in five] for five in geofences
        ]
        fives = [[fence_of(each, shapes) for each in five] for five in geofences]
        self.fives = [engine.Fences(five) for five in fives]
        self.footprints = [[fence.footprint for fence in five] for five in fives]
        self.days = [_days(home, size // CHILDREN, chance) for home in self.homes]
        self.edge = _along_an_edge(size, chance)
        self.drive = _drive(size, chance)
        town = _scattered(SHARED, chance)
        self.town_shown = _shown(town)
        begun = time.perf_counter()
        self.town = engine.Fences(fence_of(each, shapes) for each in town)
        self.build_shared_s = time.perf_counter() - begun


def _geofence(geofence_id: str, shape: str, geometry: Geometry) -> Geofence:
    return Geofence(
        account_id=OWNER.account_id,
        geofence_id=geofence_id,
        name="",
        shape=shape,
        geometry=geometry,
        subject_ids=(),
        all_subjects=True,
        time_zone="Europe/Helsinki",
        schedule=None,
        template=None,
        origin=FenceOrigin.DRAWN,
        version=1,
        created_at=BEGUN,
        changed_at=BEGUN,
    )


def _at(place: LatLon, east_m: float, north_m: float) -> LatLon:
    return LatLon(lat=place.lat + north_m / LAT_M, lon=place.lon + east_m / LON_M)


def _around(place: LatLon, corners: int, radius_m: float) -> Polygon:
    angles = [2 * math.pi * corner / corners for corner in range(corners)]
    ring = tuple(_at(place, radius_m * math.cos(angle), radius_m * math.sin(angle)) for angle in angles)
    return Polygon(parts=((ring,),))


def _five(home: LatLon) -> Sequence[tuple[str, str, Geometry]]:
    school = _at(home, *SCHOOL_M)
    way = (home, _at(home, 600, 500), _at(home, 1_100, 900), school)
    return (
        ("home", "circle", Circle(center=home, radius_m=100)),
        ("school", "polygon", _around(school, 16, 120)),
        ("far", "circle", Circle(center=_at(home, 3_000, -2_000), radius_m=300)),
        ("yard", "polygon", _around(_at(home, 700, 900), 5, 150)),
        ("way", "corridor", Corridor(line=way, width_m=400)),
    )


def _scattered(count: int, chance: random.Random) -> Sequence[Geofence]:
    """Return fences over 40 km by 40 km: nine circles of ten, else polygons."""
    found = []
    for number in range(count):
        place = _at(HOME, chance.uniform(-20_000, 20_000), chance.uniform(-20_000, 20_000))
        if number % 10:
            made: tuple[str, Geometry] = "circle", Circle(center=place, radius_m=chance.uniform(30, 150))
        else:
            made = "polygon", _around(place, chance.randint(4, 12), chance.uniform(30, 150))
        found.append(_geofence(f"s{number}", *made))
    return found


def _shown(town: Sequence[Geofence]) -> Sequence[BaseGeometry]:
    """Return circles as polygons of 32 corners and polygons as they are, in degrees."""
    angles = np.linspace(0, 2 * math.pi, 33)
    found = []
    for each in town:
        if isinstance(each.geometry, Circle):
            center, radius_m = each.geometry.center, each.geometry.radius_m
            lons = center.lon + radius_m / LON_M * np.cos(angles)
            lats = center.lat + radius_m / LAT_M * np.sin(angles)
            found.append(shapely.Polygon(np.stack([lons, lats], axis=1)))
        elif isinstance(each.geometry, Polygon):
            found.append(shapely.Polygon([(at.lon, at.lat) for at in each.geometry.parts[0][0]]))
    return found


def _days(home: LatLon, count: int, chance: random.Random) -> Sequence[Observation]:
    """Return fixes from 7:00 on: at 8:00 a quarter of an hour's way to school, at 14:00 one back."""
    fixes = _Fixes(chance)
    for number in range(count):
        hour = (number * EVERY_S / 3600 + 7) % 24
        share = min(max((hour - 8) * 4, 0), 1) - min(max((hour - 14) * 4, 0), 1)
        fixes.add(_at(home, share * SCHOOL_M[0], share * SCHOOL_M[1]))
    return fixes.made


def _along_an_edge(count: int, chance: random.Random) -> Sequence[Observation]:
    """Return fixes that swing 60 m to either side of the edge around home: nothing may be passed over."""
    fixes = _Fixes(chance)
    for number in range(count):
        fixes.add(_at(HOME, 100 + 60 * math.sin(number / 40), 40 * math.cos(number / 40)))
    return fixes.made


def _drive(count: int, chance: random.Random) -> Sequence[Observation]:
    """Return fixes of a van all over the town, at up to 14 m/s."""
    fixes = _Fixes(chance)
    for number in range(count):
        fixes.add(_at(HOME, 18_000 * math.sin(number / 311), 18_000 * math.sin(number / 217)))
    return fixes.made


class _Fixes:
    """Fixes whose error is an autoregressive process of 30 s, and whose accuracy changes each half-hour."""

    def __init__(self, chance: random.Random) -> None:
        self.made: list[Observation] = []
        self._chance = chance
        self._east = self._north = 0.0
        self._accuracy_m = 8.0

    def add(self, place: LatLon) -> None:
        """Add one, 10 s after the last."""
        chance, number = self._chance, len(self.made)
        if number % 180 == 0:
            self._accuracy_m = chance.choice((5.0, 8.0, 12.0, 20.0))
        kept = math.exp(-EVERY_S / ERROR_S)
        fresh = math.sqrt(1 - kept * kept)
        self._east = kept * self._east + fresh * chance.gauss(0, 1)
        self._north = kept * self._north + fresh * chance.gauss(0, 1)
        sigma_m = max(self._accuracy_m, verdict.ACCURACY_LEAST_M) / verdict.R68_SIGMAS
        seen = _at(place, self._east * sigma_m, self._north * sigma_m)
        told_m = self._accuracy_m * chance.uniform(0.9, 1.1)
        self.made.append(Observation(BEGUN.timestamp() + number * EVERY_S, seen.lat, seen.lon, told_m))


def _round(link: "psycopg.Connection[tuple[object, ...]]", work: _Work) -> dict[str, float]:
    def rate(act: Callable[[], object], count: int) -> float:
        begun = time.perf_counter()
        act()
        return count / (time.perf_counter() - begun)

    days, drive, edge = sum(map(len, work.days)), len(work.drive), len(work.edge)
    return {
        "positions_per_s_engine_5": rate(lambda: _fold_all(work), days),
        "positions_per_s_engine_5_at_an_edge": rate(lambda: _fold(work.fives[0], work.edge), edge),
        "positions_per_s_verdict_bulk_5": rate(lambda: _bulk(work), days),
        "positions_per_s_shared_100k": rate(lambda: _fold(work.town, work.drive), drive),
        "positions_per_s_verdict_shared_100k": rate(lambda: _verdicts(work), drive),
        "postgis_join_per_s": rate(lambda: _count(link, _JOIN), days),
        "postgis_distance_join_per_s": rate(lambda: _count(link, _DISTANCE_JOIN), days),
        "postgis_shared_join_per_s": rate(lambda: _count(link, _SHARED_JOIN), drive),
        "shapely_tree_per_s": rate(lambda: _trees(work), days),
        "shapely_shared_tree_per_s": rate(lambda: _tree(work.town_shown, work.drive), drive),
    }


def _fold(fences: engine.Fences, fixes: Sequence[Observation]) -> None:
    state, crossings = device_state.begin(), 0
    for fix in fixes:
        state, crossed, _, _ = engine.step(state, fences, fix, OWNER)
        crossings += len(crossed)
    assert crossings


def _fold_all(work: _Work) -> None:
    """Fold all children's days as they come: a fix of each in turn."""
    states = [device_state.begin() for _ in work.days]
    crossings = 0
    for fixes in zip(*work.days, strict=True):
        for child, fix in enumerate(fixes):
            states[child], crossed, _, _ = engine.step(states[child], work.fives[child], fix, OWNER)
            crossings += len(crossed)
    assert crossings >= len(states)


def _columns(fixes: Sequence[Observation]) -> tuple[Floats, Floats, Floats]:
    lats, lons, accuracies_m = np.array([(fix.lat, fix.lon, fix.accuracy_m) for fix in fixes]).T
    return lats, lons, accuracies_m


def _bulk(work: _Work) -> None:
    inside = 0
    for footprints, fixes in zip(work.footprints, work.days, strict=True):
        lats, lons, accuracies_m = _columns(fixes)
        for footprint in footprints:
            distances_m = footprint.distances_m(lats, lons)
            said = verdict.probabilities_inside(distances_m, accuracies_m, footprint.inradius_m)
            inside += int(np.count_nonzero(said >= verdict.IN_AT))
    assert inside


def _verdicts(work: _Work) -> None:
    """Judge each fix by the fences of the town that are near, without a state."""
    index, inside = work.town.index, 0
    for fix in work.drive:
        for fence in index.near(fix.lat, fix.lon, 2 * verdict.counted_m(fix.accuracy_m)):
            distance_m = fence.footprint.distance_m(fix.lat, fix.lon)
            said = verdict.verdict(distance_m, fix.accuracy_m, fence.inradius_m, fence.margin_m, Phase.OUT)
            inside += said.side is Side.IN
    assert inside


def _trees(work: _Work) -> None:
    for shown, fixes in zip(work.shown, work.days, strict=True):
        _tree(shown, fixes)


def _tree(shown: Sequence[BaseGeometry], fixes: Sequence[Observation]) -> None:
    lats, lons, _ = _columns(fixes)
    found = shapely.STRtree(shown).query(shapely.points(lons, lats), predicate="intersects")
    assert found.size


def _count(link: "psycopg.Connection[tuple[object, ...]]", query: LiteralString) -> None:
    row = link.execute(query).fetchone()
    assert row
    assert row[0]


_JOIN: LiteralString = """
SELECT count(*) FROM bench_fix AS fix
JOIN bench_fence AS fence ON fence.child = fix.child AND ST_Intersects(fence.geom, fix.geom)
"""
_DISTANCE_JOIN: LiteralString = """
SELECT count(*) FROM bench_fix AS fix JOIN bench_fence AS fence ON fence.child = fix.child
WHERE ST_Distance(fence.edge, fix.geom::geography, false) < fix.accuracy_m
"""
_SHARED_JOIN: LiteralString = """
SELECT count(*) FROM bench_drive AS fix JOIN bench_town AS fence ON ST_Intersects(fence.geom, fix.geom)
"""


def _fill(link: "psycopg.Connection[tuple[object, ...]]", work: _Work) -> None:
    link.execute("SET max_parallel_workers_per_gather = 0")
    link.execute("CREATE TEMP TABLE bench_fence (child int, geom geometry, edge geography)")
    link.execute("CREATE TEMP TABLE bench_town (geom geometry)")
    fences = [(child, shapely.to_wkb(shown)) for child, five in enumerate(work.shown) for shown in five]
    with link.cursor() as cursor:
        cursor.execute(
            "INSERT INTO bench_fence SELECT child, geom, ST_Boundary(geom)::geography"
            " FROM unnest(%s::int[], %s::bytea[]) AS fence (child, wkb), ST_GeomFromWKB(wkb, 4326) AS geom",
            ([child for child, _ in fences], [wkb for _, wkb in fences]),
        )
        town = shapely.to_wkb(shapely.set_srid(np.array(work.town_shown), 4326), hex=True, include_srid=True)
        with cursor.copy("COPY bench_town (geom) FROM STDIN") as copy:
            for wkb in town.tolist():
                copy.write_row((wkb,))
    fixes = [(child, fix) for child, day in enumerate(work.days) for fix in day]
    _fill_fixes(link, "bench_fix", fixes)
    _fill_fixes(link, "bench_drive", [(0, fix) for fix in work.drive])
    link.execute("CREATE INDEX ON bench_fence USING gist (geom)")
    link.execute("CREATE INDEX ON bench_town USING gist (geom)")
    link.execute("ANALYZE bench_fix, bench_fence, bench_drive, bench_town")


def _fill_fixes(
    link: "psycopg.Connection[tuple[object, ...]]", table: str, fixes: Sequence[tuple[int, Observation]]
) -> None:
    name = sql.Identifier(table)
    link.execute(
        sql.SQL("CREATE TEMP TABLE {} (child int, geom geometry(Point, 4326), accuracy_m float)").format(name)
    )
    link.execute(
        sql.SQL(
            "INSERT INTO {} SELECT child, ST_Point(lon, lat, 4326), accuracy_m FROM"
            " unnest(%s::int[], %s::float[], %s::float[], %s::float[]) AS fix (child, lon, lat, accuracy_m)"
        ).format(name),
        (
            [child for child, _ in fixes],
            [fix.lon for _, fix in fixes],
            [fix.lat for _, fix in fixes],
            [fix.accuracy_m for _, fix in fixes],
        ),
    )


BENCHMARK = FencesBenchmark()
