"""The days of the history."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apiflask import APIBlueprint

from tracker.domain.errors import Invalid
from tracker.history import service
from tracker.history.days import Day, days_of, local_days
from tracker.web.answers import DayList
from tracker.web.api._history import metres, moment_of, seconds, span
from tracker.web.api._keyset import cursor, cut, parts_of
from tracker.web.context import here
from tracker.web.geojson import rfc3339
from tracker.web.models import DayQuery

BLUEPRINT = APIBlueprint("api-days", __name__, url_prefix="/api/v1/days", tag="History")

UNSAID_SPAN = timedelta(days=7)


@BLUEPRINT.get("")
@BLUEPRINT.input(DayQuery, location="query")
@BLUEPRINT.output(DayList)
def index(query_data: DayQuery) -> dict[str, Any]:
    """Sum up the local days that from <= t < to touches and that have positions, oldest first

    Each by the device that tells most of it. Definitions: docs/history.md.
    """
    since, until = span(query_data.since, query_data.until, UNSAID_SPAN)
    behind = parts_of(query_data.after, 1)[0] if query_data.after else ""
    spans = local_days(since, until, _zone(query_data.tz))
    told = service.histories(
        here().access, query_data.subject_id, since=moment_of(spans[0][1]), until=moment_of(spans[-1][2])
    )
    found = [day for day in days_of(told, spans) if day.date.isoformat() > behind]
    page, after = cut(found, query_data.limit, lambda day: cursor(day.date.isoformat()))
    return {"items": [_shown(query_data.subject_id, day) for day in page], "next": after}


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Invalid(("tz", "is no time zone of the IANA database")) from None


def _shown(subject_id: str, day: Day) -> dict[str, Any]:
    return {
        "date": day.date.isoformat(),
        "start_at": rfc3339(moment_of(day.started_at)),
        "end_at": rfc3339(moment_of(day.ended_at)),
        "subject_id": subject_id,
        "device_id": day.device_id,
        "device_count": day.device_count,
        "first_at": rfc3339(moment_of(day.first_at)),
        "last_at": rfc3339(moment_of(day.last_at)),
        "distance_m": metres(day.distance_m),
        "unknown_direct_m": metres(day.unknown_direct_m),
        "moving_s": seconds(day.moving_s),
        "stopped_s": seconds(day.stopped_s),
        "unknown_s": seconds(day.unknown_s),
        "trip_count": day.trip_count,
        "stop_count": day.stop_count,
        "gap_count": day.gap_count,
        "position_count": day.position_count,
        "outlier_count": day.outlier_count,
    }
