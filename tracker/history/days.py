"""Local days: what a track tells of each (docs/history.md, "Days")."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tracker.history import distance
from tracker.history.gaps import after_silences
from tracker.history.trips import History


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One local day by its fullest device; moments in epoch seconds, the counts are of that device.

    Trips and gaps count on the day they begin, stops on each day they touch.
    """

    date: date
    started_at: float
    ended_at: float
    device_id: str
    device_count: int
    first_at: float
    last_at: float
    distance_m: float
    unknown_direct_m: float
    moving_s: float
    stopped_s: float
    unknown_s: float
    trip_count: int
    stop_count: int
    gap_count: int
    position_count: int
    outlier_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CoarseDay:
    """What is known of a local day without reading its positions: how many, and the first and last moment.

    By the device with the most, of `device_count` that told anything; moments in epoch seconds.
    """

    date: date
    started_at: float
    ended_at: float
    device_id: str
    device_count: int
    first_at: float
    last_at: float
    position_count: int


def local_days(since: datetime, until: datetime, zone: ZoneInfo) -> list[tuple[date, float, float]]:
    """Return each local day that since <= t < until touches, with its start and end in epoch seconds.

    A day begins at the first moment of its date: where clocks skip midnight, at the first there is.
    """
    day = since.astimezone(zone).date()
    last = (until - timedelta(microseconds=1)).astimezone(zone).date()
    found = []
    while day <= last:
        found.append((day, _start(day, zone), _start(day + timedelta(days=1), zone)))
        day += timedelta(days=1)
    return found


def _start(day: date, zone: ZoneInfo) -> float:
    return datetime.combine(day, time(), zone).astimezone(UTC).timestamp()


def days_of(histories: Mapping[str, History], spans: Sequence[tuple[date, float, float]]) -> list[Day]:
    """Return the days on which any device told something, by the device that tells most of each."""
    silences = {device_id: _silences(history) for device_id, history in histories.items()}
    moments = {device_id: [fix.recorded_at for fix in told.track] for device_id, told in histories.items()}
    found = []
    for span in spans:
        told = [
            day
            for device_id, history in histories.items()
            if (day := _day(device_id, history, moments[device_id], silences[device_id], span)) is not None
        ]
        if told:
            fullest = max(
                told, key=lambda day: (day.stopped_s + day.moving_s, day.position_count, day.device_id)
            )
            found.append(replace(fullest, device_count=len(told)))
    return found


def _silences(history: History) -> list[tuple[float, float]]:
    believed = history.believed
    return [
        (believed[number - 1].recorded_at, believed[number].recorded_at)
        for number in after_silences(believed)
    ]


def _day(
    device_id: str,
    history: History,
    moments: Sequence[float],
    silences: Sequence[tuple[float, float]],
    span: tuple[date, float, float],
) -> Day | None:
    day, start, end = span
    first, behind = bisect_left(moments, start), bisect_left(moments, end)
    if first == behind:
        return None
    known_m = moving_s = 0.0
    for trip in history.trips:
        if trip.started_at < end and trip.ended_at > start:
            part_m, part_s = distance.within(trip.way, start, end)
            way_m = trip.way[-1].distance_m
            known_m += part_m * (trip.distance_m / way_m if way_m else 1.0)
            moving_s += part_s
    stops = [stop for stop in history.stops if stop.started_at < end and stop.ended_at > start]
    stopped_s = 0.0
    for stop in stops:
        begun, over = max(start, stop.started_at), min(end, stop.ended_at)
        stopped_s += over - begun - sum(_overlap_s(silence, begun, over) for silence in silences)
    begun_gaps = [gap for gap in history.gaps if start <= gap.start.recorded_at < end]
    return Day(
        date=day,
        started_at=start,
        ended_at=end,
        device_id=device_id,
        device_count=1,
        first_at=moments[first],
        last_at=moments[behind - 1],
        distance_m=known_m,
        unknown_direct_m=sum(gap.direct_m for gap in begun_gaps),
        moving_s=moving_s,
        stopped_s=stopped_s,
        unknown_s=sum(_overlap_s(silence, start, end) for silence in silences),
        trip_count=sum(start <= trip.started_at < end for trip in history.trips),
        stop_count=len(stops),
        gap_count=len(begun_gaps),
        position_count=behind - first,
        outlier_count=sum(first <= number < behind for number in history.wrong),
    )


def _overlap_s(silence: tuple[float, float], start: float, end: float) -> float:
    return max(0.0, min(end, silence[1]) - max(start, silence[0]))
