"""What the calls of the history share: the span asked for, keys of their lists, trips and stops as shown."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from tracker.domain.errors import Invalid
from tracker.domain.position import EARLIEST
from tracker.history import service
from tracker.history.gaps import Gap
from tracker.history.stops import Stop
from tracker.history.trips import History, Trip
from tracker.web.api._keyset import cut, moment_and_id_of, moment_cursor
from tracker.web.context import application, here
from tracker.web.geojson import rfc3339
from tracker.web.models import HistoryQuery

UNSAID_SPAN = timedelta(hours=24)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)

Item = TypeVar("Item", Trip, Stop, Gap)


def moment_of(epoch_s: float) -> datetime:
    """Return epoch seconds as a moment."""
    return datetime.fromtimestamp(epoch_s, UTC)


def seconds(length_s: float) -> float:
    """Return a length of time without the noise of its floating point."""
    return round(length_s, 3)


def metres(length_m: float) -> float:
    """Return a length to the decimetre, beyond which no fix tells anything."""
    return round(length_m, 1)


def point(lat: float, lon: float) -> dict[str, Any]:
    """Return a place as GeoJSON, to about a decimetre."""
    return {"type": "Point", "coordinates": [round(lon, 6), round(lat, 6)]}


def span(since: datetime | None, until: datetime | None, unsaid: timedelta) -> tuple[datetime, datetime]:
    """Return the span asked for: until now, and `unsaid` before that, if not said.

    It is cut to the years that positions can be of, so that nothing reckoned from it leaves the calendar.

    Raises:
        Invalid: it ends before it begins.
    """
    until = min(max(until or here().now, EARLIEST), _LATEST)
    since = max(since or until - unsaid, EARLIEST)
    if until <= since:
        raise Invalid(("to", "must be later than from"))
    return since, until


def listed(
    asked: HistoryQuery,
    of_history: Callable[[History], Sequence[Item]],
    bounds: Callable[[Item], tuple[float, float]],
    shown: Callable[[History, Item], dict[str, Any]],
) -> dict[str, Any]:
    """Return a page of what the subject's devices tell, oldest first, that overlaps the span asked for.

    `bounds` gives the start and end of an item in epoch seconds.
    """
    since, until = span(asked.since, asked.until, UNSAID_SPAN)
    behind = moment_and_id_of(asked.after)
    told = service.histories(
        here().access,
        asked.subject_id,
        since=since,
        until=until,
        apart=application().apart,
        device_id=asked.device_id,
    )
    found = []
    for device_id, history in told.items():
        for item in of_history(history):
            started_at, ended_at = (moment_of(epoch_s) for epoch_s in bounds(item))
            key = (started_at, device_id)
            if ended_at > since and started_at < until and (behind is None or key > behind):
                found.append((key, history, item))
    found.sort(key=lambda each: each[0])
    page, after = cut(found[: asked.limit + 1], asked.limit, lambda each: moment_cursor(*each[0]))
    items = [
        {
            "subject_id": asked.subject_id,
            "device_id": key[1],
            "start_at": rfc3339(key[0]),
            "end_at": rfc3339(moment_of(bounds(item)[1])),
            **shown(history, item),
        }
        for key, history, item in page
    ]
    return {"items": items, "next": after}
