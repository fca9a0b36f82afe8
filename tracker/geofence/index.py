"""Which fences of many are near a place."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import shapely

from tracker.domain.geo import EARTH_RADIUS_M
from tracker.domain.geofence import Geofence
from tracker.geofence import verdict
from tracker.geofence.shapes._shape import Box, Footprint, Shape

CELL_DEG = 0.002
"""The finest cells of the grid: 220 m high."""
CELLS_MOST = 64
"""A search over more cells of a level asks the tree instead, which costs 60 us whatever the reach."""
FEW = 16
"""Up to so many fences are looked at one by one; more go into a tree."""
CLEARANCES_M = (100.0, 1_000.0, 10_000.0, 100_000.0)
"""How far around a place fences are looked for, until one is found; no clearance is larger than the last."""
DEGREE_M = math.radians(1) * EARTH_RADIUS_M


class Fence(NamedTuple):
    """A fence as the engine sees it; `version` 2 and later were drawn otherwise before."""

    geofence_id: str
    version: int
    footprint: Footprint
    inradius_m: float
    margin_m: float


class FenceIndex(Protocol):
    """The fences that one device is judged by."""

    def near(self, lat: float, lon: float, reach_m: float) -> Sequence[Fence]:
        """Return, in no order, every fence within `reach_m` of a place, perhaps some farther away."""

    def fence(self, geofence_id: str) -> Fence | None:
        """Return one fence; None if it is not (or no longer) among these."""

    def clearance_m(self, lat: float, lon: float, accuracy_m: float | None) -> float:
        """Return how far from this place every fix of no worse accuracy is as sure of every fence's side.

        0 where a fix is not sure of one of them; 100 km at most. It asks nothing about the phases: the
        caller knows that no candidate waits.
        """


def fence_of(geofence: Geofence, shapes: Mapping[str, Shape]) -> Fence:
    """Make one fence ready; the footprint costs most of it and may be kept as long as `version` stands."""
    footprint = shapes[geofence.shape].footprint(geofence.geometry)
    inradius_m = footprint.inradius_m
    return Fence(geofence.geofence_id, geofence.version, footprint, inradius_m, verdict.margin_m(inradius_m))


def index_of(fences: Iterable[Fence]) -> FenceIndex:
    """Return an index over fences: a list of few, a tree of many."""
    found = tuple(fences)
    return Few(found) if len(found) <= FEW else Many(found)


class Few:
    """Looks at each fence's box in turn."""

    def __init__(self, fences: Sequence[Fence]) -> None:
        self._by_id = {fence.geofence_id: fence for fence in fences}
        self._boxed = tuple((*_spread(fence.footprint.box), fence) for fence in fences)

    def near(self, lat: float, lon: float, reach_m: float) -> Sequence[Fence]:
        """Return the fences whose box, grown by `reach_m`, holds the place."""
        tall = reach_m / DEGREE_M
        wide = _wide(lat, tall)
        found = []
        for south, north, middle, half, fence in self._boxed:
            if south - tall <= lat <= north + tall:
                away = abs(lon - middle) % 360
                if (away if away <= 180 else 360 - away) <= half + wide:
                    found.append(fence)
        return found

    def fence(self, geofence_id: str) -> Fence | None:
        """Return one fence, or None."""
        return self._by_id.get(geofence_id)

    def clearance_m(self, lat: float, lon: float, accuracy_m: float | None) -> float:
        """Return the radius of the disc in which nothing can change."""
        found_m = CLEARANCES_M[-1]
        blur_m = verdict.SURE_ACCURACIES * verdict.counted_m(accuracy_m)
        for south, north, middle, half, fence in self._boxed:
            # A fence beyond this cannot be the nearest.
            least_m = found_m + blur_m + fence.margin_m
            tall = least_m / DEGREE_M
            if not south - tall <= lat <= north + tall:
                continue
            away = abs(lon - middle) % 360
            if (away if away <= 180 else 360 - away) > half + _wide(lat, tall):
                continue
            distance_m = fence.footprint.distance_m(lat, lon)
            quiet_m = verdict.quiet_m(distance_m, accuracy_m, fence.margin_m, fence.inradius_m)
            found_m = min(found_m, quiet_m)
        return found_m


class Many:
    """A grid for what is close and a tree for what is not; boxes that pass 180 are in both at either end.

    The grid has levels: a fence is in the finest one whose cells are as large as its box, so in four cells
    at most.
    """

    def __init__(self, fences: Sequence[Fence]) -> None:
        self._by_id = {fence.geofence_id: fence for fence in fences}
        self._boxes: list[tuple[float, float, float, float]] = []
        self._fences: list[Fence] = []
        self._levels: dict[float, dict[tuple[int, int], list[int]]] = {}
        for fence in fences:
            box = fence.footprint.box
            for turn in (-360.0, 0.0, 360.0):
                west, east = box.west + turn, box.east + turn
                if turn == 0 or (east >= -180 and west <= 180):
                    self._put(fence, (box.south, west, box.north, east))
        sides = np.array(self._boxes, dtype=float).reshape(-1, 4)
        self._tree: Any = shapely.STRtree(shapely.box(sides[:, 1], sides[:, 0], sides[:, 3], sides[:, 2]))

    def _put(self, fence: Fence, box: tuple[float, float, float, float]) -> None:
        south, west, north, east = box
        number = len(self._fences)
        self._fences.append(fence)
        self._boxes.append(box)
        size = max(north - south, east - west)
        cell = CELL_DEG * 4 ** max(0, math.ceil(math.log(size / CELL_DEG, 4)))
        level = self._levels.setdefault(cell, {})
        for row in range(math.floor(south / cell), math.floor(north / cell) + 1):
            for column in range(math.floor(west / cell), math.floor(east / cell) + 1):
                level.setdefault((row, column), []).append(number)

    def near(self, lat: float, lon: float, reach_m: float) -> Sequence[Fence]:
        """Return the fences whose box meets the box of `reach_m` around the place."""
        tall = reach_m / DEGREE_M
        wide = _wide(lat, tall)
        turns = [0.0]
        if wide >= 180:
            lon, wide = 0.0, 180.0
        elif lon + wide > 180:
            turns.append(-360.0)
        elif lon - wide < -180:
            turns.append(360.0)
        hits: set[int] = set()
        for turn in turns:
            hits |= self._met(lat - tall, lon + turn - wide, lat + tall, lon + turn + wide)
        fences = self._fences
        if len(hits) < 2:
            return [fences[hit] for hit in hits]
        # Near the 180th meridian one fence may be met twice.
        return list({fences[hit].geofence_id: fences[hit] for hit in hits}.values())

    def _met(self, south: float, west: float, north: float, east: float) -> set[int]:
        found: set[int] = set()
        boxes, floor = self._boxes, math.floor
        for cell, level in self._levels.items():
            rows = range(floor(south / cell), floor(north / cell) + 1)
            columns = range(floor(west / cell), floor(east / cell) + 1)
            if len(rows) * len(columns) > CELLS_MOST:
                return {int(hit) for hit in self._tree.query(shapely.box(west, south, east, north))}
            for row in rows:
                for column in columns:
                    for number in level.get((row, column), ()):
                        low, left, high, right = boxes[number]
                        if low <= north and high >= south and left <= east and right >= west:
                            found.add(number)
        return found

    def fence(self, geofence_id: str) -> Fence | None:
        """Return one fence, or None."""
        return self._by_id.get(geofence_id)

    def clearance_m(self, lat: float, lon: float, accuracy_m: float | None) -> float:
        """Return the radius of the disc in which nothing can change."""
        return _clearance_m(self, lat, lon, accuracy_m)


def _clearance_m(index: FenceIndex, lat: float, lon: float, accuracy_m: float | None) -> float:
    blur_m = verdict.SURE_ACCURACIES * verdict.counted_m(accuracy_m) + verdict.MARGIN_MOST_M
    found_m = 0.0
    for reach_m in CLEARANCES_M:
        found_m = reach_m
        for fence in index.near(lat, lon, reach_m + blur_m):
            distance_m = fence.footprint.distance_m(lat, lon)
            quiet_m = verdict.quiet_m(distance_m, accuracy_m, fence.margin_m, fence.inradius_m)
            found_m = min(found_m, quiet_m)
        if found_m < reach_m:
            return found_m
    return found_m


def _spread(box: Box) -> tuple[float, float, float, float]:
    return box.south, box.north, (box.west + box.east) / 2, (box.east - box.west) / 2


def _wide(lat: float, tall: float) -> float:
    """Return how many degrees of longitude lie within `tall` degrees of a great circle, at most."""
    edge = abs(lat) + tall
    if edge >= 89.9:
        return 360.0
    # sin dlon = sin r / cos lat, at the circle's own latitude; the farther parallel bounds it from above.
    return tall / math.cos(math.radians(edge))
