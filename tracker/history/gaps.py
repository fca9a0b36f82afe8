"""Gaps: where nothing is known of the way a device went (docs/history.md, "Gaps")."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Protocol, TypeVar

from tracker.domain import plausibility
from tracker.history.track import Fix, between_m, brisk

SILENCE_S = 20 * 60.0
"""A silence longer than this hides the way: OwnTracks at rest tells its place every 15 minutes."""
SAME_PLACE_M = 60.0
"""Both ends of a silence within this are one place: no way is missing, only time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The way from one fix to the next is unknown; it was at least `direct_m` long.

    `silence`: the device told nothing for long and was elsewhere afterwards. `jump`: it was too far too soon,
    and further fixes confirm it.
    """

    start: Fix
    end: Fix
    direct_m: float
    reason: Literal["silence", "jump"]

    @property
    def duration_s(self) -> float:
        """How long nothing was told."""
        return self.end.recorded_at - self.start.recorded_at


class _Timed(Protocol):
    @property
    def recorded_at(self) -> float: ...


TimedT = TypeVar("TimedT", bound=_Timed)


def between_silences(items: Sequence[TimedT]) -> list[Sequence[TimedT]]:
    """Return the stretches of a sequence by time within which no silence is longer than `SILENCE_S`."""
    return [
        items[start:end] for start, end in pairwise([0, *after_silences(items), len(items)]) if start < end
    ]


def after_silences(items: Sequence[_Timed]) -> list[int]:
    """Return the numbers of the items of a sequence by time that end a silence longer than `SILENCE_S`."""
    moments = [item.recorded_at for item in items]
    return [
        number for number, (start, end) in enumerate(pairwise(moments), start=1) if end - start > SILENCE_S
    ]


def gaps(believed: Sequence[Fix]) -> dict[int, Gap]:
    """Return the gaps of an ordered track without outliers, each by the number of the fix that ends it."""
    found: dict[int, Gap] = {}
    for number in sorted({*after_silences(believed), *brisk(believed, plausibility.FASTEST_MPS)}):
        start, end = believed[number - 1], believed[number]
        lasted_s = end.recorded_at - start.recorded_at
        reason: Literal["silence", "jump"] | None = None
        direct_m = between_m(start, end)
        if lasted_s > SILENCE_S:
            reason = "silence" if direct_m > SAME_PLACE_M else None
        elif direct_m > plausibility.FASTEST_MPS * lasted_s and _jumps(believed, number):
            reason = "jump"
        if reason:
            found[number] = Gap(start=start, end=end, direct_m=direct_m, reason=reason)
    return found


def _jumps(believed: Sequence[Fix], number: int) -> bool:
    """Tell whether the leg that ends at a fix is impossible, on the ground and as a part of a flight."""
    around = [_plain(fix) for fix in believed[max(0, number - 2) : number + 2]]
    at = min(number, 2)
    if plausibility.can_follow(around[at - 1], around[at]):
        return False
    triples = zip(around, around[1:], around[2:], strict=False)
    return not any(plausibility.can_fly(*triple) for triple in triples if around[at] in triple[1:])


def _plain(fix: Fix) -> plausibility.Fix:
    return plausibility.Fix(fix.recorded_at, fix.lat, fix.lon, fix.accuracy_m)
