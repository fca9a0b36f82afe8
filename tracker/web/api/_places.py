"""Fences and rules as the API shows them."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from flask_babel import gettext as _

from tracker import registry
from tracker.domain.fields import json_schema
from tracker.domain.geofence import Geofence
from tracker.domain.rule import Notify, Rule, RuleKind
from tracker.geofence.shapes._shape import Shape
from tracker.store import schedules
from tracker.store.access import Access
from tracker.store.access_places import Inside
from tracker.web.geojson import rfc3339


@cache
def shapes() -> Mapping[str, Shape]:
    """Return the shapes by name."""
    return registry.load("tracker.geofence.shapes", "SHAPE")


def fence(value: Geofence, inside: Iterable[Inside] = (), warnings: Sequence[str] = ()) -> dict[str, Any]:
    """Return a fence as GeofenceOut; `inside` of any fences, those of this one are taken."""
    geometry, own = shapes()[value.shape].write(value.geometry)
    return {
        "type": "Feature",
        "id": value.geofence_id,
        "geometry": geometry,
        "properties": {
            "name": value.name,
            **own,
            "subject_ids": list(value.subject_ids),
            "all_subjects": value.all_subjects,
            "time_zone": value.time_zone,
            "template": value.template,
            "schedule": schedules.to_json(value.schedule),
            "origin": value.origin.value,
            "version": value.version,
            "created_at": rfc3339(value.created_at),
            "changed_at": rfc3339(value.changed_at),
            "expires_at": rfc3339(value.expires_at) if value.expires_at else None,
            "inside": [
                {"subject_id": one.subject_id, "since": rfc3339(one.since)}
                for one in inside
                if one.geofence_id == value.geofence_id
            ],
            "warnings": list(warnings),
        },
    }


def fences(access: Access, values: Sequence[Geofence]) -> list[dict[str, Any]]:
    """Return fences with who is inside."""
    inside = access.places.inside([each.geofence_id for each in values]) if values else []
    return [fence(each, inside, warnings(access, each)) for each in values]


def warnings(access: Access, value: Geofence) -> list[str]:
    """Return what the fence is too small for: the accuracy that its subjects' devices had last."""
    lasts = access.last_positions(subject_ids=None if value.all_subjects else list(value.subject_ids))
    errors = [each.position.accuracy_m for each in lasts if each.position.accuracy_m is not None]
    if not errors:
        return []
    inradius_m = shapes()[value.shape].footprint(value.geometry).inradius_m
    usual_m = sorted(errors)[len(errors) // 2]
    if inradius_m >= usual_m * 1.5:
        return []
    advised_m = max(10, round(usual_m * 1.5 / 10) * 10)
    return [
        str(
            _(
                "The place is smaller than the usual error of the positions: a radius of %(metres)s m "
                "or more is advised.",
                metres=advised_m,
            )
        )
    ]


def notify(value: Notify) -> dict[str, Any]:
    """Return whom a rule tells as NotifyOut."""
    return {
        "contact_ids": list(value.contact_ids),
        "channels": list(value.channels),
        "urgency": None if value.urgency is None else value.urgency.name.lower(),
        "all_at_once": value.all_at_once,
        "escalate_after_s": value.escalate_after_s,
        "throttle_s": value.throttle_s,
    }


def rule(value: Rule) -> dict[str, Any]:
    """Return a rule as RuleOut."""
    return {
        "id": value.rule_id,
        "kind": value.kind,
        "name": value.name,
        "subject_ids": list(value.subject_ids),
        "all_subjects": value.all_subjects,
        "geofence_id": value.geofence_id,
        "args": dict(value.args),
        "schedule": schedules.to_json(value.schedule),
        "notify": notify(value.notify),
        "enabled": value.enabled,
        "version": value.version,
        "active_from": rfc3339(value.active_from),
        "created_at": rfc3339(value.created_at),
    }


def kind(value: RuleKind) -> dict[str, Any]:
    """Return a kind of rule as RuleKindOut."""
    return {
        "kind": value.name,
        "title": str(_(value.title)),
        "fits": sorted(each.value for each in value.fits),
        "needs_fence": value.needs_fence,
        "urgency": value.urgency.name.lower(),
        "types": list(value.types),
        "args": json_schema(value.fields),
    }
