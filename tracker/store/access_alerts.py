"""What a viewer may see of events, alerts and whom they are told; reached as `Access.alerts`."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from tracker.domain.access import Viewer
from tracker.domain.event import Event
from tracker.domain.notification import Alert, AlertState, Contact, Delivery, Mute
from tracker.store import alerts, chases, contacts, deliveries, events, mutes
from tracker.store.chases import Chase
from tracker.store.events import Noted
from tracker.store.session import Session


class ToldEvent(NamedTuple):
    """An event, its alert if it was told, and when either last changed by the database's clock."""

    event: Event
    alert: Alert | None
    updated_at: datetime


class AccessAlerts:
    """Reads of one viewer within one transaction. Lists are in a stable order for keyset pages."""

    def __init__(self, session: Session, viewer: Viewer) -> None:
        self._session = session
        self._account_id = viewer.account_id

    def events(
        self,
        *,
        types: Collection[str] = (),
        subject_id: str | None = None,
        rule_id: str | None = None,
        geofence_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        superseded: bool = False,
        after: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> list[ToldEvent]:
        """Return up to `limit` events of since <= at < until that fit, newest first, behind (at, id) `after`.

        Those that another one tells truly, or that history no longer has, only with `superseded`.
        """
        found = events.of_account(
            self._session,
            self._account_id,
            types=types,
            subject_id=subject_id,
            rule_id=rule_id,
            geofence_id=geofence_id,
            since=since,
            until=until,
            superseded=superseded,
            after=after,
            limit=limit,
        )
        return self._with_alerts(found)

    def event(self, event_id: str) -> ToldEvent:
        """Return one event.

        Raises:
            NotFound: missing, or not the viewer's to see.
        """
        return self._with_alerts([events.get(self._session, self._account_id, event_id)])[0]

    def events_of(self, event_ids: Collection[str]) -> dict[str, Event]:
        """Return those of the events that are the viewer's to see, by id."""
        return events.of_ids(self._session, self._account_id, event_ids)

    def events_updated(self, after: datetime, *, limit: int = 1000) -> list[ToldEvent]:
        """Return up to `limit` events that changed later than `after` by the database's clock, in order."""
        return self._with_alerts(events.updated_after(self._session, self._account_id, after, limit=limit))

    def alerts(
        self,
        *,
        state: AlertState | None = None,
        after: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> list[Alert]:
        """Return up to `limit` alerts, newest first, behind (told_at, id) `after`; of one state if given."""
        return alerts.of_account(self._session, self._account_id, state=state, after=after, limit=limit)

    def alert(self, alert_id: str) -> Alert:
        """Return one alert.

        Raises:
            NotFound: missing, or not the viewer's to see.
        """
        return alerts.get(self._session, self._account_id, alert_id)

    def deliveries(self, alert_id: str) -> list[Delivery]:
        """Return what became of telling an alert, by step, then in the order of planning."""
        return deliveries.of_alert(self._session, self._account_id, alert_id)

    def mutes(self, now: datetime) -> list[Mute]:
        """Return the mutes that are not over."""
        return mutes.in_force(self._session, self._account_id, now)

    def contacts(self, now: datetime) -> list[Contact]:
        """Return the contacts in the order of escalation."""
        return contacts.of_account(self._session, self._account_id, now)

    def contact(self, contact_id: str) -> Contact:
        """Return one contact.

        Raises:
            NotFound: missing, or not the viewer's to see.
        """
        return contacts.get(self._session, self._account_id, contact_id)

    def chase(self, event_id: str) -> Chase:
        """Return the chase that an event began.

        Raises:
            NotFound: missing, or not the viewer's to see.
        """
        return chases.of_event(self._session, self._account_id, event_id)

    def _with_alerts(self, found: Sequence[Noted]) -> list[ToldEvent]:
        if not found:
            return []
        table = alerts.alerts
        query = select(table).where(
            table.c.account_id == self._account_id,
            table.c.event_id.in_([each.event.event_id for each in found]),
        )
        told = {row.event_id: alerts.value(row) for row in self._session.execute(query)}
        return [ToldEvent(each.event, told.get(each.event.event_id), each.updated_at) for each in found]
