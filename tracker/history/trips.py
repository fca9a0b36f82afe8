"""Trips: what lies between stops and gaps; and the whole history of one track (docs/history.md, "Trips")."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from tracker.history import distance
from tracker.history.distance import Mark
from tracker.history.gaps import Gap, gaps
from tracker.history.outliers import BY_ANY_MEANS, SpeedScale, outliers
from tracker.history.stops import RADIUS_M, Ground, Stop, join, slack_m, stops
from tracker.history.track import Fix, apart_m, is_coarse, ordered

LEAST_REACH_M = 100.0
"""A trip leads at least this far from where it began, accuracies aside; less is a wander around a place."""

Neighbour = Literal["stop", "gap", "nothing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """A way from the fix numbered `first` to the one numbered `last` of the believed track.

    It begins and ends at the middle of a stop, if that is its neighbour. `way` tells how it grew;
    `distance_m` is the odometer's where that can be right, else the way's.
    """

    first: int
    last: int
    started_at: float
    ended_at: float
    start: tuple[float, float]
    end: tuple[float, float]
    starts_after: Neighbour
    ends_before: Neighbour
    distance_m: float
    distance_source: Literal["positions", "odometer"]
    max_speed_mps: float | None
    position_count: int
    way: tuple[Mark, ...]

    @property
    def duration_s(self) -> float:
        """How long it took."""
        return self.ended_at - self.started_at

    @property
    def moving_s(self) -> float:
        """How long of that it moved."""
        return self.way[-1].moving_s


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What a track tells.

    `track` is all of it in order, `wrong` and `coarse` number the fixes in it that are not used, and
    `believed` are the others, which stops and trips number.
    """

    track: tuple[Fix, ...]
    believed: tuple[Fix, ...]
    wrong: frozenset[int]
    coarse: frozenset[int]
    trips: tuple[Trip, ...]
    stops: tuple[Stop, ...]
    gaps: tuple[Gap, ...]


def history_of(fixes: Iterable[Fix], scale: SpeedScale = BY_ANY_MEANS) -> History:
    """Return what the fixes of one device tell, the same for any order, repetition or batches of them."""
    track = ordered(fixes)
    coarse = {number for number, fix in enumerate(track) if is_coarse(fix)}
    sure = [number for number in range(len(track)) if number not in coarse]
    flags = outliers([track[number] for number in sure], scale)
    wrong = {number for number, flag in zip(sure, flags, strict=True) if flag}
    believed = [track[number] for number in sure if number not in wrong]
    breaks = gaps(believed)
    bounds = [0, *sorted(breaks), len(believed)]
    ground = Ground(believed)
    found: list[Stop] = []
    for start, end in pairwise(bounds):
        found += stops(ground, start, end)
    found = _across_gaps(ground, found, breaks)
    return History(
        track=tuple(track),
        believed=tuple(believed),
        wrong=frozenset(wrong),
        coarse=frozenset(coarse),
        trips=tuple(_trips(believed, found, breaks)),
        stops=tuple(found),
        gaps=tuple(breaks[number] for number in sorted(breaks)),
    )


def _across_gaps(ground: Ground, found: Sequence[Stop], breaks: dict[int, Gap]) -> list[Stop]:
    """Join the stops on both sides of a silence at one place; then there is no gap, only unknown time."""
    joined: list[Stop] = []
    for stop in found:
        before = joined[-1] if joined else None
        if (
            before
            and stop.first == before.last + 1
            and stop.first in breaks
            and breaks[stop.first].reason == "silence"
            and apart_m(before.lat, before.lon, stop.lat, stop.lon) <= RADIUS_M
        ):
            del breaks[stop.first]
            joined[-1] = join(ground, before, stop)
        else:
            joined.append(stop)
    return joined


def _trips(believed: Sequence[Fix], found: Sequence[Stop], breaks: dict[int, Gap]) -> list[Trip]:
    """Return the trips between stops and gaps, by time."""
    trips = []
    bounds = [0, *sorted(breaks), len(believed)]
    for start, end in pairwise(bounds):
        inside = [stop for stop in found if start <= stop.first < end]
        befores: list[Stop | None] = [None, *inside]
        afters: list[Stop | None] = [*inside, None]
        for before, after in zip(befores, afters, strict=True):
            trip = _trip(
                believed, before.last if before else start, after.first if after else end - 1, before, after
            )
            if trip:
                trips.append(
                    replace(
                        trip,
                        starts_after="stop" if before else "gap" if start else "nothing",
                        ends_before="stop" if after else "gap" if end < len(believed) else "nothing",
                    )
                )
    return trips


def _trip(
    believed: Sequence[Fix], first: int, last: int, before: Stop | None, after: Stop | None
) -> Trip | None:
    if last <= first:
        return None
    fixes = believed[first : last + 1]
    start = (before.lat, before.lon) if before else (fixes[0].lat, fixes[0].lon)
    end = (after.lat, after.lon) if after else (fixes[-1].lat, fixes[-1].lon)
    if all(apart_m(*start, fix.lat, fix.lon) - slack_m(fix) < LEAST_REACH_M for fix in fixes):
        return None
    way = distance.marks(fixes, start, end)
    way_m = way[-1].distance_m
    odometer_m = distance.by_odometer_m(fixes, way_m)
    return Trip(
        first=first,
        last=last,
        started_at=fixes[0].recorded_at,
        ended_at=fixes[-1].recorded_at,
        start=start,
        end=end,
        starts_after="nothing",
        ends_before="nothing",
        distance_m=way_m if odometer_m is None else odometer_m,
        distance_source="positions" if odometer_m is None else "odometer",
        max_speed_mps=distance.top_speed_mps(fixes, way),
        position_count=len(fixes),
        way=tuple(way),
    )
