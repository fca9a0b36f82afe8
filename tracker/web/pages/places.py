"""Places: the list with the map, drawing one, taking them from a file."""

import json
from collections import defaultdict
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from tracker.domain.errors import Invalid
from tracker.domain.geofence import FenceOrigin, Geofence
from tracker.web import fence_files, i18n, zones
from tracker.web.api import _places as api_places
from tracker.web.context import here
from tracker.web.guards import takes_files, takes_large_json
from tracker.web.pages import _places, _schedules, _show
from tracker.web.pages._forms import go, messages, page, text, ticked
from tracker.web.places_map import drawing_map, drawn, geometry_drawn, places_map

BLUEPRINT = APIBlueprint("places", __name__, url_prefix="/places", enable_openapi=False)

FIELDS = {
    "geometry": "geometry",
    "properties.radius_m": "radius_m",
    "properties.width_m": "width_m",
    "properties.name": "name",
    "properties.time_zone": "time_zone",
    "properties.template": "template",
}
OTHERS_SHOWN = 300


def _dots() -> list[Any]:
    context = here()
    lasts = {last.subject_id: last for last in context.access.last_positions()}
    return [
        _show.dot(one, lasts[one.subject_id], context.now)
        for one in context.access.subjects()
        if one.subject_id in lasts
    ]


@BLUEPRINT.get("")
def index() -> Response:
    """Show the places with who is there."""
    context = here()
    fences = context.access.places.geofences()
    names = {one.subject_id: one.name for one in context.access.subjects()}
    rules: dict[str | None, int] = defaultdict(int)
    for rule in context.access.places.rules():
        rules[rule.geofence_id] += 1
    inside: dict[str, list[str]] = defaultdict(list)
    for one in context.access.places.inside([each.geofence_id for each in fences]) if fences else []:
        inside[one.geofence_id].append(names.get(one.subject_id, ""))
    rows = [
        {
            "geofence_id": each.geofence_id,
            "name": each.name,
            "mark": _places.MARKS.get(each.template or "", "places"),
            "inside": str(_("Here: %(names)s", names=", ".join(inside[each.geofence_id])))
            if inside[each.geofence_id]
            else "",
            "facts": _facts(each, rules[each.geofence_id]),
        }
        for each in sorted(fences, key=lambda each: each.name.casefold())
    ]
    map_ = places_map(
        [drawn(each) for each in fences],
        _dots(),
        nonce=context.nonce,
        locale=i18n.locale(),
        settings=context.services.settings,
    )
    return page("places.html", map=map_, places=rows)


def _facts(fence: Geofence, rules: int) -> str:
    told = ngettext("%(num)s rule", "%(num)s rules", rules) if rules else _("no rules")
    return f"{_places.size_text(fence)} · {told}"


@BLUEPRINT.get("/new")
def ask() -> Response:
    """Ask for a new place."""
    values = {
        "template": "home",
        "shape": "circle",
        "radius_m": "100",
        "width_m": "50",
        "all_subjects": "true",
    }
    return _page(None, values, (), {}, _schedules.shown(None))


@BLUEPRINT.post("/new")
@takes_large_json
def add() -> Response:
    """Add a place, and go on to it."""
    context = here()
    try:
        fence = context.services.geofences.add(
            context.session, context.viewer, _feature(), now=context.now, zone=zones.told_name()
        )
    except Invalid as error:
        return _typed_page(None, error)
    return go(url_for("places.show", geofence_id=fence.geofence_id))


@BLUEPRINT.get("/<id:geofence_id>")
def show(geofence_id: str) -> Response:
    """Show one place."""
    fence = here().access.places.geofence(geofence_id)
    schedule = _schedules.shown(_places.schedule_of(fence))
    return _page(fence, _values(fence), fence.subject_ids, {}, schedule)


@BLUEPRINT.post("/<id:geofence_id>")
@takes_large_json
def change(geofence_id: str) -> Response:
    """Change a place."""
    context = here()
    fence = context.access.places.geofence(geofence_id)
    try:
        context.services.geofences.change(
            context.session, context.viewer, geofence_id, _feature(), now=context.now
        )
    except Invalid as error:
        return _typed_page(fence, error)
    return go(url_for("places.show", geofence_id=geofence_id, saved="yes"))


@BLUEPRINT.post("/<id:geofence_id>/delete")
def remove(geofence_id: str) -> Response:
    """Delete a place with its rules."""
    context = here()
    context.services.geofences.remove(context.session, context.viewer, geofence_id, now=context.now)
    return go(url_for("places.index"))


def _values(fence: Geofence) -> dict[str, str]:
    values = {
        "name": fence.name,
        "template": fence.template or "",
        "time_zone": fence.time_zone,
        "all_subjects": "true" if fence.all_subjects else "",
        "radius_m": "100",
        "width_m": "50",
        **_places.geometry_values(fence),
    }
    if not _places.is_simple(fence):
        geometry, _own = api_places.shapes()[fence.shape].write(fence.geometry)
        values |= {"shape": "kept", "kept_geometry": json.dumps(geometry)}
    return values


def _feature() -> dict[str, Any]:
    """Return the Feature that the form gives; what is wrong with it is for the service to say.

    Raises:
        Invalid: what was typed into a field cannot be sent on at all.
    """
    geometry, measures = _geometry()
    properties: dict[str, Any] = {
        "name": text("name"),
        "template": text("template") or None,
        "schedule": _schedules.read(),
        **measures,
    }
    if ticked("all_subjects"):
        properties["all_subjects"] = True
    else:
        properties["subject_ids"] = request.form.getlist("subject_ids")
        properties["all_subjects"] = False
    if text("time_zone"):
        properties["time_zone"] = text("time_zone")
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _geometry() -> tuple[dict[str, Any], dict[str, Any]]:
    match text("shape"):
        case "kept":
            try:
                return json.loads(text("kept_geometry")), {}
            except (ValueError, RecursionError):
                raise Invalid(("geometry", "has the wrong form")) from None
        case "polygon":
            ring = _points()
            return {"type": "Polygon", "coordinates": [[*ring, *ring[:1]]]}, {}
        case "corridor":
            return {"type": "LineString", "coordinates": _points()}, {"width_m": _number("width_m")}
        case _:
            at = [_number("lon"), _number("lat")]
            if at == [None, None]:
                raise Invalid(("geometry", "Mark the middle on the map, or give latitude and longitude."))
            return {"type": "Point", "coordinates": at}, {"radius_m": _number("radius_m")}


def _number(name: str) -> float | None:
    given = text(name).replace(",", ".")
    if not given:
        return None
    try:
        return float(given)
    except ValueError:
        raise Invalid((name, "must be a number")) from None


def _points() -> list[list[float]]:
    found = []
    for number, line in enumerate(text("points").splitlines(), start=1):
        words = line.replace(",", " ").replace(";", " ").split()
        if not words:
            continue
        try:
            lat, lon = (float(word) for word in words)
        except ValueError:
            raise Invalid(("points", str(_("line %(number)s is no place", number=number)))) from None
        found.append([lon, lat])
    if not found:
        raise Invalid(("geometry", "Draw it on the map, or write its corners."))
    return found


def _typed_page(fence: Geofence | None, error: Invalid) -> Response:
    """Return the form with what was typed and what is wrong with it."""
    names = ("name", "template", "shape", "lat", "lon", "radius_m", "points", "width_m", "time_zone")
    values = {name: text(name) for name in (*names, "all_subjects", "kept_geometry")}
    return _page(
        fence, values, request.form.getlist("subject_ids"), _errors(error), _schedules.typed(), status=422
    )


def _errors(error: Invalid) -> dict[str, str]:
    """Return what is wrong by the form's own fields."""
    found: dict[str, str] = {}
    for field, message in messages(error).items():
        if field in FIELDS:
            name = FIELDS[field]
        elif field.startswith("geometry"):
            name = "geometry"
        else:
            name = field.removeprefix("properties.").split(".")[0]
            name = "subject_ids" if name == "all_subjects" else name
        found.setdefault(name, _schedules.at_part(field, message))
    return found


def _page(
    fence: Geofence | None,
    values: dict[str, str],
    chosen: Any,
    errors: dict[str, str],
    schedule: dict[str, Any],
    *,
    status: int = 200,
) -> Response:
    context = here()
    access = context.access
    dots = _dots()
    at = {dot.subject_id: f"{dot.lat},{dot.lon}" for dot in dots}
    subjects = [
        {
            "subject_id": one.subject_id,
            "name": one.name,
            "kind": one.kind.value,
            "at": at.get(one.subject_id, ""),
        }
        for one in access.subjects()
    ]
    others = [each for each in access.places.geofences(limit=OTHERS_SHOWN) if each != fence]
    map_ = drawing_map(dots, nonce=context.nonce, locale=i18n.locale(), settings=context.services.settings)
    return page(
        "place.html",
        status,
        place=_place(fence),
        values={"points": "", **values},
        chosen_subjects=chosen,
        errors=errors,
        templates=_places.templates(),
        subjects=subjects,
        schedule=schedule,
        drawn=geometry_drawn(fence.shape, fence.geometry) if fence else None,
        others=[drawn(each) for each in others],
        map=map_,
        saved=request.args.get("saved") == "yes" and not errors,
    )


def _place(fence: Geofence | None) -> dict[str, Any]:
    if fence is None:
        return {"geofence_id": "", "name": "", "inside": [], "warnings": [], "rules": []}
    access = here().access
    people = {one.subject_id: one for one in access.subjects()}
    names = {one.subject_id: one.name for one in people.values()}
    kinds = {each.name: each for each in here().services.rules.kinds()}
    return {
        "geofence_id": fence.geofence_id,
        "name": fence.name,
        "warnings": api_places.warnings(access, fence),
        "inside": [
            {
                "name": people[one.subject_id].name,
                "kind": people[one.subject_id].kind.value,
                "since": one.since,
            }
            for one in access.places.inside([fence.geofence_id])
            if one.subject_id in people
        ],
        "rules": [
            {
                "rule_id": each.rule_id,
                "title": _places.rule_title(each, kinds),
                "text": _places.rule_text(each, kinds, names, {}),
                "enabled": each.enabled,
            }
            for each in access.places.rules(geofence_id=fence.geofence_id)
        ],
    }


@BLUEPRINT.get("/import")
def ask_file() -> Response:
    """Ask for a file of places."""
    return page("places_import.html", found=None, refused=[], map=None, errors={})


@BLUEPRINT.post("/import")
@takes_files
def read_file() -> Response:
    """Show what a file holds, to choose from."""
    context = here()
    sent = request.files.get("file")
    try:
        if sent is None or not sent.filename:
            raise Invalid(("file", "this field is required"))
        reading = fence_files.reading(sent.stream)
    except Invalid as error:
        return page("places_import.html", 422, found=None, refused=[], map=None, errors=messages(error))
    told = fence_files.document(reading)
    layers = [
        {"id": str(number), "name": item["properties"]["name"], **geometry_drawn(draft.shape, draft.geometry)}
        for number, (item, draft) in enumerate(zip(told["items"], reading.drafts, strict=True))
    ]
    shapes = {"circle": _("circle"), "polygon": _("area"), "corridor": _("route")}
    found = [
        {
            "number": number,
            "name": item["properties"]["name"],
            "shape": str(shapes[draft.shape]),
            "size": "",
            "feature": json.dumps(item, ensure_ascii=False),
        }
        for number, (item, draft) in enumerate(zip(told["items"], reading.drafts, strict=True))
    ]
    map_ = places_map(
        layers, [], nonce=context.nonce, locale=i18n.locale(), settings=context.services.settings
    )
    return page(
        "places_import.html", found=found, refused=told["refused"], map=map_ if found else None, errors={}
    )


@BLUEPRINT.post("/import/add")
@takes_large_json
def add_chosen() -> Response:
    """Add the places of a file that were marked; all of them or none."""
    context = here()
    try:
        for number in request.form.getlist("pick"):
            feature = json.loads(text(f"feature_{number}") or "{}")
            feature["properties"] = {**feature.get("properties", {}), "all_subjects": True}
            context.services.geofences.add(
                context.session,
                context.viewer,
                feature,
                now=context.now,
                zone=zones.told_name(),
                origin=FenceOrigin.IMPORTED,
            )
    except (Invalid, ValueError, AttributeError, TypeError, RecursionError) as error:
        context.roll_back(error)
        wrong = messages(error) if isinstance(error, Invalid) else {"": str(_("has the wrong form"))}
        first = next(iter(wrong.values()))
        return page("places_import.html", 422, found=None, refused=[], map=None, errors={"": first})
    return go(url_for("places.index"))
