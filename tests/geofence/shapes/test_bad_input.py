"""What no shape takes, each with its field and reason."""

import itertools
import math
import time
from typing import Any

import pytest

from tests.geofence.shapes.features import SHAPES, Feature, corridor, polygon, polygons, square
from tracker.domain.errors import Invalid

NAN, INFINITE = float("nan"), float("inf")
SQUARE = square(25, 60)


def ring(count: int, radius_deg: float = 0.01) -> list[tuple[float, float]]:
    angles = [2 * math.pi * number / count for number in range(count)]
    return [(25 + radius_deg * math.cos(angle), 60 + radius_deg * math.sin(angle)) for angle in angles]


def raw(coordinates: Any, kind: str = "Polygon") -> Feature:
    return Feature("polygon", {"type": kind, "coordinates": coordinates}, {})


def at(coordinates: Any, radius_m: Any = 100) -> Feature:
    return Feature("circle", {"type": "Point", "coordinates": coordinates}, {"radius_m": radius_m})


POLYGONS = {
    "crosses itself": (polygon([(25, 60), (25.1, 60.1), (25.1, 60), (25, 60.1)]), "crosses itself"),
    "touches itself": (
        polygon([(25, 60), (25.1, 60), (25.05, 60.05), (25.1, 60.1), (25, 60.1), (25.05, 60.05)]),
        "crosses itself",
    ),
    "no coordinates": (raw(None), "is empty"),
    "no rings": (raw([]), "is empty"),
    "no points": (raw([[]]), "is empty"),
    "no parts": (raw([], "MultiPolygon"), "is empty"),
    "a part of nothing": (raw([[]], "MultiPolygon"), "is empty"),
    "not closed": (raw([SQUARE]), "has an outline that is not closed: its last point must be its first"),
    "two points": (polygon([(25, 60), (25.1, 60)]), "has an outline of less than three points"),
    "one point thrice": (polygon([(25, 60), (25, 60), (25, 60)]), None),
    "no area": (polygon([(25, 60), (25.1, 60.1), (25.2, 60.2)]), "has no area"),
    "a hair": (polygon([(25, 60), (25.1, 60), (25.1, 60.00001), (25, 60.00001)]), "is nowhere 2 m wide"),
    "giant": (polygon([(0, 50), (40, 50), (40, 60), (0, 60)]), "is larger than 1,000 km"),
    "all the world": (polygon([(-180, -90), (180, -90), (180, 90), (-180, 90)]), "is larger than 1,000 km"),
    "all but a yard": (
        polygon([(-180, -90), (180, -90), (180, 90), (-180, 90)], SQUARE),
        "is larger than 1,000 km",
    ),
    "around a pole": (
        polygon([(0, 89), (90, 89), (180, 89), (-90, 89)]),
        "runs around a pole; cut it at the 180th meridian",
    ),
    "hole outside": (polygon(SQUARE, square(26, 60)[::-1]), "has a hole outside its outline"),
    "hole larger": (polygon(SQUARE, square(25, 60, 0.02)[::-1]), None),
    "hole in a hole": (
        polygon(SQUARE, square(25, 60, 0.005), square(25, 60, 0.002)),
        "has a hole within a hole",
    ),
    "parts overlap": (
        polygons(polygon(SQUARE), polygon(square(25.005, 60))),
        "has parts that overlap or share an edge",
    ),
    "parts twice": (polygons(polygon(SQUARE), polygon(SQUARE)), "has parts that overlap or share an edge"),
    "parts far apart": (polygons(polygon(SQUARE), polygon(square(-70, -30))), "is larger than 1,000 km"),
    "100,000 points": (polygon(ring(100_000)), "has more than 10,000 points"),
    "100,000 rings": (raw([[[25, 60]]] * 100_000), "has more than 10,000 points"),
    "100,000 parts": (raw([[[[25, 60]]]] * 100_000, "MultiPolygon"), "has more than 10,000 points"),
    "not a number": (polygon([(25, 60), (25.1, NAN), (25.1, 60.1)]), None),
    "infinite": (polygon([(25, 60), (INFINITE, 60), (25.1, 60.1)]), None),
    "huge": (polygon([(25, 60), (10**400, 60), (25.1, 60.1)]), "has a longitude beyond 180 degrees"),
    "latitude first": (polygon([(60, 125), (60, 125.1), (60.1, 125.1)]), None),
    "east of 180": (polygon([(179.9, 60), (180.1, 60), (180.1, 60.1)]), "has a longitude beyond 180 degrees"),
    "texts": (raw([[["25", "60"], ["25.1", "60"], ["25.1", "60.1"], ["25", "60"]]]), None),
    "flags": (raw([[[True, False], [True, True], [False, True], [True, False]]]), None),
    "too flat": (raw([25, 60]), None),
    "too deep": (raw([[[[[[25, 60]]]]]]), None),
    "a mapping": (raw({"0": [25, 60]}), None),
    "a text": (raw("25 60"), None),
    "one number": (raw([[[25], [26], [27], [25]]]), None),
}


@pytest.mark.parametrize(("feature", "reason"), POLYGONS.values(), ids=POLYGONS.keys())
def test_a_polygon_that_cannot_be_is_refused_with_its_reason(feature: Feature, reason: str | None) -> None:
    with pytest.raises(Invalid) as refused:
        feature.read()
    ((field, message),) = refused.value.errors
    assert field == "geometry"
    assert message
    if reason:
        assert message == reason


CIRCLES = {
    "radius 0": (at([25, 60], 0), "properties.radius_m", "is too small"),
    "radius 4.9": (at([25, 60], 4.9), "properties.radius_m", "is too small"),
    "radius -1": (at([25, 60], -1), "properties.radius_m", "is too small"),
    "radius 1e9": (at([25, 60], 1e9), "properties.radius_m", "is too large"),
    "radius 10**400": (at([25, 60], 10**400), "properties.radius_m", "is too large"),
    "radius NaN": (at([25, 60], NAN), "properties.radius_m", "must be a number"),
    "radius infinite": (at([25, 60], INFINITE), "properties.radius_m", "must be a number"),
    "radius a text": (at([25, 60], "100"), "properties.radius_m", "must be a number"),
    "radius true": (at([25, 60], True), "properties.radius_m", "must be a number"),
    "no radius": (at([25, 60], None), "properties.radius_m", "this field is required"),
    "no place": (at(None), "geometry", None),
    "empty place": (at([]), "geometry", None),
    "NaN": (at([25, NAN]), "geometry", None),
    "beyond 90": (at([25, 90.1]), "geometry", None),
    "beyond 180": (at([-180.1, 60]), "geometry", None),
    "nested": (at([[25, 60]]), "geometry", None),
    "line of one": (corridor([(25, 60)], 100), "geometry", "is a line of less than two points"),
    "line of one twice": (
        corridor([(25, 60), (25, 60)], 100),
        "geometry",
        "is a line of less than two points",
    ),
    "line of one at 180": (
        corridor([(180, 60), (-180, 60)], 100),
        "geometry",
        "is a line of less than two points",
    ),
    "no line": (corridor([], 100), "geometry", "is empty"),
    "long line": (corridor([(0, 60), (40, 60)], 100), "geometry", "is larger than 1,000 km"),
    "line of 100,000": (corridor(ring(100_000), 100), "geometry", "has more than 10,000 points"),
    "width 0": (corridor([(25, 60), (25.1, 60)], 0), "properties.width_m", "is too small"),
    "width 1e9": (corridor([(25, 60), (25.1, 60)], 1e9), "properties.width_m", "is too large"),
}


@pytest.mark.parametrize(("feature", "field", "reason"), CIRCLES.values(), ids=CIRCLES.keys())
def test_a_circle_or_line_that_cannot_be_is_refused_with_its_field(
    feature: Feature, field: str, reason: str | None
) -> None:
    with pytest.raises(Invalid) as refused:
        feature.read()
    assert [one for one, _ in refused.value.errors] == [field]
    if reason:
        assert refused.value.errors[0][1] == reason


@pytest.mark.parametrize("turn", [1, -1])
def test_an_outline_that_runs_the_wrong_way_is_turned(turn: int) -> None:
    feature = polygon(SQUARE[::turn], square(25, 60, 0.004)[::turn])
    coordinates = SHAPES["polygon"].write(feature.read())[0]["coordinates"]
    assert [_doubled_area(each) > 0 for each in coordinates] == [True, False]


def _doubled_area(each: list[list[float]]) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in itertools.pairwise(each))


def test_an_outline_of_the_most_points_is_taken() -> None:
    assert polygon(ring(9_999)).footprint().inradius_m == pytest.approx(556, rel=0.02)


def test_points_said_twice_in_a_row_are_left_out() -> None:
    doubled = [at for at in SQUARE for _ in range(3)]
    assert polygon(doubled).read() == polygon(SQUARE).read()


def test_heights_are_passed_over() -> None:
    high = raw([[[lon, lat, 12.5] for lon, lat in (*SQUARE, SQUARE[0])]])
    assert high.read() == polygon(SQUARE).read()


def test_a_refusal_names_no_place() -> None:
    with pytest.raises(Invalid) as refused:
        polygon([(25.123, 60), (25.1, 60.1), (25.1, 60), (25, 60.1)]).read()
    assert not any(sign.isdigit() for sign in str(refused.value))


def test_the_worst_star_is_refused_in_a_moment() -> None:
    """Each edge crosses every other: what a repair would take minutes for."""
    count = 2_001
    corners = ring(count)
    star = [corners[number * (count // 2) % count] for number in range(count)]
    begun = time.monotonic()
    with pytest.raises(Invalid):
        polygon(star).read()
    assert time.monotonic() - begun < 5


def test_edges_of_a_thousand_kilometres_by_the_thousand_cost_no_more_than_one() -> None:
    """A comb: its outline is millions of kilometres long."""
    teeth = 2_400
    comb: list[tuple[float, float]] = []
    for tooth in range(teeth):
        lon = 20 + tooth * 0.001
        comb += [(lon, 58), (lon, 62), (lon + 0.0005, 62), (lon + 0.0005, 58)]
    comb += [(23, 57.9), (20, 57.9)]
    begun = time.monotonic()
    footprint = polygon(comb).footprint()
    assert time.monotonic() - begun < 20
    assert footprint.distance_m(60, 20.00025) < 0 < footprint.distance_m(60, 20.00075)
