"""Contacts, alerts and lines of the ledger for the pure tests of notifications."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

from tests.notify.moments import NOW
from tracker.domain.notification import Alert, AlertState, Contact, Delivery, DeliveryState
from tracker.domain.rule import Urgency
from tracker.domain.schedule import Schedule, Span, Weekly
from tracker.notify.policy import Concern, Told

ACCOUNT = "00000000000000aa"
ALL = ("email", "sms", "webpush")
NIGHT = Schedule(
    weekly=(Weekly(days=frozenset(range(7)), spans=(Span(start=time(22), end=time(7)),)),),
)


def contact(name: str, position: int = 0, **given: Any) -> Contact:
    """Return a confirmed contact whose id is his name."""
    whole = Contact(
        account_id=ACCOUNT,
        contact_id=name,
        name=name,
        phone="+79161234567",
        email=f"{name}@example.org",
        mqtt_device_id=None,
        locale="en",
        time_zone="UTC",
        channels=("sms", "email"),
        position=position,
        created_at=NOW,
        confirmed_at=NOW,
    )
    return replace(whole, **given)


def concern(urgency: Urgency = Urgency.NORMAL, **given: Any) -> Concern:
    """Return what an alert of the rule "r" about the subject "s" is."""
    whole = {"type": "arrived", "rule_id": "r", "subject_id": "s", "geofence_id": "g", **given}
    return Concern(urgency=urgency, **whole)


def told(minutes_ago: float, to: str = "mum", **given: Any) -> Told:
    """Return a message over SMS of the rule "r" that was due so long before NOW."""
    whole: dict[str, Any] = {
        "channel": "sms",
        "rule_id": "r",
        "subject_id": "s",
        "held": False,
        "type": "arrived",
        **given,
    }
    return Told(contact_id=to, due_at=NOW - timedelta(minutes=minutes_ago), **whole)


def alert(state: AlertState = AlertState.OPEN, step: int = 0, told_at: datetime = NOW) -> Alert:
    """Return an alert that was planned at once."""
    return Alert(
        account_id=ACCOUNT,
        alert_id="00000000000000a1",
        event_id="00000000000000e1",
        urgency=Urgency.URGENT,
        state=state,
        told_at=told_at,
        step=step,
        planned_at=told_at,
    )


def line(
    to: str, state: str = "sent", channel: str = "sms", step: int = 0, minutes: float = 0, held_min: float = 0
) -> Delivery:
    """Return a line of the ledger, planned `minutes` after NOW and due `held_min` later."""
    return Delivery(
        account_id=ACCOUNT,
        delivery_id=f"{to}/{channel}",
        alert_id="00000000000000a1",
        contact_id=to,
        channel=channel,
        step=step,
        state=DeliveryState(state),
        attempts=1,
        created_at=NOW + timedelta(minutes=minutes),
        due_at=NOW + timedelta(minutes=minutes + held_min),
    )
