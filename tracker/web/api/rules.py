"""What is worth telling, about whom (docs/geofences.md)."""

from typing import Any

from apiflask import APIBlueprint
from apiflask.schemas import EmptySchema

from tracker.web import foresight, zones
from tracker.web.answers_places import PreviewOut, RuleKindList, RuleList, RuleOut
from tracker.web.api import _places
from tracker.web.api._keyset import cursor, cut, id_of
from tracker.web.context import here
from tracker.web.guards import takes_large_json
from tracker.web.models_places import NewRule, RuleChange, RulePreview, RuleQuery

BLUEPRINT = APIBlueprint("api-rules", __name__, url_prefix="/api/v1/rules", tag="Rules")


@BLUEPRINT.post("")
@BLUEPRINT.input(NewRule)
@BLUEPRINT.output(RuleOut, status_code=201)
def add(json_data: NewRule) -> dict[str, Any]:
    """Add a rule; it tells of what happens from now on"""
    context = here()
    body = json_data.model_dump(exclude_unset=True)
    return _places.rule(
        context.services.rules.add(
            context.session, context.viewer, body, now=context.now, zone=zones.told_name()
        )
    )


@BLUEPRINT.get("")
@BLUEPRINT.input(RuleQuery, location="query")
@BLUEPRINT.output(RuleList)
def index(query_data: RuleQuery) -> dict[str, Any]:
    """List the rules, of a fence, of a subject or all"""
    access = here().access
    if query_data.subject_id:
        access.subject(query_data.subject_id)
    if query_data.geofence_id:
        access.places.geofence(query_data.geofence_id)
    found = access.places.rules(
        geofence_id=query_data.geofence_id,
        subject_id=query_data.subject_id,
        after=id_of(query_data.after),
        limit=query_data.limit + 1,
    )
    page, after = cut(found, query_data.limit, lambda each: cursor(each.rule_id))
    return {"items": [_places.rule(each) for each in page], "next": after}


@BLUEPRINT.get("/kinds")
@BLUEPRINT.output(RuleKindList)
def kinds() -> dict[str, Any]:
    """List the kinds of rules with what each takes"""
    return {"items": [_places.kind(each) for each in here().services.rules.kinds()]}


@BLUEPRINT.post("/preview")
@BLUEPRINT.input(RulePreview)
@BLUEPRINT.output(PreviewOut)
@takes_large_json
def preview(json_data: RulePreview) -> dict[str, Any]:
    """Tell what a rule would have raised on stored history, without saving it"""
    body = json_data.model_dump(exclude_unset=True, by_alias=False, exclude={"since", "until"})
    since, until = json_data.since, json_data.until
    found = foresight.run(body, since=since, until=until)
    place, zone = None, None
    if json_data.geofence:
        place, zone = json_data.geofence.properties.name, json_data.geofence.properties.time_zone
    elif json_data.geofence_id:
        fence = here().access.places.geofence(json_data.geofence_id)
        place, zone = fence.name, fence.time_zone
    return foresight.document(found, since=since, until=until, place=place, zone=zone)


@BLUEPRINT.get("/<id:rule_id>")
@BLUEPRINT.output(RuleOut)
def show(rule_id: str) -> dict[str, Any]:
    """Return a rule"""
    return _places.rule(here().access.places.rule(rule_id))


@BLUEPRINT.patch("/<id:rule_id>")
@BLUEPRINT.input(RuleChange)
@BLUEPRINT.output(RuleOut)
def change(rule_id: str, json_data: RuleChange) -> dict[str, Any]:
    """Change a rule; another meaning is a new version of it"""
    context = here()
    body = json_data.model_dump(exclude_unset=True)
    return _places.rule(
        context.services.rules.change(
            context.session, context.viewer, rule_id, body, now=context.now, zone=zones.told_name()
        )
    )


@BLUEPRINT.delete("/<id:rule_id>")
@BLUEPRINT.output(EmptySchema, status_code=204)
def remove(rule_id: str) -> tuple[str, int]:
    """Remove a rule; what it told stays"""
    context = here()
    context.services.rules.remove(context.session, context.viewer, rule_id, now=context.now)
    return "", 204
