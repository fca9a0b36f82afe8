"""The shapes of calls about events, alerts, mutes, contacts and push."""

from typing import Annotated, Literal

from pydantic import Field

from tracker.web.models import Body, Identity, Line, Locale, MomentIn, Name, PageQuery
from tracker.web.models_places import ScheduleIn, UrgencyName, Zone

ChannelName = Annotated[
    Line, Field(min_length=1, max_length=40, examples=["sms", "email", "webpush", "mqtt"])
]

Email = Annotated[Line, Field(min_length=3, max_length=254, examples=["anna@example.org"])]


class EventQuery(PageQuery):
    """Which events: from <= at < to; without them all, the newest first.

    What was superseded or retracted is left out unless `include` asks for it.
    """

    type: Annotated[Line, Field(max_length=40)] | None = None
    subject_id: Identity | None = None
    rule_id: Identity | None = None
    geofence_id: Identity | None = None
    since: MomentIn | None = Field(None, alias="from")
    until: MomentIn | None = Field(None, alias="to")
    include: Literal["superseded"] | None = None


class AlertQuery(PageQuery):
    """Which alerts, the newest first."""

    state: Literal["open", "acknowledged", "resolved", "expired"] | None = None


class NewMute(Body):
    """Tell nothing until then of a rule, a subject or a fence, or of what all the named have in common.

    An SOS is told even so.
    """

    rule_id: Identity | None = None
    subject_id: Identity | None = None
    geofence_id: Identity | None = None
    until: MomentIn


class NewContact(Body):
    """Somebody whom alerts are told; nothing but the confirmation is sent before he confirmed."""

    name: Name
    phone: Annotated[Line, Field(min_length=1, max_length=40)] | None = None
    email: Email | None = None
    mqtt_device_id: Identity | None = None
    locale: Locale = "ru"
    time_zone: Zone = "UTC"
    channels: Annotated[list[ChannelName], Field(max_length=10)] = Field(default_factory=list)
    position: Annotated[int, Field(ge=0, le=1000)] | None = None
    quiet: ScheduleIn | None = None
    quiet_breaks_at: UrgencyName = "urgent"
    per_hour_most: Annotated[int, Field(ge=1, le=1000)] = 20


class ContactChange(Body):
    """What to change of a contact; what is left out stays, what is null is taken away.

    A new number or address must be confirmed anew.
    """

    name: Name | None = None
    phone: Annotated[Line, Field(min_length=1, max_length=40)] | None = None
    email: Email | None = None
    mqtt_device_id: Identity | None = None
    locale: Locale | None = None
    time_zone: Zone | None = None
    channels: Annotated[list[ChannelName], Field(max_length=10)] | None = None
    position: Annotated[int, Field(ge=0, le=1000)] | None = None
    quiet: ScheduleIn | None = None
    quiet_breaks_at: UrgencyName | None = None
    per_hour_most: Annotated[int, Field(ge=1, le=1000)] | None = None


class Confirmation(Body):
    """The code that the contact was sent."""

    code: Annotated[str, Field(min_length=1, max_length=64)]


class PushKeys(Body):
    """The keys of a browser's subscription, base64url."""

    p256dh: Annotated[Line, Field(min_length=1, max_length=200)]
    auth: Annotated[Line, Field(min_length=1, max_length=100)]


class NewPushSubscription(Body):
    """A browser's `PushSubscription.toJSON()`; without `contact_id` it is the owner's."""

    endpoint: Annotated[Line, Field(min_length=1, max_length=2000, examples=["https://push.example/abc"])]
    expiration_time: Annotated[float | None, Field(alias="expirationTime")] = None
    keys: PushKeys
    contact_id: Identity | None = None
