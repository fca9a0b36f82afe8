"""Gaps in the history."""

from typing import Any

from apiflask import APIBlueprint

from tracker.history.gaps import Gap
from tracker.history.trips import History
from tracker.web.answers import GapList
from tracker.web.api._history import listed, metres, point, seconds
from tracker.web.models import HistoryQuery

BLUEPRINT = APIBlueprint("api-gaps", __name__, url_prefix="/api/v1/gaps", tag="History")


@BLUEPRINT.get("")
@BLUEPRINT.input(HistoryQuery, location="query")
@BLUEPRINT.output(GapList)
def index(query_data: HistoryQuery) -> dict[str, Any]:
    """List the unknown ways in a subject's history that overlap from <= t < to, oldest first

    A silence at one place is no gap but a stop's `unknown_s`. Definitions: docs/history.md.
    """
    return listed(
        query_data,
        lambda history: history.gaps,
        lambda gap: (gap.start.recorded_at, gap.end.recorded_at),
        _shown,
    )


def _shown(_: History, gap: Gap) -> dict[str, Any]:
    return {
        "start": point(gap.start.lat, gap.start.lon),
        "end": point(gap.end.lat, gap.end.lon),
        "duration_s": seconds(gap.duration_s),
        "direct_m": metres(gap.direct_m),
        "reason": gap.reason,
    }
