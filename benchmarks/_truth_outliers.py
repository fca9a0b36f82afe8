"""Precision and recall of the outlier rule on the flagged fixes of the pets track, beside plain speed limits.

The flags are those of the study (devices/tracks/README.md): by hand or by its own filter. The rule's
numbers were chosen on every second animal (by name, from the first); the others were held out. The peer's
speed limit, which drops what is too fast from the last fix it kept, is given its best value on the whole
file, an advantage the rule does not have. `false_alarms_bus` is the part of the true fixes of a bus that
the pets' rule calls wrong: a cat may ride in one.
"""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from benchmarks._result import Result
from tracker.history.outliers import BY_ANY_MEANS, ON_FOOT, outliers
from tracker.history.track import Fix, between_m, ordered

TRACKS = Path(__file__).parent.parent / "devices" / "tracks"
LIMITS_MPS = (0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 13.0)
CAT_SPRINT_MPS = 13.0
"""What somebody who had not seen the file would set: a house cat sprints at up to 48 km/h."""

Track = tuple[list[Fix], list[bool]]
Rule = Callable[[Sequence[Fix]], list[bool]]


def judged() -> Result:
    """Judge the shipped tracks; the numbers are the same in every run."""
    found = pets()
    names = sorted(found)
    halves = {"chosen_on": names[0::2], "held_out": names[1::2], "all": names}

    def ours(track: Sequence[Fix]) -> list[bool]:
        return outliers(track, ON_FOOT)

    figures: dict[str, float] = {}
    for half, chosen in halves.items():
        figures |= _named(half, _scored(ours, [found[name] for name in chosen]))
    everything = list(found.values())
    best_mps = max(LIMITS_MPS, key=lambda mps: _scored(_limit(mps), everything)[2])
    peer = _limit(best_mps)
    floors = {"best_limit_mps": best_mps}
    for half, chosen in halves.items():
        floors |= _named(f"limit_{half}", _scored(peer, [found[name] for name in chosen]))
    floors |= _named("limit_13mps_all", _scored(_limit(CAT_SPRINT_MPS), everything))
    bus = _bus()
    figures["false_alarms_bus"] = _part_flagged(ours, bus)
    figures["false_alarms_bus_own_rule"] = _part_flagged(lambda each: outliers(each, BY_ANY_MEANS), bus)
    floors["limit_false_alarms_bus"] = _part_flagged(peer, bus)
    ratios = {
        "f1_to_limit_all": figures["f1_all"] / floors["f1_limit_all"],
        "f1_to_limit_held_out": figures["f1_held_out"] / floors["f1_limit_held_out"],
    }
    return Result(name="truth", figures=_short(figures), floors=_short(floors), ratios=_short(ratios))


def pets() -> dict[str, Track]:
    """Return every animal's fixes, and which of them the study flagged."""
    fixes: dict[str, list[Fix]] = defaultdict(list)
    flagged: set[tuple[str, float]] = set()
    with (TRACKS / "pets.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            moment_s = datetime.fromisoformat(row["recorded_at"]).timestamp()
            altitude_m = float(row["altitude_m"]) if row["altitude_m"] else None
            fixes[row["subject"]].append(
                Fix(moment_s, float(row["lat"]), float(row["lon"]), None, altitude_m)
            )
            if row["outlier"] == "true":
                flagged.add((row["subject"], moment_s))
    return {
        name: (track := ordered(found), [(name, fix.recorded_at) in flagged for fix in track])
        for name, found in fixes.items()
    }


def _bus() -> list[list[Fix]]:
    fixes: dict[str, list[Fix]] = defaultdict(list)
    with (TRACKS / "vehicle.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            moment_s = datetime.fromisoformat(row["recorded_at"]).timestamp()
            fixes[row["subject"]].append(Fix(moment_s, float(row["lat"]), float(row["lon"])))
    return [ordered(found) for found in fixes.values()]


def _limit(most_mps: float) -> Rule:
    def rule(track: Sequence[Fix]) -> list[bool]:
        flags = []
        kept: Fix | None = None
        for fix in track:
            too_fast = kept is not None and between_m(kept, fix) > most_mps * max(
                1.0, fix.recorded_at - kept.recorded_at
            )
            flags.append(too_fast)
            kept = kept if too_fast else fix
        return flags

    return rule


def _scored(rule: Rule, tracks: Iterable[Track]) -> tuple[float, float, float]:
    """Return precision, recall and their harmonic mean."""
    found = right = wanted = 0
    for track, truth in tracks:
        flags = rule(track)
        found += sum(flags)
        wanted += sum(truth)
        right += sum(flag and true for flag, true in zip(flags, truth, strict=True))
    return right / max(1, found), right / max(1, wanted), 2 * right / max(1, found + wanted)


def _part_flagged(rule: Rule, tracks: Sequence[Sequence[Fix]]) -> float:
    return sum(sum(rule(track)) for track in tracks) / sum(len(track) for track in tracks)


def _named(suffix: str, scores: tuple[float, float, float]) -> dict[str, float]:
    return {
        f"{name}_{suffix}": value for name, value in zip(("precision", "recall", "f1"), scores, strict=True)
    }


def _short(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in values.items()}
