"""What happened, and why that is known."""

from typing import Any

from apiflask import APIBlueprint

from tracker.web.answers_alerts import EventList, ExplanationOut
from tracker.web.api import _alerts
from tracker.web.api._keyset import cut, moment_and_id_of, moment_cursor
from tracker.web.context import here
from tracker.web.models_alerts import EventQuery

BLUEPRINT = APIBlueprint("api-events", __name__, url_prefix="/api/v1/events", tag="Events")


@BLUEPRINT.get("")
@BLUEPRINT.input(EventQuery, location="query")
@BLUEPRINT.output(EventList)
def index(query_data: EventQuery) -> dict[str, Any]:
    """List the events, newest first"""
    context = here()
    if query_data.subject_id:
        context.access.subject(query_data.subject_id)
    found = context.access.alerts.events(
        types=(query_data.type,) if query_data.type else (),
        subject_id=query_data.subject_id,
        rule_id=query_data.rule_id,
        geofence_id=query_data.geofence_id,
        since=query_data.since,
        until=query_data.until,
        superseded=query_data.include == "superseded",
        after=moment_and_id_of(query_data.after),
        limit=query_data.limit + 1,
    )
    page, after = cut(found, query_data.limit, lambda each: moment_cursor(each.event.at, each.event.event_id))
    write = _alerts.writer_here(context)
    return {"items": [write(each.event, each.alert) for each in page], "next": after}


@BLUEPRINT.get("/<id:event_id>/explanation")
@BLUEPRINT.output(ExplanationOut)
def explain(event_id: str) -> dict[str, Any]:
    """Tell why an event is: positions, accuracies, probabilities, rule and fence as they were"""
    context = here()
    told = context.access.alerts.event(event_id)
    return {
        "event": _alerts.writer_here(context)(told.event, told.alert),
        **_alerts.explanation(told.event.explanation),
        "map_url": f"/alerts/{event_id}",
    }
