"""Trips."""

from typing import Any

from apiflask import APIBlueprint

from tracker.history.trips import History, Trip
from tracker.web.answers import TripList
from tracker.web.api._history import listed, metres, point, seconds
from tracker.web.models import HistoryQuery

BLUEPRINT = APIBlueprint("api-trips", __name__, url_prefix="/api/v1/trips", tag="History")


@BLUEPRINT.get("")
@BLUEPRINT.input(HistoryQuery, location="query")
@BLUEPRINT.output(TripList)
def index(query_data: HistoryQuery) -> dict[str, Any]:
    """List a subject's trips that overlap from <= t < to, each device's own, oldest first

    Told whole if they begin or end up to 12 hours outside. Definitions: docs/history.md.
    """
    return listed(
        query_data, lambda history: history.trips, lambda trip: (trip.started_at, trip.ended_at), _shown
    )


def _shown(_: History, trip: Trip) -> dict[str, Any]:
    return {
        "start": point(*trip.start),
        "end": point(*trip.end),
        "starts_after": trip.starts_after,
        "ends_before": trip.ends_before,
        "distance_m": metres(trip.distance_m),
        "distance_source": trip.distance_source,
        "duration_s": seconds(trip.duration_s),
        "moving_s": seconds(trip.moving_s),
        "avg_speed_mps": round(trip.distance_m / trip.duration_s, 2),
        "max_speed_mps": None if trip.max_speed_mps is None else round(trip.max_speed_mps, 2),
        "position_count": trip.position_count,
    }
