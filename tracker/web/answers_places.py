"""The shapes that calls about fences and rules give."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from tracker.web.answers import Moment
from tracker.web.models_places import UrgencyName


class InsideOut(BaseModel):
    """A subject that is inside, since when; the last known, however old."""

    subject_id: str
    since: Moment


class FencePropertiesOut(BaseModel):
    """A fence besides its geometry; `radius_m` of a Point, `width_m` of a LineString.

    `version` moves with the geometry. `warnings` are texts in the reader's language: what the fence is too
    small for.
    """

    name: str
    radius_m: float | None = None
    width_m: float | None = None
    subject_ids: list[str]
    all_subjects: bool
    time_zone: str
    template: str | None
    schedule: dict[str, Any] | None
    origin: Literal["drawn", "imported", "parking", "device"]
    version: int
    created_at: Moment
    changed_at: Moment
    expires_at: Moment | None
    inside: list[InsideOut]
    warnings: list[str]


class GeofenceOut(BaseModel):
    """A fence as a GeoJSON Feature."""

    type: Literal["Feature"]
    id: str
    geometry: dict[str, Any]
    properties: FencePropertiesOut


class GeofenceList(BaseModel):
    """A page of fences."""

    items: list[GeofenceOut]
    next: str | None


class ImportedFence(BaseModel):
    """A fence that a file holds, as `POST /geofences` takes it; nothing of it is saved yet."""

    type: Literal["Feature"]
    geometry: dict[str, Any]
    properties: dict[str, Any]


class RefusedFence(BaseModel):
    """What a file holds and no fence can be made of: its number in the file, from 1, and why."""

    number: int
    name: str
    reason: str


class FencesRead(BaseModel):
    """What a file of fences holds."""

    items: list[ImportedFence]
    refused: list[RefusedFence]


class NotifyOut(BaseModel):
    """Whom a rule tells, and how; without contacts the owner, without channels each contact's own."""

    contact_ids: list[str]
    channels: list[str]
    urgency: UrgencyName | None
    all_at_once: bool
    escalate_after_s: int | None
    throttle_s: int


class RuleOut(BaseModel):
    """A rule; what was before `active_from` raises nothing by this `version`."""

    id: str
    kind: str
    name: str
    subject_ids: list[str]
    all_subjects: bool
    geofence_id: str | None
    args: dict[str, Any]
    schedule: dict[str, Any] | None
    notify: NotifyOut
    enabled: bool
    version: int
    active_from: Moment
    created_at: Moment


class RuleList(BaseModel):
    """A page of rules."""

    items: list[RuleOut]
    next: str | None


class RuleKindOut(BaseModel):
    """A kind of rule: what it is for, what it needs, and the JSON Schema of its `args`.

    `fits` are kinds of subjects, none: all. `types` are the events that it raises.
    """

    kind: str
    title: str
    fits: list[str]
    needs_fence: bool
    urgency: UrgencyName
    types: list[str]
    args: dict[str, Any]


class RuleKindList(BaseModel):
    """Every kind of rule."""

    items: list[RuleKindOut]


class PreviewItem(BaseModel):
    """An event that the rule would have raised."""

    type: str
    at: Moment
    subject_id: str
    data: dict[str, Any]
    text: str
    explanation: dict[str, Any]


class PreviewOut(BaseModel):
    """What a rule would have raised on stored history; `items` holds at most 200 of `count`.

    `would_tell` is how many of them would have been told. `peer_point_test` is how many a bare test of each
    point, without regard to accuracy, would have raised; null without a fence.
    """

    count: int
    by_type: dict[str, int]
    would_tell: int
    items: list[PreviewItem] = Field(max_length=200)
    days: float
    positions: int
    peer_point_test: int | None
