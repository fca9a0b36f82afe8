"""What one fix says of one fence: in, out or unsure, from the distance to the edge and the fix's accuracy.

The error of a fix is taken as Gaussian, alike in both directions, and its accuracy as the radius that holds
68 % of fixes: 1.5096 sigma (Rayleigh distribution; Android `Location.getAccuracy`). The starred numbers were
chosen with `tracker bench truth` on seeds other than those it quotes.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tracker.domain.crossing import Phase, Side
from tracker.domain.plausibility import UNSAID_ACCURACY_M
from tracker.geofence.shapes._shape import Floats

ACCURACY_LEAST_M = 8.0  # *
"""Receivers flatter themselves: nothing is believed to be more exact than this."""
CAP_M = 1_000.0  # *
"""The most that accuracy counts for in weak evidence, so that a bad receiver mutes no exit for ever."""
WEAK_SHARE = 1 / 3
"""Of the accuracy, in weak evidence: a phone indoors with cell fixes 500 m off must not "leave"."""
IN_AT, OUT_AT = 0.85, 0.10  # *
STRONG_AT = 0.995  # *
STRONG_ACCURACY_M = 50.0
SMALL = 1.5
"""A fence of less than this many accuracies' inradius can never be surely entered: see `verdict`."""
SMALL_SHARE, SMALL_LEAST = 0.8, 0.15
SPOT_SIGMAS, PLANE_SIGMAS = 0.5, 2.0
"""An inradius up to the one makes a fence a spot for the fix's error, from the other on a half-plane."""
SURE_ACCURACIES, LARGE = 1.45, 2.0
"""So many accuracies from the edge a fix is sure of either side of any fence (1.42 out of a spot), and one is
enough where the inradius is `LARGE` of them (0.85 out of a half-plane, 0.87 into a disc)."""
MARGIN_LEAST_M, MARGIN_MOST_M, MARGIN_SHARE = 5.0, 30.0, 0.1
R68_SIGMAS = 1.5096
"""sqrt(-2 ln 0.32): Rayleigh's 68 % quantile."""

_SQRT_HALF = math.sqrt(0.5)
_FAR_SIGMAS = 6.0
_LARGE_SIGMAS = 12.0


class Verdict(NamedTuple):
    """A fix's side, the probability that the device was inside, and whether the fix weighs as strong."""

    side: Side
    probability: float
    strong: bool


def counted_m(accuracy_m: float | None) -> float:
    """Return the accuracy that is reckoned with: 25 m where none is told, never under 8 m."""
    if accuracy_m is None:
        return UNSAID_ACCURACY_M
    # What is no number compares false and counts as 8 m, as a receiver's 0 does.
    return accuracy_m if accuracy_m > ACCURACY_LEAST_M else ACCURACY_LEAST_M


def weak_accuracy_m(accuracy_m: float | None) -> float:
    """Return the accuracy as weak evidence reckons with it: a third, from 8 m to 1 km."""
    return max(ACCURACY_LEAST_M, min(counted_m(accuracy_m) * WEAK_SHARE, CAP_M))


def margin_m(inradius_m: float) -> float:
    """Return how far outside its edge a fence is left: a tenth of its inradius, 5 to 30 m."""
    return max(MARGIN_LEAST_M, min(MARGIN_SHARE * inradius_m, MARGIN_MOST_M))


def probability_inside(distance_m: float, accuracy_m: float | None, inradius_m: float) -> float:
    """Return how probable it is, 0..1, that a device `distance_m` from the edge (negative inside) is inside.

    The fence is taken as a disc of `inradius_m`, of which the Gaussian holds 1 - Q1(a / sigma, r / sigma)
    (Marcum 1950): by Sankaran's approximation of the noncentral chi-square distribution (Biometrika 46,
    1959), within 0.015. A fix in the very middle of a small fence says no more than
    1 - exp(-r^2 / 2 sigma^2). Far larger fences are half-planes with the edge's bend to first order.
    """
    sigma_m = counted_m(accuracy_m) / R68_SIGMAS
    ratio = inradius_m / sigma_m
    if ratio > _LARGE_SIGMAS:
        return 0.5 * math.erfc((distance_m / sigma_m + 0.5 / ratio) * _SQRT_HALF)
    if distance_m > _FAR_SIGMAS * sigma_m:
        return 0.0
    away = max(0.0, distance_m / sigma_m + ratio)
    best = 1.0 - math.exp(-0.5 * ratio * ratio)
    return min(best, 0.5 * math.erfc(-_sankaran(away * away, ratio) * _SQRT_HALF)) if away else best


def _sankaran(noncentrality: float, ratio: float) -> float:
    """Return the normal deviate of a noncentral chi-square with 2 degrees of freedom at `ratio` squared."""
    one, two = 2 + noncentrality, 2 + 2 * noncentrality
    h = 1 - 2 / 3 * one * (2 + 3 * noncentrality) / (two * two)
    p = two / (one * one)
    m = (h - 1) * (1 - 3 * h)
    mean = 1 + h * p * (h - 1 - 0.5 * (2 - h) * m * p)
    return (math.pow(ratio * ratio / one, h) - mean) / (h * math.sqrt(2 * p) * (1 + 0.5 * m * p))


def verdict(
    distance_m: float, accuracy_m: float | None, inradius_m: float, margin_m: float, phase: Phase
) -> Verdict:
    """Return what a fix `distance_m` from the edge (negative inside) says of a device in `phase`.

    A device that is in is out only beyond the edge moved out by `margin_m`. A fence small for the fix's
    accuracy is entered by a fix that lies in it and is nearly as sure as any fix can be; it is never strong.
    """
    return _said(distance_m, accuracy_m, inradius_m, margin_m, phase, seems_so_far)


def _said(
    distance_m: float,
    accuracy_m: float | None,
    inradius_m: float,
    margin_m: float,
    phase: Phase,
    is_inside: Callable[[float, float, float], float],
) -> Verdict:
    accuracy = counted_m(accuracy_m)
    edge_m = distance_m - margin_m if phase is Phase.IN else distance_m
    if edge_m > _FAR_SIGMAS * accuracy:
        return _FAR_STRONG if accuracy <= STRONG_ACCURACY_M else _FAR_OUT
    probability = probability_inside(distance_m, accuracy, inradius_m)
    if probability >= IN_AT:
        return Verdict(Side.IN, probability, probability >= STRONG_AT and accuracy <= STRONG_ACCURACY_M)
    if distance_m <= 0 and inradius_m < SMALL * accuracy:
        best = probability_inside(-math.inf, accuracy, inradius_m)
        if best >= SMALL_LEAST and probability >= SMALL_SHARE * best:
            return Verdict(Side.IN, probability, False)
    # How small a fence is for a poor fix is no evidence that a device has left it.
    moved = is_inside(edge_m, accuracy, inradius_m)
    if moved <= OUT_AT:
        return Verdict(Side.OUT, probability, moved <= 1 - STRONG_AT and accuracy <= STRONG_ACCURACY_M)
    return Verdict(Side.UNSURE, probability, False)


def seems_so_far(edge_m: float, accuracy_m: float, inradius_m: float) -> float:
    """Return how probable it is, 0..1, that the error takes a device inside `edge_m` beyond the edge.

    Of a large fence only the error across the edge counts: a half-plane. Of one that is a spot for the fix it
    is an error of any direction: Rayleigh's exp(-d^2 / 2 sigma^2); by the half-plane an honest fix of 1,500 m
    of a child at home was "surely out" in two of five cases. Between them, their mean by the inradius.
    """
    plane = _beyond_edge(edge_m, accuracy_m, inradius_m)
    ratio = inradius_m * R68_SIGMAS / accuracy_m
    if ratio >= PLANE_SIGMAS or edge_m <= 0:
        return plane
    away = edge_m * R68_SIGMAS / accuracy_m
    spot = min(1.0, (PLANE_SIGMAS - ratio) / (PLANE_SIGMAS - SPOT_SIGMAS))
    return plane + (math.exp(-0.5 * away * away) - plane) * spot


def _beyond_edge(edge_m: float, accuracy_m: float, _inradius_m: float) -> float:
    return probability_inside(edge_m, accuracy_m, math.inf)


_FAR_OUT, _FAR_STRONG = Verdict(Side.OUT, 0.0, False), Verdict(Side.OUT, 0.0, True)


def weak_side(
    distance_m: float, accuracy_m: float | None, inradius_m: float, margin_m: float, phase: Phase
) -> Side:
    """Return the side that a fix speaks for weakly: as `verdict`, by `weak_accuracy_m` and the edge alone."""
    accuracy = weak_accuracy_m(accuracy_m)
    return _said(distance_m, accuracy, inradius_m, margin_m, phase, _beyond_edge).side


def sure_m(accuracy_m: float, inradius_m: float) -> float:
    """Return how far from the edge every fix of this accuracy is sure of its side."""
    return accuracy_m if inradius_m >= LARGE * accuracy_m else SURE_ACCURACIES * accuracy_m


def quiet_m(distance_m: float, accuracy_m: float | None, margin_m: float, inradius_m: float) -> float:
    """Return how far a device may go, fixes being no less accurate, with every fix as sure of its side; or 0.

    The distance is 1-Lipschitz and a side is sure at `sure_m` from the edge: this is a lower bound.
    """
    return max(0.0, abs(distance_m) - margin_m - sure_m(counted_m(accuracy_m), inradius_m))


def probabilities_inside(distances_m: Floats, accuracies_m: Floats, inradius_m: float) -> Floats:
    """Return `probability_inside` of many fixes of one fence, within 2e-7 of it.

    An accuracy of NaN is one that was not told.
    """
    sigmas = counted(accuracies_m) / R68_SIGMAS
    ratios = inradius_m / sigmas
    away = np.maximum(0.0, distances_m / sigmas + ratios)
    far = away * away
    one, two = 2 + far, 2 + 2 * far
    h = 1 - 2 / 3 * one * (2 + 3 * far) / (two * two)
    p = two / (one * one)
    m = (h - 1) * (1 - 3 * h)
    mean = 1 + h * p * (h - 1 - 0.5 * (2 - h) * m * p)
    deviates = ((ratios * ratios / one) ** h - mean) / (h * np.sqrt(2 * p) * (1 + 0.5 * m * p))
    best = -np.expm1(-0.5 * ratios * ratios)
    discs = np.where(away == 0, best, np.minimum(best, _phi(deviates)))
    halves = _phi(-(distances_m / sigmas + 0.5 / ratios))
    found: Floats = np.where(ratios > _LARGE_SIGMAS, halves, discs)
    return found


def counted(accuracies_m: Floats) -> Floats:
    """Return `counted_m` of many; NaN is one that was not told."""
    told: Floats = np.where(np.isnan(accuracies_m), UNSAID_ACCURACY_M, accuracies_m)
    return np.maximum(told, ACCURACY_LEAST_M)


def _phi(x: Floats) -> Floats:
    """Return the normal distribution, within 2e-7 (Abramowitz and Stegun 7.1.26)."""
    z = np.abs(x) * _SQRT_HALF
    t = 1 / (1 + 0.3275911 * z)
    terms = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
    series = np.zeros_like(t)
    for term in reversed(terms):
        series = (series + term) * t
    tail = 0.5 * series * np.exp(-z * z)
    found: Floats = np.where(x < 0, tail, 1 - tail)
    return found
