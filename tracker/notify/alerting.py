"""Decides for each new or unanswered alert whom it is told next, and hands the messages to the outbox.

An alert is claimed by its lock, decided and written in one transaction: lines of the ledger, rows of the
outbox and the alert's own next moment are there together or not at all. A worker that dies leaves nothing.
"""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby

import structlog

from tracker.domain.clock import Clock
from tracker.domain.errors import Unavailable
from tracker.domain.ids import new_id
from tracker.domain.notification import (
    AlertState,
    Contact,
    Delivery,
    DeliveryState,
    Mute,
    Notification,
)
from tracker.domain.rule import Urgency
from tracker.notify import policy
from tracker.notify.compose import EVENT, event_args
from tracker.notify.escalation import Ladder, Move, Step, next_step
from tracker.notify.links import Links
from tracker.notify.policy import Concern, Planned, Told
from tracker.store import alerts, contacts, deliveries, mutes, outbox, push_subscriptions
from tracker.store.alerts import Due
from tracker.store.seal import Sealer
from tracker.store.session import Database, Listener, Session, is_outage

AT_ONCE = 100
REMEMBERED = timedelta(hours=25)
"""How far back a contact's messages count: the longest throttle and the longest quiet are a day."""
GAP = timedelta(minutes=20)
"""An event is told as "between" only if so much lies between its two moments, as `history.gaps`."""
_FAULT_REST = timedelta(seconds=60)
_LONGEST_REST_S = 30.0
_OUTAGE_REST_S = 2.0
_LULL_S = 0.2
"""After a decision nothing more is asked of the database for so long: what was decided is being sent."""

log = structlog.get_logger()


class Alerting:
    """Plans what the outbox will send. Any number of processes may do so side by side."""

    def __init__(
        self, database: Database, sealer: Sealer, channels: Collection[str], clock: Clock, *, links: Links
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._channels = frozenset(channels)
        self._clock = clock
        self._links = links

    def decide(self, now: datetime) -> int:
        """Decide about up to a hundred alerts that are new or due again; return how many there were.

        Raises:
            Unavailable: the database cannot be reached; nothing was decided.
        """
        try:
            return self._decide(now, _Family.decide)
        except Exception as error:
            if isinstance(error, Unavailable):
                raise
            # One of them has a fault of ours: once more, each in a savepoint of its own.
            return self._decide(now, self._decide_apart)

    def run(self, stop: threading.Event) -> None:
        """Decide until `stop` is set, woken by each new alert; outlives outages of the database."""
        listener: Listener | None = None
        while not stop.is_set():
            try:
                listener = listener or self._database.listen(alerts.OUTBOX_CHANNEL)
                # With fewer than asked for there are no more; those that come meanwhile wake the listener.
                if self.decide(self._clock()) < AT_ONCE and not _is_woken(listener, _LULL_S):
                    self._rest(listener, stop)
            except Unavailable:
                log.warning("alerts wait for the database")
                if listener:
                    listener.close()
                listener = None
                stop.wait(_OUTAGE_REST_S)
        if listener:
            listener.close()

    def _decide(self, now: datetime, decide_one: Callable[["_Family", Due, datetime], None]) -> int:
        with self._database.begin() as session:
            due = alerts.claim(session, now, limit=AT_ONCE)
            # Coming and leaving of one late batch were opened at one moment: in their own order.
            by_account = sorted(due, key=lambda each: (each.alert.account_id, -each.alert.urgency, each.at))
            for account_id, mine in groupby(by_account, key=lambda each: each.alert.account_id):
                together = list(mine)
                family = _Family(session, self._sealer, self._channels, self._links, account_id, now)
                family.read(together)
                for each in together:
                    decide_one(family, each, now)
        return len(due)

    def _decide_apart(self, family: "_Family", due: Due, now: datetime) -> None:
        session = family.session
        try:
            with session.begin_nested():
                family.decide(due, now)
        except Exception as error:
            if isinstance(error, Unavailable) or is_outage(error):
                raise
            # A fault of ours in one alert must not hold the others; the text could hold a name.
            log.error("an alert could not be planned", id=due.alert.alert_id, error=type(error).__name__)
            alerts.put_off(session, due.alert.account_id, due.alert.alert_id, now + _FAULT_REST)

    def _rest(self, listener: Listener, stop: threading.Event) -> None:
        """Wait for a new alert, for one that is due again, or for 30 s."""
        with self._database.begin() as session:
            due_at = alerts.next_due(session)
        rest_s = _LONGEST_REST_S
        if due_at is not None:
            rest_s = max(0.2, min(rest_s, (due_at - self._clock()).total_seconds()))
        while rest_s > 0 and not stop.is_set():
            step_s = min(1.0, rest_s)
            if _is_woken(listener, step_s):
                return
            rest_s -= step_s


class _Family:
    """What is known of one account while its alerts are decided in one transaction."""

    def __init__(
        self,
        session: Session,
        sealer: Sealer,
        channels: frozenset[str],
        links: Links,
        account_id: str,
        now: datetime,
    ) -> None:
        self.session = session
        self._sealer = sealer
        self._channels = channels
        self._links = links
        self._account_id = account_id
        self._now = now
        self._contacts: Sequence[Contact] = ()
        self._mutes: Sequence[Mute] = ()
        self._reachable: Mapping[str, tuple[str, ...]] = {}
        self._deliveries: Mapping[str, list[Delivery]] = {}
        self._recent: list[Told] = []

    def read(self, due: Sequence[Due]) -> None:
        """Read the account's contacts and mutes, and what of the ledger these alerts need."""
        session, account_id = self.session, self._account_id
        self._contacts = contacts.of_account(session, account_id, self._now)
        self._mutes = mutes.in_force(session, account_id, self._now)
        pushed = push_subscriptions.counts(session, account_id)
        self._reachable = {
            each.contact_id: tuple(
                name
                for name in sorted(self._channels)
                if policy.address_of(each, name, has_push=each.contact_id in pushed) is not None
            )
            for each in self._contacts
        }
        planned = [each.alert.alert_id for each in due if each.alert.planned_at is not None]
        if planned:
            self._deliveries = deliveries.of_alerts(session, account_id, planned)
        # An alarm waits for nothing that was told before.
        if any(each.alert.urgency is not Urgency.ALARM for each in due):
            contact_ids = [each.contact_id for each in self._contacts]
            recent = deliveries.recent(session, account_id, contact_ids, self._now - REMEMBERED)
            self._recent = [Told(*each) for each in recent]

    def decide(self, due: Due, now: datetime) -> None:
        """Do what is next about one alert."""
        concern = Concern(due.type, due.alert.urgency, due.rule_id, due.subject_id, due.geofence_id)
        if due.alert.state is AlertState.OPEN and policy.is_muted(concern, self._mutes, now):
            if due.alert.planned_at is None:
                alerts.note_muted(self.session, self._account_id, due.alert.event_id)
            state = AlertState.RESOLVED
            alerts.note(self.session, due.alert, now, state=state, step=due.alert.step, again_at=None)
            return
        ladder = self._ladder(due, concern)
        step = next_step(due.alert, ladder, self._deliveries.get(due.alert.alert_id, ()), now)
        if step.move is Move.TELL:
            self._tell(due, concern, step, now)
        state = AlertState.EXPIRED if step.move is Move.EXPIRE else due.alert.state
        alerts.note(self.session, due.alert, now, state=state, step=step.number, again_at=step.again_at)

    def _ladder(self, due: Due, concern: Concern) -> Ladder:
        notify = due.notify
        told = policy.ladder(notify, self._contacts, self._reachable)
        resort = policy.last_resort(self._contacts, told, self._reachable)
        ways = {
            each.contact_id: policy.ways(each, notify, concern.urgency, self._reachable[each.contact_id])
            for each in (*told, *((resort,) if resort else ()))
        }
        after = notify.escalate_after_s
        return Ladder(
            contact_ids=tuple(each.contact_id for each in told),
            channels={
                contact_id: (each.at_once, *((one,) for one in each.spare))
                for contact_id, each in ways.items()
            },
            resort=resort.contact_id if resort else None,
            all_at_once=notify.all_at_once,
            after=None if after is None else timedelta(seconds=after),
            lives_for=policy.lives_for(concern.urgency),
        )

    def _tell(self, due: Due, concern: Concern, step: Step, now: datetime) -> None:
        known = {each.contact_id: each for each in self._contacts}
        planned = policy.plan(
            concern,
            due.notify,
            [(known[contact_id], channels) for contact_id, channels in step.tell],
            self._recent,
            now,
        )
        new = {new_id(): each for each in planned}
        lines = [
            Delivery(
                account_id=self._account_id,
                delivery_id=delivery_id,
                alert_id=due.alert.alert_id,
                contact_id=each.contact_id,
                channel=each.channel,
                step=step.number,
                state=DeliveryState.WAITING,
                attempts=0,
                created_at=now,
                due_at=each.due_at,
            )
            for delivery_id, each in new.items()
        ]
        put = []
        for delivery_id in sorted(deliveries.add_many(self.session, lines)):
            each = new[delivery_id]
            message = self._message(due, known[each.contact_id], each, delivery_id, step.number)
            put.append((message, each.due_at))
            self._recent.append(
                Told(
                    each.contact_id,
                    each.channel,
                    due.rule_id,
                    due.subject_id,
                    each.due_at,
                    each.due_at > now,
                    due.type,
                )
            )
        outbox.put_many(self.session, put, self._sealer, now)

    def _message(
        self, due: Due, contact: Contact, planned: Planned, delivery_id: str, step: int
    ) -> Notification:
        owner = contact.contact_id == self._account_id
        link = (
            self._links.of_alert(due.alert.alert_id)
            if owner
            else self._links.of_delivery(self._account_id, delivery_id)
        )
        return Notification(
            channel=planned.channel,
            kind=EVENT,
            to=policy.address_of(contact, planned.channel, has_push=True) or "",
            locale=contact.locale,
            args=event_args(
                event_type=due.type,
                subject=due.subject,
                place=due.place,
                rule=due.rule,
                at=due.at.isoformat(),
                earliest=_earliest(due),
                told_at=planned.due_at.isoformat(),
                time_zone=contact.time_zone,
                data=due.data,
                link=link,
                list_link=self._links.of_alerts() if owner else None,
                step=step,
            ),
            expires_at=planned.due_at + policy.lives_for(due.alert.urgency),
            account_id=self._account_id,
            urgency=due.alert.urgency,
            alert_id=due.alert.alert_id,
            delivery_id=delivery_id,
            group=planned.group,
        )


def _is_woken(listener: Listener, timeout_s: float) -> bool:
    return any(payload == alerts.ALERTS for _, payload in listener.wait(timeout_s))


def _earliest(due: Due) -> str | None:
    """Return the moment before which it was surely otherwise, if that is long enough ago to be told."""
    if due.earliest is None or due.at - due.earliest <= GAP:
        return None
    return due.earliest.isoformat()
