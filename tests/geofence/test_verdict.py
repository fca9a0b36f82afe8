"""What one fix says of a fence."""

import math

import numpy as np
import pytest

from tracker.domain.crossing import Phase, Side
from tracker.geofence import verdict as v
from tracker.geofence.shapes._shape import Floats

INFINITE = math.inf


def disc_probability(from_center_m: float, sigma_m: float, radius_m: float) -> float:
    """1 - Q1(a / s, r / s), Marcum's Q function: the density integrated in strips, x = r sin t."""
    angles = np.linspace(-math.pi / 2, math.pi / 2, 401)
    xs, halves = radius_m * np.sin(angles), radius_m * np.cos(angles)
    across = np.array([math.erf(half / sigma_m / math.sqrt(2)) for half in halves])
    density = np.exp(-((xs - from_center_m) ** 2) / (2 * sigma_m**2)) / (sigma_m * math.sqrt(2 * math.pi))
    return float(np.trapezoid(density * across * halves, angles))


@pytest.mark.parametrize("accuracy_m", [8, 15, 30, 60, 150, 500, 2_000])
@pytest.mark.parametrize("radius_m", [10, 25, 60, 100, 200, 500])
def test_the_probability_is_that_of_a_disc(radius_m: float, accuracy_m: float) -> None:
    for from_center_m in np.linspace(0, radius_m + 4 * accuracy_m, 30):
        true = disc_probability(from_center_m, accuracy_m / v.R68_SIGMAS, radius_m)
        assert v.probability_inside(from_center_m - radius_m, accuracy_m, radius_m) == pytest.approx(
            true, abs=0.02
        )


def test_a_poor_fix_just_inside_a_large_fence_is_even() -> None:
    assert v.probability_inside(0, 25, 50_000) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("accuracy_m", [8, 15, 30, 60, 150, 500, 2_000])
@pytest.mark.parametrize("radius_m", [25, 60, 100, 200, 500])
def test_who_is_said_to_be_in_is_in(radius_m: float, accuracy_m: float) -> None:
    for from_center_m in np.linspace(0, radius_m + 4 * accuracy_m, 40):
        distance_m = from_center_m - radius_m
        side, probability, strong = v.verdict(
            distance_m, accuracy_m, radius_m, v.margin_m(radius_m), Phase.OUT
        )
        true = disc_probability(from_center_m, accuracy_m / v.R68_SIGMAS, radius_m)
        if probability >= v.IN_AT:
            assert side is Side.IN
            assert true > 0.7
        if strong:
            assert (true if side is Side.IN else 1 - true) > 0.97
        if side is Side.OUT:
            assert true <= 0.12


def test_accuracy_is_the_radius_of_68_percent() -> None:
    """In the middle of a disc as large as the accuracy."""
    assert v.probability_inside(-INFINITE, 50, 50) == pytest.approx(0.68, abs=0.001)


@pytest.mark.parametrize("accuracy_m", [None, 8.0, 25.0, 400.0, 0.0, -3.0, float("nan")])
def test_the_probability_falls_with_the_distance(accuracy_m: float | None) -> None:
    said = [v.probability_inside(float(m), accuracy_m, 200) for m in range(-500, 501, 10)]
    assert all(0 <= each <= 1 for each in said)
    assert said == sorted(said, reverse=True)


def test_an_accuracy_that_is_not_told_is_an_ordinary_one() -> None:
    assert v.probability_inside(10, None, 100) == v.probability_inside(10, 25, 100)


@pytest.mark.parametrize("accuracy_m", [0.0, 0.1, 1.0, 5.0])
def test_a_receiver_that_flatters_itself_is_not_believed(accuracy_m: float) -> None:
    assert v.verdict(-3, accuracy_m, 100, 10, Phase.OUT).side is Side.UNSURE
    assert v.verdict(3, accuracy_m, 100, 10, Phase.IN).side is Side.UNSURE


TABLE = [
    # distance, accuracy, inradius, margin, phase, side, strong
    (-50, 10, 100, 10, Phase.OUT, Side.IN, True),
    (-50, 10, 100, 10, Phase.IN, Side.IN, True),
    (-8, 10, 100, 10, Phase.OUT, Side.IN, False),
    (0, 10, 100, 10, Phase.OUT, Side.UNSURE, False),
    (9, 10, 100, 10, Phase.OUT, Side.OUT, False),
    (9, 10, 100, 10, Phase.UNKNOWN, Side.OUT, False),
    (9, 10, 100, 10, Phase.IN, Side.UNSURE, False),  # hysteresis
    (19, 10, 100, 10, Phase.IN, Side.OUT, False),
    (40, 10, 100, 10, Phase.IN, Side.OUT, True),
    (500, 2_000, 100, 10, Phase.IN, Side.UNSURE, False),  # cell fixes indoors
    (-90, 2_000, 100, 10, Phase.IN, Side.UNSURE, False),
    (-100, 2_000, 100, 10, Phase.OUT, Side.UNSURE, False),
    (-100, 60, 100, 10, Phase.OUT, Side.IN, False),  # strong is for good fixes
    (20_000, 2_000, 100, 10, Phase.IN, Side.OUT, False),
    (20_000, 20, 100, 10, Phase.IN, Side.OUT, True),
    (-20, 40, 25, 5, Phase.OUT, Side.IN, False),  # the clause for small fences
    (1, 40, 25, 5, Phase.OUT, Side.UNSURE, False),
    (-24, 200, 25, 5, Phase.OUT, Side.UNSURE, False),  # too small for any clause
    (-24, 200, 25, 5, Phase.IN, Side.UNSURE, False),
    (1e7, None, 100, 10, Phase.UNKNOWN, Side.OUT, True),
]


@pytest.mark.parametrize(
    ("distance_m", "accuracy_m", "inradius_m", "margin_m", "phase", "side", "strong"), TABLE
)
def test_what_a_fix_says(
    distance_m: float,
    accuracy_m: float | None,
    inradius_m: float,
    margin_m: float,
    phase: Phase,
    side: Side,
    strong: bool,
) -> None:
    said = v.verdict(distance_m, accuracy_m, inradius_m, margin_m, phase)
    assert (said.side, said.strong) == (side, strong)


def test_nobody_is_in_and_out_by_turns_of_a_metre() -> None:
    """Between the edges nothing is said, so what was last said stands."""
    for distance_m in range(15):
        assert v.verdict(distance_m, 10, 100, 10, Phase.IN).side is not Side.OUT
    for distance_m in range(-6, 1):
        assert v.verdict(distance_m, 10, 100, 10, Phase.OUT).side is not Side.IN


@pytest.mark.parametrize(
    ("accuracy_m", "weak_m"), [(None, 8.34), (3.0, 8), (30.0, 10), (2_000.0, 667), (50_000.0, 1_000)]
)
def test_weak_evidence_counts_a_third_of_the_accuracy_and_a_kilometre_at_most(
    accuracy_m: float | None, weak_m: float
) -> None:
    assert v.weak_accuracy_m(accuracy_m) == pytest.approx(weak_m, rel=0.01)


@pytest.mark.parametrize("accuracy_m", [200.0, 500.0, 1_500.0])
def test_an_honest_error_of_any_direction_takes_nobody_out_of_a_small_place(accuracy_m: float) -> None:
    """By the error across the edge alone two of five honest fixes of a child at home were surely out."""
    for share, side in ((0.5, Side.UNSURE), (0.8, Side.UNSURE), (0.97, Side.OUT)):
        error_m = accuracy_m / v.R68_SIGMAS * math.sqrt(-2 * math.log(1 - share))
        assert v.verdict(error_m - 50, accuracy_m, 50, 5, Phase.IN).side is side


def test_of_a_large_place_the_error_across_the_edge_counts() -> None:
    assert v.verdict(40 + 45, 45, 500, 30, Phase.IN).side is Side.OUT
    assert v.verdict(10 + 45, 45, 40, 5, Phase.IN).side is Side.UNSURE


def test_no_receiver_however_bad_mutes_an_exit_for_ever() -> None:
    for accuracy_m in (2_000.0, 10_000.0, 1e9):
        assert v.weak_side(930, accuracy_m, 100, 10, Phase.IN) is (Side.OUT)
    # But a phone indoors, its cell fixes 500 m off, does not leave.
    assert v.weak_side(400, 2_000, 100, 10, Phase.IN) is Side.UNSURE


@pytest.mark.parametrize("phase", [Phase.IN, Phase.OUT])
@pytest.mark.parametrize("inradius_m", [15.0, 30, 45, 60, 90, 120, 200, 500])
def test_within_the_quiet_radius_every_fix_is_sure(phase: Phase, inradius_m: float) -> None:
    margin_m = v.margin_m(inradius_m)
    sign, side = (-1, Side.IN) if phase is Phase.IN else (1, Side.OUT)
    looked = 0
    for accuracy_m in (None, 8.0, 15.0, 30.0, 60.0):
        for away_m in np.linspace(10, inradius_m if phase is Phase.IN else 500, 20):
            quiet_m = v.quiet_m(sign * away_m, accuracy_m, margin_m, inradius_m)
            for moved_m in np.linspace(0, quiet_m, 5) if quiet_m else ():
                said = v.verdict(sign * (away_m - moved_m), accuracy_m, inradius_m, margin_m, phase)
                assert said.side is side
                looked += 1
    assert looked or inradius_m < 30


def test_many_probabilities_are_those_of_each() -> None:
    distances: Floats = np.linspace(-300, 300, 61)
    accuracies: Floats = np.tile(np.array([8.0, 40, 500, 3, np.nan]), 13)[:61]
    said = v.probabilities_inside(distances, accuracies, 90)
    each = [
        v.probability_inside(d, None if math.isnan(a) else a, 90)
        for d, a in zip(distances.tolist(), accuracies.tolist(), strict=True)
    ]
    assert said == pytest.approx(np.array(each), abs=1e-6)
