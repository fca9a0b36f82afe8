"""Fences around real cats: what rules tell of the raw fixes, beside the study's own filtered paths.

The place is a circle around the middle of an animal's true fixes. The study tells no accuracies.
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from benchmarks._ground_truth import Place, TrueCrossing, true_crossings
from benchmarks._noise import Seen
from benchmarks._peer_rules import Rule, Told
from benchmarks._truth_outliers import Track, pets
from tracker.domain.geo import EARTH_RADIUS_M

RADIUS_M = 60.0
BREAK_S = 1800.0
"""Over longer silences nobody knows when an edge was crossed: the days are cut there."""
LEAST_FIXES = 10
CLEAR_M = 50.0
"""The filtered path errs like any: the study's receivers tell no accuracy, which is twice the usual 25 m."""


class _Score(Protocol):
    days: float

    def add(self, told: Sequence[Told], wanted: Sequence[Any]) -> None: ...


S = TypeVar("S", bound=_Score)


def judged(
    rules: Mapping[str, Rule],
    new: Callable[[], S],
    matched: Callable[[Sequence[TrueCrossing], Sequence[Seen]], Sequence[Any]],
) -> dict[str, S]:
    """Return every rule's score; `matched` gives true crossings their windows."""
    scores = {name: new() for name in rules}
    for track in pets().values():
        place, stretches = _stretches(track)
        for seen, path in stretches:
            wanted = matched(true_crossings(path, (place,), clear_m=CLEAR_M), seen)
            for name, rule in rules.items():
                scores[name].days += (seen[-1].at_s - seen[0].at_s) / 86_400
                scores[name].add(rule(seen, place), wanted)
    return scores


def _stretches(track: Track) -> tuple[Place, list[tuple[list[Seen], list[tuple[float, float, float]]]]]:
    fixes, flags = track
    true = [fix for fix, flag in zip(fixes, flags, strict=True) if not flag]
    lat, lon = statistics.median(fix.lat for fix in true), statistics.median(fix.lon for fix in true)
    degree_m = math.radians(1) * EARTH_RADIUS_M
    wide_m = degree_m * math.cos(math.radians(lat))
    found = []
    current: list[tuple[Seen, bool]] = []
    for fix, flag in zip(fixes, flags, strict=True):
        seen = Seen(
            fix.recorded_at, fix.recorded_at, (fix.lon - lon) * wide_m, (fix.lat - lat) * degree_m, None
        )
        if current and fix.recorded_at - current[-1][0].at_s > BREAK_S:
            found.append(current)
            current = []
        current.append((seen, flag))
    found.append(current)
    stretches = []
    for stretch in found:
        path = [(seen.at_s, seen.x, seen.y) for seen, flag in stretch if not flag]
        if len(path) >= LEAST_FIXES:
            stretches.append(([seen for seen, _ in stretch], path))
    return Place(0.0, 0.0, RADIUS_M), stretches
