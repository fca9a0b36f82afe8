"""The shapes that calls about events, alerts, mutes, contacts and push give."""

from typing import Any, Literal

from pydantic import BaseModel

from tracker.web.answers import Moment, Point
from tracker.web.models_places import UrgencyName

AlertStateName = Literal["open", "acknowledged", "resolved", "expired"]


class AlertBrief(BaseModel):
    """The alert of an event."""

    id: str
    state: AlertStateName
    acknowledged_at: Moment | None


class EventOut(BaseModel):
    """Something that happened to a subject, and whether it was told.

    The truth lies in `earliest`..`at`; `decided_at` is when the data decided it. `text` says it in the
    reader's language. `superseded_by` is the event that tells it truly; with `retracted_at` history no longer
    has it, and nothing stands in its place.
    """

    id: str
    type: str
    urgency: UrgencyName
    at: Moment
    earliest: Moment | None
    decided_at: Moment
    recorded_at: Moment
    subject_id: str
    device_id: str | None
    geofence_id: str | None
    rule_id: str | None
    rule_version: int | None
    data: dict[str, Any]
    text: str
    news: Literal["told", "old", "muted", "asleep", "silent"]
    superseded_by: str | None
    retracted_at: Moment | None
    alert: AlertBrief | None


class EventList(BaseModel):
    """A page of events, newest first."""

    items: list[EventOut]
    next: str | None


class ExplanationOut(BaseModel):
    """Why an event is: rule and fence as they were, the evidence, the engine's numbers.

    `evidence` is a FeatureCollection of positions with `at`, `accuracy_m`, `distance_m` (negative inside),
    `probability` (of being inside), `side` and `weak`. `facts` are what else spoke for it. `suppressed` are
    siblings that were not raised, with why. `delays` are seconds. `map_url` is a page that draws it.
    """

    event: EventOut
    evidence: dict[str, Any]
    facts: list[dict[str, Any]]
    rule: dict[str, Any]
    fence: dict[str, Any] | None
    how: str | None
    thresholds: dict[str, float]
    earliest: Moment | None
    gap_s: float | None
    suppressed: list[dict[str, Any]]
    delays: dict[str, float]
    map_url: str


class DeliveryOut(BaseModel):
    """One line of the ledger: telling one contact over one channel."""

    id: str
    contact_id: str
    channel: str
    step: int
    state: Literal["waiting", "sent", "delivered", "refused", "expired", "grouped", "cancelled"]
    attempts: int
    created_at: Moment
    due_at: Moment
    sent_at: Moment | None
    delivered_at: Moment | None
    detail: str


class AlertOut(BaseModel):
    """An event that is told; `escalates_at` is when the next contact is told without an acknowledgement."""

    id: str
    state: AlertStateName
    urgency: UrgencyName
    told_at: Moment
    step: int
    escalates_at: Moment | None
    acknowledged_at: Moment | None
    event: EventOut


class AlertDetail(AlertOut):
    """An alert with whom it was told, over what, and how that went."""

    deliveries: list[DeliveryOut]


class AlertList(BaseModel):
    """A page of alerts, newest first."""

    items: list[AlertOut]
    next: str | None


class MuteOut(BaseModel):
    """What is not told, until when."""

    id: str
    rule_id: str | None
    subject_id: str | None
    geofence_id: str | None
    until: Moment
    created_at: Moment


class MuteList(BaseModel):
    """The mutes that are in force."""

    items: list[MuteOut]
    next: str | None


class ContactOut(BaseModel):
    """Somebody whom alerts are told; until `confirmed_at` he is sent nothing but the confirmation."""

    id: str
    name: str
    phone: str | None
    email: str | None
    mqtt_device_id: str | None
    locale: str
    time_zone: str
    channels: list[str]
    position: int
    quiet: dict[str, Any] | None
    quiet_breaks_at: UrgencyName
    per_hour_most: int
    created_at: Moment
    confirmed_at: Moment | None


class ContactList(BaseModel):
    """The contacts in the order of escalation."""

    items: list[ContactOut]
    next: str | None


class PushKeyOut(BaseModel):
    """The public key (VAPID, RFC 8292) that a browser subscribes with, base64url."""

    key: str


class PushSubscriptionOut(BaseModel):
    """A browser that gets messages."""

    id: str
    contact_id: str


class DiscOut(BaseModel):
    """Where the device can have got to since its last position."""

    radius_m: float
    recorded_at: Moment
    accuracy_m: float | None


class DiscFeature(BaseModel):
    """The search disc as GeoJSON."""

    type: Literal["Feature"]
    geometry: Point
    properties: DiscOut


class ChaseOut(BaseModel):
    """A live chase; `disc` is null while no position is known."""

    state: Literal["running", "ended"]
    device_id: str
    battery_pct: float | None
    battery_start_pct: float | None
    battery_least_pct: float
    started_at: Moment
    ends_at: Moment
    ended_at: Moment | None
    reason: str | None
    disc: DiscFeature | None
    speed_mps: float | None
