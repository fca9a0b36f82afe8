"""Draws a track with fewer points (Douglas and Peucker 1973), in metres."""

import math
from collections.abc import Sequence

import shapely

from tracker.history.track import DEGREE_M


def kept(places: Sequence[tuple[float, float]], tolerance_m: float) -> list[int]:
    """Return the numbers of the (lat, lon) places to draw: the first, the last, and what bends the line.

    No place left out is farther than `tolerance_m` from the line that is drawn, on a plane around the
    middle latitude; a line across the antimeridian stays whole.
    """
    if len(places) < 3 or tolerance_m <= 0:
        return list(range(len(places)))
    lats = [lat for lat, _ in places]
    shrink = math.cos(math.radians((min(lats) + max(lats)) / 2))
    origin = places[0][1]
    # The third coordinate is carried along untouched: it tells which place each vertex was.
    line = shapely.LineString(
        [
            (((lon - origin + 180) % 360 - 180) * DEGREE_M * shrink, lat * DEGREE_M, number)
            for number, (lat, lon) in enumerate(places)
        ]
    )
    drawn = shapely.simplify(line, tolerance_m, preserve_topology=False)
    return [int(number) for _, _, number in shapely.get_coordinates(drawn, include_z=True)]
