"""Places with an edge (docs/geofences.md)."""

from typing import Any

from apiflask import APIBlueprint
from apiflask.schemas import EmptySchema
from flask import request

from tracker.domain.errors import Invalid
from tracker.web import fence_files, zones
from tracker.web.answers_places import FencesRead, GeofenceList, GeofenceOut
from tracker.web.api import _places
from tracker.web.api._keyset import cursor, cut, id_of
from tracker.web.context import here
from tracker.web.guards import takes_files, takes_large_json
from tracker.web.models_places import GeofenceChange, GeofenceQuery, NewGeofence

BLUEPRINT = APIBlueprint("api-geofences", __name__, url_prefix="/api/v1/geofences", tag="Geofences")


@BLUEPRINT.post("")
@BLUEPRINT.input(NewGeofence)
@BLUEPRINT.output(GeofenceOut, status_code=201)
@takes_large_json
def add(json_data: NewGeofence) -> dict[str, Any]:
    """Add a fence: a circle, polygon, multipolygon or corridor"""
    context = here()
    feature = json_data.model_dump(exclude_unset=True)
    fence = context.services.geofences.add(
        context.session, context.viewer, feature, now=context.now, zone=zones.told_name()
    )
    return _places.fences(context.access, [fence])[0]


@BLUEPRINT.get("")
@BLUEPRINT.input(GeofenceQuery, location="query")
@BLUEPRINT.output(GeofenceList)
def index(query_data: GeofenceQuery) -> dict[str, Any]:
    """List the fences with who is inside, those of one subject or all"""
    access = here().access
    if query_data.subject_id:
        access.subject(query_data.subject_id)
    found = access.places.geofences(
        subject_id=query_data.subject_id, after=id_of(query_data.after), limit=query_data.limit + 1
    )
    page, after = cut(found, query_data.limit, lambda each: cursor(each.geofence_id))
    return {"items": _places.fences(access, page), "next": after}


@BLUEPRINT.get("/<id:geofence_id>")
@BLUEPRINT.output(GeofenceOut)
def show(geofence_id: str) -> dict[str, Any]:
    """Return a fence with who is inside"""
    access = here().access
    return _places.fences(access, [access.places.geofence(geofence_id)])[0]


@BLUEPRINT.patch("/<id:geofence_id>")
@BLUEPRINT.input(GeofenceChange)
@BLUEPRINT.output(GeofenceOut)
@takes_large_json
def change(geofence_id: str, json_data: GeofenceChange) -> dict[str, Any]:
    """Change a fence; another geometry is a new version of it"""
    context = here()
    feature = json_data.model_dump(exclude_unset=True)
    fence = context.services.geofences.change(
        context.session, context.viewer, geofence_id, feature, now=context.now
    )
    return _places.fences(context.access, [fence])[0]


@BLUEPRINT.delete("/<id:geofence_id>")
@BLUEPRINT.output(EmptySchema, status_code=204)
def remove(geofence_id: str) -> tuple[str, int]:
    """Remove a fence with its rules; what they told stays"""
    context = here()
    context.services.geofences.remove(context.session, context.viewer, geofence_id, now=context.now)
    return "", 204


@BLUEPRINT.post("/import")
@BLUEPRINT.output(FencesRead)
@takes_files
def read_file() -> dict[str, Any]:
    """Read the fences out of a GeoJSON, KML or GPX file; nothing is saved

    The body is the file itself, or a form (`multipart/form-data`) with the field `file`, of at most 4 MiB.
    Each item is what `POST /geofences` takes.
    """
    if request.mimetype == "multipart/form-data":
        sent = request.files.get("file")
        if sent is None:
            raise Invalid(("file", "this field is required"))
        return fence_files.read(sent.stream)
    return fence_files.read(request.stream)
