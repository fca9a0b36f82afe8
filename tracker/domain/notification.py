"""A message to a person, recorded with the change that caused it and sent afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from tracker.domain.rule import Urgency
from tracker.domain.schedule import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One thing to tell over one channel; `kind` names the template, `args` fill it (JSON values).

    `to` is the channel's address (E.164 for "sms"). After `expires_at` it is worthless and not sent.
    `account_id` is None before there is an account. `delivery_id` is the row of the ledger that it is sent
    for, `group` what it may be told together with.
    """

    channel: str
    kind: str
    to: str
    locale: str
    expires_at: datetime
    args: Mapping[str, Any] = field(default_factory=dict)
    account_id: str | None = None
    urgency: Urgency = Urgency.NORMAL
    alert_id: str | None = None
    delivery_id: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A notification that one worker holds by lease until it is settled.

    `also` are others of its group, told within the same message; they have none of their own.
    """

    outbox_id: str
    attempts: int
    notification: Notification
    also: tuple["Claimed", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Somebody whom alerts of an account are told; nothing is sent before he confirmed the address.

    `channels` are names in the order he prefers them. In `quiet` only what is at least `quiet_breaks_at`
    is sent at once. `position` orders contacts for escalation, from 0.
    """

    account_id: str
    contact_id: str
    name: str
    phone: str | None
    email: str | None
    mqtt_device_id: str | None
    locale: str
    time_zone: str
    channels: tuple[str, ...]
    position: int
    created_at: datetime
    confirmed_at: datetime | None = None
    quiet: Schedule | None = None
    quiet_breaks_at: Urgency = Urgency.URGENT
    per_hour_most: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """Until then nothing is told of a rule, a subject, a fence, or what all the named have in common."""

    account_id: str
    mute_id: str
    rule_id: str | None
    subject_id: str | None
    geofence_id: str | None
    until: datetime
    created_at: datetime


class AlertState(StrEnum):
    """Open, acknowledged by somebody, resolved (the event was retracted or its episode ended), expired."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An event that is told; `step` counts escalations, `escalate_at` is when the next one is due."""

    account_id: str
    alert_id: str
    event_id: str
    urgency: Urgency
    state: AlertState
    told_at: datetime
    step: int = 0
    planned_at: datetime | None = None
    escalate_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None


class DeliveryState(StrEnum):
    """What became of telling one contact over one channel; grouped: told within another message."""

    WAITING = "waiting"
    SENT = "sent"
    DELIVERED = "delivered"
    REFUSED = "refused"
    EXPIRED = "expired"
    GROUPED = "grouped"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One line of the ledger: an alert, a contact, a channel."""

    account_id: str
    delivery_id: str
    alert_id: str
    contact_id: str
    channel: str
    step: int
    state: DeliveryState
    attempts: int
    created_at: datetime
    due_at: datetime
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    detail: str = ""
