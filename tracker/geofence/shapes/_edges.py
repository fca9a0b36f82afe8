"""Distances in the plane to the edges of an outline, and which side of it a point is."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tracker.geofence.shapes._ground import Xy
from tracker.geofence.shapes._shape import Floats

LEAF = 12
"""So many edges are looked at one by one; more are parted in a tree of boxes."""
LOOPED_MOST = 1_000
"""Up to so many edges, many places are asked edge by edge; of more, place by place."""

Edge = tuple[float, float, float, float, float, float]
"""x and y of the start, dx, dy, 1 / length squared, dx / dy."""


def edge(a: Xy, b: Xy) -> Edge:
    """Return an edge ready for tests; one without a length counts as its start."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    square = dx * dx + dy * dy
    return a[0], a[1], dx, dy, 1 / square if square else 0.0, dx / dy if dy else 0.0


class _Node(NamedTuple):
    """Edges that follow one another, and the box around them; `halves` is empty in a leaf."""

    west: float
    south: float
    east: float
    north: float
    edges: tuple[Edge, ...]
    halves: tuple["_Node", ...]


def _node(edges: tuple[Edge, ...]) -> _Node:
    xs = [x for x0, _, dx, _, _, _ in edges for x in (x0, x0 + dx)]
    ys = [y for _, y0, _, dy, _, _ in edges for y in (y0, y0 + dy)]
    half = len(edges) // 2
    halves = (_node(edges[:half]), _node(edges[half:])) if len(edges) > LEAF else ()
    return _Node(min(xs), min(ys), max(xs), max(ys), () if halves else edges, halves)


class Edges:
    """A set of edges; where they bound an area, a point is inside by the even-odd rule."""

    __slots__ = ("_edges", "_root")

    def __init__(self, edges: Iterable[Edge]) -> None:
        self._edges: tuple[Edge, ...] = tuple(edges)
        self._root = _node(self._edges)

    def __iter__(self) -> Iterator[Edge]:
        return iter(self._edges)

    def distance_m(self, x: float, y: float) -> float:
        """Return the distance to the nearest edge."""
        if not self._root.halves:
            return math.sqrt(_nearest(self._edges, x, y, math.inf))
        best = math.inf
        waiting = [(0.0, self._root)]
        while waiting:
            bound, node = waiting.pop()
            if bound >= best:
                continue
            if not node.halves:
                best = _nearest(node.edges, x, y, best)
                continue
            one, two = node.halves
            near, far = _bound(one, x, y), _bound(two, x, y)
            # The nearer half is looked at first, so it is put on top.
            waiting += [(far, two), (near, one)] if near <= far else [(near, one), (far, two)]
        return math.sqrt(best)

    def signed_m(self, x: float, y: float) -> float:
        """Return the distance to the nearest edge, negative inside."""
        far_m = self.distance_m(x, y)
        return -far_m if self.holds(x, y) else far_m

    def holds(self, x: float, y: float) -> bool:
        """Tell whether a point is inside."""
        root = self._root
        if not (root.west <= x <= root.east and root.south <= y <= root.north):
            return False
        inside = False
        waiting = [root]
        while waiting:
            node = waiting.pop()
            if node.halves:
                waiting += [half for half in node.halves if half.south <= y <= half.north and x <= half.east]
                continue
            for x0, y0, _, dy, _, slope in node.edges:
                py = y - y0
                if (py < 0) != (dy > py) and x - x0 < py * slope:
                    inside = not inside
        return inside

    def distances_m(self, xs: Floats, ys: Floats) -> Floats:
        """Return `distance_m` of many points."""
        if len(self._edges) > LOOPED_MOST:
            return np.array([self.distance_m(x, y) for x, y in zip(xs, ys, strict=True)])
        best = np.full_like(xs, np.inf)
        for x0, y0, dx, dy, inverse, _ in self._edges:
            px, py = xs - x0, ys - y0
            along = np.clip((px * dx + py * dy) * inverse, 0.0, 1.0)
            px -= along * dx
            py -= along * dy
            np.minimum(best, px * px + py * py, out=best)
        return np.asarray(np.sqrt(best))

    def signed_all_m(self, xs: Floats, ys: Floats) -> Floats:
        """Return `signed_m` of many points."""
        if len(self._edges) > LOOPED_MOST:
            return np.array([self.signed_m(x, y) for x, y in zip(xs, ys, strict=True)])
        inside = np.zeros(xs.shape, dtype=bool)
        for x0, y0, _, dy, _, slope in self._edges:
            py = ys - y0
            inside ^= ((py < 0) != (dy > py)) & (xs - x0 < py * slope)
        far = self.distances_m(xs, ys)
        return np.where(inside, -far, far)

    def cuts(self, a: Xy, b: Xy) -> list[float]:
        """Return where the way from `a` (0) to `b` (1) meets edges, sorted, by the rule of `signed_m`."""
        dx, dy = b[0] - a[0], b[1] - a[1]
        found = []
        for x0, y0, ex, ey, _, _ in self._edges:
            # The sides of the edge's ends; an end on the way counts as left of it.
            first = dx * (y0 - a[1]) - dy * (x0 - a[0])
            last = dx * (y0 + ey - a[1]) - dy * (x0 + ex - a[0])
            if (first < 0) != (last < 0):
                at = (ex * (y0 - a[1]) - ey * (x0 - a[0])) / (ex * dy - ey * dx)
                if 0 < at < 1:
                    found.append(at)
        return sorted(found)


def _nearest(edges: tuple[Edge, ...], x: float, y: float, best: float) -> float:
    """Return the least squared distance to any of these edges, or `best` if that is less."""
    for x0, y0, dx, dy, inverse, _ in edges:
        px, py = x - x0, y - y0
        along = (px * dx + py * dy) * inverse
        if along <= 0:
            square = px * px + py * py
        elif along < 1:
            across = px * dy - py * dx
            square = across * across * inverse
        else:
            px, py = px - dx, py - dy
            square = px * px + py * py
        if square < best:  # noqa: PLR1730  # a call of min costs as much as the rest of an edge
            best = square
    return best


def _bound(node: _Node, x: float, y: float) -> float:
    """Return the squared distance to the box of a node, 0 within it."""
    west, south, east, north, _, _ = node
    dx = west - x if x < west else x - east if x > east else 0.0
    dy = south - y if y < south else y - north if y > north else 0.0
    return dx * dx + dy * dy


def inside_share(intervals: Sequence[tuple[float, float]]) -> float:
    """Return how much of 0..1 the intervals cover together."""
    covered, reached = 0.0, 0.0
    for start, end in sorted(intervals):
        if end > reached:
            covered += min(end, 1.0) - max(start, reached, 0.0) if end > 0 and start < 1 else 0.0
            reached = max(reached, min(end, 1.0))
    return covered
