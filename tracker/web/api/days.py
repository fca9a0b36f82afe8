"""The days of the history."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apiflask import APIBlueprint

from tracker.domain.errors import Invalid
from tracker.history import service
from tracker.history.days import CoarseDay, Day, days_of, local_days
from tracker.web.answers import DayList
from tracker.web.api._history import metres, moment_of, seconds, span
from tracker.web.api._keyset import cursor, cut, parts_of
from tracker.web.context import application, here
from tracker.web.geojson import rfc3339
from tracker.web.models import DayQuery

BLUEPRINT = APIBlueprint("api-days", __name__, url_prefix="/api/v1/days", tag="History")

UNSAID_SPAN = timedelta(days=7)
DETAILED = timedelta(days=31)
UNREAD = dict.fromkeys(
    (
        "distance_m",
        "unknown_direct_m",
        "moving_s",
        "stopped_s",
        "unknown_s",
        "trip_count",
        "stop_count",
        "gap_count",
        "outlier_count",
    )
)


@BLUEPRINT.get("")
@BLUEPRINT.input(DayQuery, location="query")
@BLUEPRINT.output(DayList)
def index(query_data: DayQuery) -> dict[str, Any]:
    """Sum up the local days that from <= t < to touches and that have positions, oldest first

    Each by the device that tells most of it. Of more than 31 days, up to 370, only `detail` coarse is told:
    how many positions, the first and the last; what needs each of them read is null. Definitions:
    docs/history.md.
    """
    since, until = span(query_data.since, query_data.until, UNSAID_SPAN)
    behind = parts_of(query_data.after, 1)[0] if query_data.after else ""
    spans = local_days(since, until, _zone(query_data.tz))
    days = (
        _coarse(query_data.subject_id, spans)
        if until - since > DETAILED
        else _told(query_data.subject_id, spans)
    )
    found = [day for day in days if day["date"] > behind]
    page, after = cut(found, query_data.limit, lambda day: cursor(day["date"]))
    return {"items": page, "next": after}


def _coarse(subject_id: str, spans: Sequence[tuple[date, float, float]]) -> list[dict[str, Any]]:
    days = service.coarse_days(here().access, subject_id, spans)
    return [_framed(subject_id, day) | {"detail": "coarse"} | UNREAD for day in days]


def _told(subject_id: str, spans: Sequence[tuple[date, float, float]]) -> list[dict[str, Any]]:
    since, until = moment_of(spans[0][1]), moment_of(spans[-1][2])
    told = service.histories(here().access, subject_id, since=since, until=until, apart=application().apart)
    return [_framed(subject_id, day) | _sums(day) for day in days_of(told, spans)]


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Invalid(("tz", "is no time zone of the IANA database")) from None


def _framed(subject_id: str, day: Day | CoarseDay) -> dict[str, Any]:
    return {
        "date": day.date.isoformat(),
        "start_at": rfc3339(moment_of(day.started_at)),
        "end_at": rfc3339(moment_of(day.ended_at)),
        "subject_id": subject_id,
        "device_id": day.device_id,
        "device_count": day.device_count,
        "first_at": rfc3339(moment_of(day.first_at)),
        "last_at": rfc3339(moment_of(day.last_at)),
        "position_count": day.position_count,
    }


def _sums(day: Day) -> dict[str, Any]:
    return {
        "detail": "full",
        "distance_m": metres(day.distance_m),
        "unknown_direct_m": metres(day.unknown_direct_m),
        "moving_s": seconds(day.moving_s),
        "stopped_s": seconds(day.stopped_s),
        "unknown_s": seconds(day.unknown_s),
        "trip_count": day.trip_count,
        "stop_count": day.stop_count,
        "gap_count": day.gap_count,
        "outlier_count": day.outlier_count,
    }
