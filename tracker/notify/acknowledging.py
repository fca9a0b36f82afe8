"""What people do about alerts: acknowledge them, mute what they do not want to hear. Nothing here commits."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.domain.access import Viewer
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.ids import is_id, new_id
from tracker.domain.notification import Alert, Delivery, Mute
from tracker.notify.links import OPENS_FOR, Links
from tracker.notify.policy import NEVER_MUTED
from tracker.store import alert_changes, alerts, deliveries, mutes
from tracker.store.seal import Sealer
from tracker.store.session import Session

MUTED_AT_MOST = timedelta(days=366)
MUTES_PER_ACCOUNT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class OneAlert:
    """What a link opens: one alert, for the contact of one delivery."""

    alert: Alert
    delivery: Delivery


class Alerts:
    """Changes of alerts and mutes, each in a viewer's name or by a link; what is not his does not exist."""

    def __init__(self, sealer: Sealer, *, public_url: str) -> None:
        self._links = Links(sealer, public_url)

    def acknowledge(self, session: Session, viewer: Viewer, alert_id: str, now: datetime) -> Alert:
        """Note that the owner saw an alert: nobody else is told next. Again, it changes nothing.

        Raises:
            NotFound: missing, or not the viewer's.
        """
        return alert_changes.acknowledge(session, viewer.account_id, alert_id, viewer.account_id, now)

    def mute(
        self,
        session: Session,
        viewer: Viewer,
        *,
        rule_id: str | None = None,
        subject_id: str | None = None,
        geofence_id: str | None = None,
        until: datetime,
        now: datetime,
    ) -> Mute:
        """Tell nothing until then of what has all the named in common; what waits to be told is withdrawn.

        An SOS is told all the same. Events go on being recorded.

        Raises:
            Invalid: nothing is named, an id is none, `until` is not ahead or more than 366 days, or there are
                200 already.
        """
        named = {"rule_id": rule_id, "subject_id": subject_id, "geofence_id": geofence_id}
        if all(each is None for each in named.values()):
            raise Invalid(("rule_id", "Name a rule, a subject or a place."))
        wrong = [name for name, each in named.items() if each is not None and not is_id(each)]
        if wrong:
            raise Invalid(*((name, "This is no id.") for name in wrong))
        if not now < until <= now + MUTED_AT_MOST:
            raise Invalid(("until", "It must lie ahead, at most 366 days."))
        if len(mutes.in_force(session, viewer.account_id, now)) >= MUTES_PER_ACCOUNT:
            raise Invalid(("rule_id", "There are 200 already: remove some first."))
        mute = Mute(account_id=viewer.account_id, mute_id=new_id(), until=until, created_at=now, **named)
        mutes.add(session, mute)
        alert_changes.silence(session, mute, NEVER_MUTED, now)
        return mute

    def unmute(self, session: Session, viewer: Viewer, mute_id: str) -> None:
        """End a mute at once.

        Raises:
            NotFound: missing, or not the viewer's.
        """
        if not mutes.remove(session, viewer.account_id, mute_id):
            raise NotFound("mute")

    def by_link(self, session: Session, token: str, now: datetime) -> OneAlert:
        """Return the alert that a link's token opens, for 24 hours from when the message was due.

        Raises:
            NotFound: it is no token of ours, its time is over, or the alert is gone.
        """
        named = self._links.read(token)
        delivery = deliveries.get(session, *named) if named else None
        if delivery is None or now >= delivery.due_at + OPENS_FOR:
            raise NotFound("alert")
        return OneAlert(alert=alerts.get(session, delivery.account_id, delivery.alert_id), delivery=delivery)

    def acknowledge_by_link(self, session: Session, token: str, now: datetime) -> Alert:
        """Note that the contact of a link saw its alert.

        Raises:
            NotFound: as `by_link`.
        """
        one = self.by_link(session, token, now)
        contact_id = one.delivery.contact_id
        return alert_changes.acknowledge(session, one.alert.account_id, one.alert.alert_id, contact_id, now)
