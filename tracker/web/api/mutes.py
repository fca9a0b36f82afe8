"""What is not to be told for a while."""

from typing import Any

from apiflask import APIBlueprint
from apiflask.schemas import EmptySchema

from tracker.web.answers_alerts import MuteList, MuteOut
from tracker.web.api import _alerts
from tracker.web.api._keyset import page_of_all
from tracker.web.context import here
from tracker.web.models import PageQuery
from tracker.web.models_alerts import NewMute

BLUEPRINT = APIBlueprint("api-mutes", __name__, url_prefix="/api/v1/mutes", tag="Alerts")


@BLUEPRINT.post("")
@BLUEPRINT.input(NewMute)
@BLUEPRINT.output(MuteOut, status_code=201)
def add(json_data: NewMute) -> dict[str, Any]:
    """Mute a rule, a subject or a fence until a moment; an SOS is told even so"""
    context = here()
    mute = context.services.alerts.mute(
        context.session,
        context.viewer,
        rule_id=json_data.rule_id,
        subject_id=json_data.subject_id,
        geofence_id=json_data.geofence_id,
        until=json_data.until,
        now=context.now,
    )
    return _alerts.mute(mute)


@BLUEPRINT.get("")
@BLUEPRINT.input(PageQuery, location="query")
@BLUEPRINT.output(MuteList)
def index(query_data: PageQuery) -> dict[str, Any]:
    """List the mutes that are in force, the first to end first"""
    context = here()
    page, after = page_of_all(
        context.access.alerts.mutes(context.now),
        limit=query_data.limit,
        after=query_data.after,
        identity=lambda each: each.mute_id,
    )
    return {"items": [_alerts.mute(each) for each in page], "next": after}


@BLUEPRINT.delete("/<id:mute_id>")
@BLUEPRINT.output(EmptySchema, status_code=204)
def remove(mute_id: str) -> tuple[str, int]:
    """Tell again at once"""
    context = here()
    context.services.alerts.unmute(context.session, context.viewer, mute_id)
    return "", 204
