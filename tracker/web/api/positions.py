"""Stored positions."""

from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from apiflask import APIBlueprint
from flask import Response

from tracker.history import service
from tracker.history.gaps import between_silences
from tracker.history.simplify import kept
from tracker.store.access import PositionRow
from tracker.web.answers import FeatureCollection
from tracker.web.api._export import file_of
from tracker.web.api._features import feature_collection
from tracker.web.api._history import UNSAID_SPAN, span
from tracker.web.api._keyset import cut, moment_and_id_of, moment_cursor
from tracker.web.context import here
from tracker.web.models import PositionQuery

BLUEPRINT = APIBlueprint("api-positions", __name__, url_prefix="/api/v1/positions", tag="Positions")


@BLUEPRINT.get("")
@BLUEPRINT.input(PositionQuery, location="query")
@BLUEPRINT.output(FeatureCollection)
def index(query_data: PositionQuery) -> Any:
    """Return a subject's positions, oldest first, from <= recorded_at < to

    Without `to` until now, without `from` the 24 hours before `to`. `outlier` marks a position that cannot
    be true (docs/history.md). With `simplify_m` a page leaves out what is nearer than that to the line
    drawn through the rest; ends, outliers and both sides of a silence of 20 minutes stay.

    With `format` gpx, kml or csv all positions of the span are sent as one file, in full: `limit`, `after`
    and `simplify_m` are of the GeoJSON pages only.
    """
    since, until = span(query_data.since, query_data.until, UNSAID_SPAN)
    if query_data.format != "geojson":
        return file_of(query_data.subject_id, query_data.format, since, until)
    return _geojson(query_data, since, until)


def _geojson(asked: PositionQuery, since: datetime, until: datetime) -> Response:
    context = here()
    access = context.access
    subject = access.subject(asked.subject_id)
    found = access.position_rows(
        asked.subject_id,
        since=since,
        until=until,
        after=moment_and_id_of(asked.after),
        limit=asked.limit + 1,
    )
    page, after = cut(found, asked.limit, _cursor)
    outliers = service.mark(access, subject, page)
    if asked.simplify_m:
        page = _simplified(page, outliers, asked.simplify_m)
    body = feature_collection(
        page, subject_id=asked.subject_id, outliers=outliers, after=after, now=context.now
    )
    return Response(body, content_type="application/json")


def _cursor(row: PositionRow) -> str:
    return moment_cursor(datetime.fromtimestamp(row.recorded_at, UTC), row.device_id)


def _simplified(page: Any, outliers: set[tuple[str, float]], tolerance_m: float) -> list[PositionRow]:
    stays = [row for row in page if (row.device_id, row.recorded_at) in outliers]
    believed = [row for row in page if (row.device_id, row.recorded_at) not in outliers]
    believed.sort(key=lambda row: (row.device_id, row.recorded_at))
    for _, of_device in groupby(believed, key=lambda row: row.device_id):
        for stretch in between_silences(list(of_device)):
            numbers = kept([(row.lat, row.lon) for row in stretch], tolerance_m)
            stays += [stretch[number] for number in numbers]
    return sorted(stays, key=lambda row: (row.recorded_at, row.device_id))
