"""One local day of a subject as the history page tells it, from the positions of one device. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tracker.history.days import Day
from tracker.history.gaps import SILENCE_S
from tracker.history.trips import History
from tracker.store.access import PositionRow

BELIEVED, WRONG, COARSE, AFTER_GAP = range(4)
"""How a point of the map is drawn: on the line, beside it as impossible or as too vague, or behind a gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A stretch of the day in epoch seconds: a trip, a stop, a gap, or time of which nothing is known.

    `lat` and `lon` are a stop's. `distance_m` is a trip's own, or what a gap is at least. `unknown_s` is the
    part of a stop without reports.
    """

    kind: Literal["trip", "stop", "gap", "unknown"]
    started_at: float
    ended_at: float
    lat: float | None = None
    lon: float | None = None
    distance_m: float | None = None
    max_speed_mps: float | None = None
    moving_s: float | None = None
    unknown_s: float = 0.0

    @property
    def duration_s(self) -> float:
        """How long it lasted."""
        return self.ended_at - self.started_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What is known of a day: `items` by time, `points` as history.js draws them, and sums within the day.

    A point is [epoch seconds, lat, lon, accuracy_m, speed_mps, battery_pct, how it is drawn], None unknown.
    `unknown_s` is the time in gaps and without reports, `beyond_m` what the gaps are at least, straight.
    """

    items: tuple[Item, ...]
    points: tuple[list[Any], ...]
    distance_m: float
    moving_s: float
    unknown_s: float
    beyond_m: float
    wrong: int


def story_of(
    rows: Sequence[PositionRow], told: History, day: Day | None, *, since: float, until: float, now: float
) -> Story:
    """Return what one device tells of the day `since` <= moment < `until` (epoch seconds).

    `rows` are the positions that `told` was made of, `day` its sums, None if nothing was reported. Trips and
    stops that reach over midnight are told whole.
    """
    items = sorted(
        (item for item in _items(told) if item.ended_at > since and item.started_at < until),
        key=lambda item: (item.started_at, item.ended_at),
    )
    items = _with_unknown(items, since, min(until, now))
    return Story(
        items=tuple(items),
        points=tuple(_points(told, rows, since, until)),
        distance_m=day.distance_m if day else 0.0,
        moving_s=day.moving_s if day else 0.0,
        unknown_s=sum(_unknown_s(item, since, until) for item in items),
        beyond_m=sum(item.distance_m or 0.0 for item in items if item.kind == "gap"),
        wrong=day.outlier_count if day else 0,
    )


def _items(told: History) -> Iterable[Item]:
    for trip in told.trips:
        yield Item(
            kind="trip",
            started_at=trip.started_at,
            ended_at=trip.ended_at,
            distance_m=trip.distance_m,
            max_speed_mps=trip.max_speed_mps,
            moving_s=trip.moving_s,
        )
    for stop in told.stops:
        yield Item(
            kind="stop",
            started_at=stop.started_at,
            ended_at=stop.ended_at,
            lat=stop.lat,
            lon=stop.lon,
            unknown_s=stop.unknown_s,
        )
    for gap in told.gaps:
        yield Item(
            kind="gap",
            started_at=gap.start.recorded_at,
            ended_at=gap.end.recorded_at,
            distance_m=gap.direct_m,
        )


def _with_unknown(items: Sequence[Item], since: float, until: float) -> list[Item]:
    """Return the items with what none of them covers for more than 20 minutes: nothing is known of it."""
    whole: list[Item] = []
    covered = since
    for item in items:
        if item.started_at - covered > SILENCE_S:
            whole.append(Item(kind="unknown", started_at=covered, ended_at=item.started_at))
        whole.append(item)
        covered = max(covered, item.ended_at)
    if until - covered > SILENCE_S:
        whole.append(Item(kind="unknown", started_at=covered, ended_at=until))
    return whole


def _unknown_s(item: Item, since: float, until: float) -> float:
    if item.kind in {"gap", "unknown"}:
        return max(0.0, min(item.ended_at, until) - max(item.started_at, since))
    return item.unknown_s


def _points(told: History, rows: Iterable[PositionRow], since: float, until: float) -> Iterable[list[Any]]:
    known = {row.recorded_at: row for row in rows}
    behind_gap = {gap.end.recorded_at for gap in told.gaps}
    for number, fix in enumerate(told.track):
        if not since <= fix.recorded_at < until:
            continue
        drawn = BELIEVED
        if number in told.wrong:
            drawn = WRONG
        elif number in told.coarse:
            drawn = COARSE
        elif fix.recorded_at in behind_gap:
            drawn = AFTER_GAP
        yield [
            round(fix.recorded_at, 3),
            round(fix.lat, 6),
            round(fix.lon, 6),
            _short(fix.accuracy_m),
            _short(fix.speed_mps),
            _short(known[fix.recorded_at].battery_pct),
            drawn,
        ]


def _short(number: float | None) -> float | None:
    return None if number is None else round(number, 1)
