"""Stops."""

from typing import Any

from apiflask import APIBlueprint

from tracker.history.stops import Stop
from tracker.history.trips import History
from tracker.web.answers import StopList
from tracker.web.api._history import listed, metres, point, seconds
from tracker.web.models import HistoryQuery

BLUEPRINT = APIBlueprint("api-stops", __name__, url_prefix="/api/v1/stops", tag="History")


@BLUEPRINT.get("")
@BLUEPRINT.input(HistoryQuery, location="query")
@BLUEPRINT.output(StopList)
def index(query_data: HistoryQuery) -> dict[str, Any]:
    """List a subject's stops that overlap from <= t < to, each device's own, oldest first

    Told whole if they begin or end up to 12 hours outside. Definitions: docs/history.md.
    """
    return listed(
        query_data, lambda history: history.stops, lambda stop: (stop.started_at, stop.ended_at), _shown
    )


def _shown(history: History, stop: Stop) -> dict[str, Any]:
    return {
        "start_known": stop.first > 0,
        "end_known": stop.last < len(history.believed) - 1,
        "at": point(stop.lat, stop.lon),
        "radius_m": metres(stop.radius_m),
        "duration_s": seconds(stop.duration_s),
        "unknown_s": seconds(stop.unknown_s),
        "ignition_off": stop.ignition_off,
        "position_count": stop.position_count,
    }
