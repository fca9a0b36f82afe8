"""Which fences are near."""

import random

import pytest

from tests.geofence.shapes.features import FEATURES, Feature, circle, polygon, square
from tracker.geofence import verdict
from tracker.geofence.index import FEW, Fence, Few, Many, index_of


def fence(name: str, feature: Feature) -> Fence:
    footprint = feature.footprint()
    return Fence(name, 1, footprint, footprint.inradius_m, verdict.margin_m(footprint.inradius_m))


AWKWARD = [fence(name, feature) for name, feature in FEATURES.items()]


def scattered(count: int, seed: int) -> list[Fence]:
    chance = random.Random(seed)
    return [
        fence(
            f"{number}",
            circle(chance.uniform(-180, 180), chance.uniform(-89.9, 89.9), chance.uniform(5, 50_000)),
        )
        for number in range(count)
    ]


def places(count: int, seed: int) -> list[tuple[float, float]]:
    chance = random.Random(seed)
    anywhere = [(chance.uniform(-90, 90), chance.uniform(-180, 180)) for _ in range(count)]
    awkward = [(90.0, 0.0), (-90.0, 12.0), (-17.0, 180.0), (-17.0, -180.0), (-17.0, -179.99), (89.95, 170.0)]
    return [*anywhere, *awkward, *((lat + 0.5, lon) for lat, lon in awkward if lat < 89)]


@pytest.mark.parametrize("kind", [Few, Many])
@pytest.mark.parametrize("reach_m", [0.0, 1_000.0, 50_000.0, 1_000_000.0])
def test_whatever_is_within_reach_is_found(kind: type[Few] | type[Many], reach_m: float) -> None:
    # Of other shapes only a lower bound is told from farther away.
    fences = [*(AWKWARD if reach_m <= 50_000 else ()), *scattered(300, 1)]
    index = kind(fences)
    met = 0
    for lat, lon in places(150, 2):
        near = [each.geofence_id for each in index.near(lat, lon, reach_m)]
        assert len(near) == len(set(near))
        within = {each.geofence_id for each in fences if each.footprint.distance_m(lat, lon) <= reach_m}
        assert within <= set(near)
        met += len(within)
    assert met > 0


@pytest.mark.parametrize("kind", [Few, Many])
def test_little_else_is_found(kind: type[Few] | type[Many]) -> None:
    fences = [
        fence(f"{lon} {lat}", circle(lon / 10, 60 + lat / 10, 100)) for lon in range(20) for lat in range(20)
    ]
    index = kind(fences)
    assert [each.geofence_id for each in index.near(60.5, 0.5, 500)] == ["5 5"]
    assert index.near(60.55, 0.55, 500) == []


@pytest.mark.parametrize("kind", [Few, Many])
def test_nothing_changes_within_the_clearance(kind: type[Few] | type[Many]) -> None:
    fences = [*AWKWARD, *scattered(200, 3)]
    index = kind(fences)
    for lat, lon in places(150, 4):
        for accuracy_m in (None, 10.0, 500.0):
            clear_m = index.clearance_m(lat, lon, accuracy_m)
            assert 0 <= clear_m <= 100_000
            least_m = min(
                verdict.quiet_m(
                    each.footprint.distance_m(lat, lon), accuracy_m, each.margin_m, each.inradius_m
                )
                for each in fences
            )
            assert clear_m == pytest.approx(min(least_m, 100_000), rel=1e-9, abs=1e-6) or clear_m <= least_m


def test_few_and_many_say_the_same() -> None:
    fences = [*AWKWARD, *scattered(200, 5)]
    few, many = Few(fences), Many(fences)
    for lat, lon in places(100, 6):
        assert few.clearance_m(lat, lon, 20) == many.clearance_m(lat, lon, 20)


@pytest.mark.parametrize("count", [0, 1, FEW, FEW + 1])
def test_an_index_of_any_number_answers(count: int) -> None:
    fences = [fence(f"{number}", polygon(square(24 + number, 60))) for number in range(count)]
    index = index_of(fences)
    assert [index.fence(f"{number}") for number in range(count)] == fences
    assert index.fence("none") is None
    assert {each.geofence_id for each in index.near(60, 24, 0)} == ({"0"} if count else set())
    assert index.clearance_m(0, 0, None) == 100_000
