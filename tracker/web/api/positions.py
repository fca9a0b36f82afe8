"""Stored positions."""

from datetime import timedelta
from typing import Any

from apiflask import APIBlueprint

from tracker.domain.errors import Invalid
from tracker.web.answers import FeatureCollection
from tracker.web.api._keyset import cut, moment_and_id_of, moment_cursor
from tracker.web.context import here
from tracker.web.geojson import feature
from tracker.web.models import PositionQuery

BLUEPRINT = APIBlueprint("api-positions", __name__, url_prefix="/api/v1/positions", tag="Positions")

UNSAID_SPAN = timedelta(hours=24)


@BLUEPRINT.get("")
@BLUEPRINT.input(PositionQuery, location="query")
@BLUEPRINT.output(FeatureCollection)
def index(query_data: PositionQuery) -> dict[str, Any]:
    """Return a subject's positions, oldest first, from <= recorded_at < to

    Without `to` until now, without `from` the 24 hours before `to`.
    """
    context = here()
    until = query_data.until or context.now
    since = query_data.since or until - UNSAID_SPAN
    if until <= since:
        raise Invalid(("to", "must be later than from"))
    found = context.access.positions(
        query_data.subject_id,
        since=since,
        until=until,
        after=moment_and_id_of(query_data.after),
        limit=query_data.limit + 1,
    )
    page, after = cut(
        found, query_data.limit, lambda each: moment_cursor(each.position.recorded_at, each.device_id)
    )
    return {
        "type": "FeatureCollection",
        "features": [feature(each, context.now) for each in page],
        "next": after,
    }
