"""False alerts, missed crossings and delay of our geofences and of others' rules, on the same days.

Days with true paths (benchmarks/_ground_truth.py) are seen through a stated noise (benchmarks/_noise.py) at
three reporting intervals. An alert is true if it is decided from a minute before a true crossing the same way
to ten minutes after the arrival of the first fix behind it, one alert for each; every other one is false. Our
numbers were chosen on the days of even seeds; only odd ones are quoted. The pets are real tracks: their truth
is the study's own filtered path. The outlier rule's own figures follow, as `outlier_*`.
"""

import random
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from benchmarks import _pets, _truth_outliers
from benchmarks._ground_truth import Day, TrueCrossing, days, true_crossings
from benchmarks._noise import Seen, observe
from benchmarks._our_rule import Ours
from benchmarks._peer_rules import PEERS, Rule, Told
from benchmarks._result import Options, Result

INTERVALS_S = (10.0, 60.0, 300.0)
SEEDS = 24
EARLY_S, LATE_S = 60.0, 600.0
OURS = "ours"


class Wanted(NamedTuple):
    """A true crossing, and when an alert is one of it."""

    inside: bool
    due: bool
    at_s: float
    from_s: float
    until_s: float


def wanted_of(truth: Sequence[TrueCrossing], seen: Sequence[Seen]) -> list[Wanted]:
    """Return the crossings of one place with their windows.

    A window opens a minute before, for one that is due at the first shallow crossing the same way since the
    last one that was due, and closes ten minutes after the arrival of the first fix that could tell. A
    crossing whose window the day's end cuts off need not be told.
    """
    found = []
    shallow: dict[bool, float] = {}
    end_s = max(fix.at_s for fix in seen)
    for each in truth:
        arrivals = [max(fix.at_s, fix.arrived_s) for fix in seen if fix.at_s >= each.at_s]
        until_s = min(arrivals, default=each.at_s) + LATE_S
        from_s = min(each.at_s, shallow.get(each.inside, each.at_s)) if each.due else each.at_s
        due = each.due and until_s <= end_s
        found.append(Wanted(each.inside, due, each.at_s, from_s - EARLY_S, until_s))
        if each.due:
            shallow.clear()
        else:
            shallow.setdefault(each.inside, each.at_s)
    return found


@dataclass(slots=True)
class Score:
    """What one rule did: alerts that were false, true crossings it missed, delays of the others."""

    days: float = 0.0
    false: int = 0
    crossings: int = 0
    missed: int = 0
    delays_s: list[float] = field(default_factory=list)

    def add(self, told: Sequence[Told], wanted: Sequence[Wanted]) -> None:
        """Match alerts with crossings, each with the first that is left, those that are due before others."""
        left = list(told)
        for each in sorted(wanted, key=lambda one: not one.due):
            match = next(
                (
                    one
                    for one in left
                    if one.inside == each.inside and each.from_s <= one.at_s <= each.until_s
                ),
                None,
            )
            self.crossings += each.due
            if match is not None:
                left.remove(match)
                self.delays_s += [match.at_s - each.at_s] * each.due
            elif each.due:
                self.missed += 1
        self.false += len(left)

    def merged(self, other: "Score") -> "Score":
        """Return the two together."""
        return Score(
            self.days + other.days,
            self.false + other.false,
            self.crossings + other.crossings,
            self.missed + other.missed,
            [*self.delays_s, *other.delays_s],
        )


Scores = dict[tuple[str, str, float], Score]
"""By rule, scenario and interval."""


class TruthBenchmark:
    """`tracker bench truth`; `size` is how many seeds."""

    name = "truth"

    def run(self, options: Options) -> Result:
        """Judge; the numbers are the same in every run."""
        seeds = [2 * number + 1 for number in range(options.size or SEEDS)]
        rules: dict[str, Rule] = {OURS: Ours()} | PEERS
        scores = judged(rules, seeds)
        figures = _figures(scores, OURS)
        floors: dict[str, float] = {}
        for peer in PEERS:
            floors |= _figures(scores, peer)
        pets = _pets.judged(rules, Score, wanted_of)
        for name, score in pets.items():
            (figures if name == OURS else floors).update(_of(f"{name}_pets", score))
        ratios = _ratios(figures, floors)
        outliers = _truth_outliers.judged()
        return Result(
            name=self.name,
            figures=figures | {f"outlier_{name}": each for name, each in outliers.figures.items()},
            floors=floors | {f"outlier_{name}": each for name, each in outliers.floors.items()},
            ratios=ratios | {f"outlier_{name}": each for name, each in outliers.ratios.items()},
        )


def judged(rules: Mapping[str, Rule], seeds: Sequence[int]) -> Scores:
    """Return every rule's score on the days of these seeds."""
    scores: Scores = defaultdict(Score)
    for seed in seeds:
        for day in days(random.Random(seed)):
            truth = true_crossings(day.path, day.places)
            for interval_s in INTERVALS_S:
                seen = observe(day, interval_s, random.Random(f"{seed} {day.scenario} {interval_s}"))
                _judge_day(scores, rules, day, interval_s, seen, truth)
    return scores


def _judge_day(
    scores: Scores,
    rules: Mapping[str, Rule],
    day: Day,
    interval_s: float,
    seen: Sequence[Seen],
    truth: Sequence[TrueCrossing],
) -> None:
    for name, rule in rules.items():
        score = scores[name, day.scenario, interval_s]
        score.days += 1
        for number, place in enumerate(day.places):
            crossings = [each for each in truth if each.place == number]
            score.add(rule(seen, place), wanted_of(crossings, seen))


def _together(
    scores: Scores, rule: str, *, scenario: str | None = None, interval_s: float | None = None
) -> Score:
    """Return a rule's score on all days, or those of one scenario or interval."""
    found = Score()
    for (name, of_scenario, of_interval_s), score in scores.items():
        if name == rule and scenario in {None, of_scenario} and interval_s in {None, of_interval_s}:
            found = found.merged(score)
    return found


def _figures(scores: Scores, rule: str) -> dict[str, float]:
    figures = _of(rule, _together(scores, rule))
    for interval_s in INTERVALS_S:
        figures |= _of(f"{rule}_every_{interval_s:g}s", _together(scores, rule, interval_s=interval_s))
    for scenario in sorted({scenario for _, scenario, _ in scores}):
        figures |= _of(f"{rule}_{scenario}", _together(scores, rule, scenario=scenario))
    return figures


def _of(name: str, score: Score) -> dict[str, float]:
    figures = {
        f"{name}_false_per_1000_days": round(1000 * score.false / max(score.days, 1e-9), 1),
        f"{name}_missed_pct": round(100 * score.missed / max(score.crossings, 1), 2),
    }
    if len(score.delays_s) > 1:
        cuts = statistics.quantiles(score.delays_s, n=20, method="inclusive")
        figures |= {f"{name}_delay_p50_s": round(cuts[9], 1), f"{name}_delay_p95_s": round(cuts[18], 1)}
    return figures


def _ratios(figures: Mapping[str, float], floors: Mapping[str, float]) -> dict[str, float]:
    """Return how many times fewer false alerts we raise, and how much less we miss, in percent points."""
    ratios: dict[str, float] = {}
    least = 0.5
    for peer in PEERS:
        ours = max(figures[f"{OURS}_false_per_1000_days"], least)
        ratios[f"false_{peer}_to_ours"] = round(floors[f"{peer}_false_per_1000_days"] / ours, 1)
        ratios[f"missed_ours_minus_{peer}_pct"] = round(
            figures[f"{OURS}_missed_pct"] - floors[f"{peer}_missed_pct"], 2
        )
    for interval_s in INTERVALS_S:
        of = f"_every_{interval_s:g}s_delay_p50_s"
        later_s = figures[f"{OURS}{of}"] - floors[f"traccar{of}"]
        ratios[f"delay_later_in_intervals_{interval_s:g}s"] = round(later_s / interval_s, 2)
    return ratios


BENCHMARK = TruthBenchmark()
