"""From the rings of polygons to the edges of the ground they cover together."""

import itertools
import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import shapely

from tracker.domain.geo import LatLon
from tracker.domain.geofence import Ring
from tracker.geofence.shapes._edges import Edges, edge
from tracker.geofence.shapes._ground import Ground, LonLat, Xy, box_of, middle_of, pieces, unwrapped
from tracker.geofence.shapes._shape import Box

TOLERANCE = 0.01
"""Of the inradius, as a share of the size: an error's share, not a surveyor's."""
GRID_M = 0.001

Line = list[LonLat]


class Outline:
    """The edges of a polygon in the plane of its middle, without seams along the 180th meridian."""

    __slots__ = ("box", "edges", "ground", "inradius_m", "middle", "reach_m")

    def __init__(self, parts: Sequence[Sequence[Ring]]) -> None:
        rings = [unwrapped((*ring, ring[0])) for part in parts for ring in part]
        lines, seamed = _without_seams(rings)
        dense = list(pieces(lines))
        self.middle: LatLon = middle_of(dense)
        self.ground = Ground(self.middle)
        ground = self.ground
        flat = [[ground.project(lat, lon) for lon, lat in line] for line in dense]
        self.edges = Edges(edge(a, b) for line in flat for a, b in itertools.pairwise(line))
        self.reach_m = max(math.hypot(x, y) for line in flat for x, y in line)
        self.box: Box = self._with_poles(box_of(dense, self.middle))
        self.inradius_m = self._inradius(flat, [len(part) for part in parts], seamed)

    def _with_poles(self, box: Box) -> Box:
        for pole in (-90.0, 90.0):
            if self.edges.holds(*self.ground.project(pole, 0.0)):
                box = Box(min(box.south, pole), -180.0, max(box.north, pole), 180.0)
        return box

    def _inradius(self, lines: list[list[Xy]], counts: list[int], seamed: bool) -> float:
        areas: list[Any] = []
        if seamed:
            # What met at the 180th meridian is off by rounding.
            whole = shapely.union_all([shapely.LineString(line) for line in lines], grid_size=GRID_M)
            faces = shapely.polygonize(shapely.get_parts(whole))
            areas = [face for face in shapely.get_parts(faces) if self._covers(face)]
        else:
            for count in counts:
                outer, *holes = lines[:count]
                lines = lines[count:]
                areas.append(shapely.Polygon(outer, holes))
        return max((_inradius_of(area) for area in areas), default=0.0)

    def _covers(self, area: Any) -> bool:
        inner = area.representative_point()
        return self.edges.holds(inner.x, inner.y)


def _inradius_of(area: Any) -> float:
    if area.area <= 0:
        return 0.0
    # Of a long area the width counts, which its area and perimeter tell.
    size = max(area.area / area.length, 0.05)
    return float(shapely.length(shapely.maximum_inscribed_circle(area, tolerance=size * TOLERANCE)))


def _without_seams(rings: Sequence[Line]) -> tuple[list[Line], bool]:
    """Return rings, as lines, without what only a cut at the 180th meridian made, and whether it was."""
    seams: dict[tuple[float, float], int] = _seams(rings)
    lines: list[Line] = []
    cut = False
    for ring in rings:
        line = [ring[0]]
        for a, b in itertools.pairwise(ring):
            if _on_seam(a, b) or _at_pole(a, b):
                cut = True
                lines.append(line)
                line = [b]
            else:
                line.append(b)
        lines.append(line)
    if not cut:
        return lines, False
    # What is left of the meridian is a true edge.
    lines += [[(180.0, south), (180.0, north)] for (south, north), count in seams.items() if count % 2]
    return [line for line in lines if len(line) > 1], True


def _seams(rings: Sequence[Line]) -> dict[tuple[float, float], int]:
    """Return how often each stretch of the 180th meridian is an edge; stretches do not overlap."""
    found = [
        (min(a[1], b[1]), max(a[1], b[1]))
        for ring in rings
        for a, b in itertools.pairwise(ring)
        if _on_seam(a, b)
    ]
    stops = sorted({lat for stretch in found for lat in stretch})
    counts: dict[tuple[float, float], int] = defaultdict(int)
    for south, north in found:
        for low, high in itertools.pairwise(stops):
            if south <= low and high <= north:
                counts[low, high] += 1
    return counts


def _on_seam(a: LonLat, b: LonLat) -> bool:
    return a[0] == b[0] and a[0] % 360 == 180


def _at_pole(a: LonLat, b: LonLat) -> bool:
    return abs(a[1]) == 90 and a[1] == b[1]
