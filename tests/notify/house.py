"""An account with subjects, a rule and contacts, whose events are put into the database as ingest would."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, text

from tests.kit.clock import StandingClock
from tests.notify import people
from tracker.domain.access import Viewer
from tracker.domain.account import SessionLevel
from tracker.domain.errors import Refused, Unavailable
from tracker.domain.ids import new_id
from tracker.domain.notification import Alert, AlertState, Contact, Delivery, Notification
from tracker.domain.rule import Notify, Rule, Urgency
from tracker.domain.subject import Subject, SubjectKind
from tracker.notify.alerting import Alerting
from tracker.notify.compose import compose
from tracker.notify.dispatch import Dispatcher
from tracker.notify.links import Links
from tracker.store import accounts, alerts, contacts, deliveries, rules, subjects
from tracker.store.events import events
from tracker.store.seal import Sealer
from tracker.store.session import Database, Session

PUBLIC_URL = "https://ryadom.example"


@dataclass
class Sink:
    """A channel that keeps what it is given; `fault` is raised instead while it is set."""

    name: str
    got: list[tuple[Notification, str]] = field(default_factory=list)
    fault: Exception | None = None
    closed: int = 0

    def send(self, notification: Notification, now: datetime, *, message_id: str) -> None:  # noqa: ARG002
        if self.fault is not None:
            raise self.fault
        self.got.append((notification, message_id))

    def close(self) -> None:
        self.closed += 1

    @property
    def told(self) -> list[str]:
        """Return to whom what was said."""
        return [f"{each.to}: {compose(each).body}" for each, _ in self.got]

    def down(self) -> None:
        self.fault = Unavailable("the gateway does not answer")

    def refuse(self) -> None:
        self.fault = Refused("the gateway answers 400")

    def up(self) -> None:
        self.fault = None


class House:
    """A family: Mum owns the account, the others are as tests add them."""

    def __init__(self, database: Database, sealer: Sealer, clock: StandingClock) -> None:
        self.database = database
        self.clock = clock
        self.sinks = {name: Sink(name) for name in ("sms", "email", "webpush")}
        links = Links(sealer, PUBLIC_URL)
        self.alerting = Alerting(database, sealer, self.sinks, clock, links=links)
        self.dispatcher = Dispatcher(database, sealer, self.sinks, clock)
        with database.begin() as session:
            account = accounts.open_account(
                session, phone="+79161234567", locale="en", region=None, now=clock()
            )
            self.account_id = account.account_id
            self.subject_id = self.add_subject(session, "Masha")
        self.viewer = Viewer(
            account_id=self.account_id,
            session_id=new_id(),
            level=SessionLevel.SMS,
            proved_at=clock(),
        )

    def add_subject(self, session: Session, name: str) -> str:
        subject = Subject(
            account_id=self.account_id,
            subject_id=new_id(),
            kind=SubjectKind.CHILD,
            name=name,
            created_at=self.clock(),
        )
        subjects.add(session, subject)
        return subject.subject_id

    def add_contact(self, name: str, position: int = 1, **given: Any) -> str:
        """Add a confirmed contact whose number ends in his position."""
        contact = replace(
            people.contact(
                new_id(),
                position,
                **{
                    "account_id": self.account_id,
                    "phone": f"+7916000000{position}",
                    "email": None,
                    "channels": ("sms",),
                    "created_at": self.clock(),
                    **given,
                },
            ),
            name=name,
        )
        with self.database.begin() as session:
            contacts.of_account(session, self.account_id, self.clock())
            contacts.put(session, contact)
        return contact.contact_id

    def change_owner(self, **given: Any) -> None:
        with self.database.begin() as session:
            (owner, *_) = contacts.of_account(session, self.account_id, self.clock())
            contacts.put(session, replace(owner, **given))

    def add_rule(self, **notify: Any) -> str:
        rule = Rule(
            account_id=self.account_id,
            rule_id=new_id(),
            kind="arrived",
            name="At school",
            subject_ids=(self.subject_id,),
            all_subjects=False,
            geofence_id=None,
            args={},
            schedule=None,
            notify=Notify(**notify),
            enabled=True,
            version=1,
            active_from=self.clock(),
            created_at=self.clock(),
        )
        with self.database.begin() as session:
            rules.add(session, rule, self.clock(), fence=None)
        return rule.rule_id

    def happen(
        self,
        rule_id: str | None = None,
        urgency: Urgency = Urgency.NORMAL,
        event_type: str = "pigeon",
        data: Mapping[str, Any] | None = None,
        subject_id: str | None = None,
        session: Session | None = None,
        at: datetime | None = None,
    ) -> str:
        """Store an event and its alert, as ingest does; returns the alert's id."""
        if session is None:
            with self.database.begin() as opened:
                return self.happen(rule_id, urgency, event_type, data, subject_id, opened, at)
        event_id, now = new_id(), self.clock()
        session.execute(
            insert(events).values(
                account_id=self.account_id,
                event_id=event_id,
                rule_id=rule_id,
                rule_version=1 if rule_id else None,
                subject_id=subject_id or self.subject_id,
                type=event_type,
                urgency=urgency.value,
                at=at or now,
                decided_at=now,
                recorded_at=now,
                slot=event_id,
                data=dict(data or {}),
                explanation={},
                news="told",
                updated_at=now,
            )
        )
        alert = Alert(
            account_id=self.account_id,
            alert_id=new_id(),
            event_id=event_id,
            urgency=urgency,
            state=AlertState.OPEN,
            told_at=now,
        )
        assert alerts.open_many(session, [alert]) == {event_id}
        return alert.alert_id

    def work(self) -> None:
        """Decide and send until nothing is due at this moment."""
        while self.alerting.decide(self.clock()) + self.dispatcher.drain(self.clock()):
            pass

    def go_on(self, **amount: float) -> None:
        """Let time pass in strides of ten seconds, working at each."""
        end = self.clock() + timedelta(**amount)
        while self.clock() < end:
            self.clock.now = min(self.clock() + timedelta(seconds=10), end)
            self.work()

    def alert(self, alert_id: str) -> Alert:
        with self.database.begin() as session:
            return alerts.get(session, self.account_id, alert_id)

    def ledger(self, alert_id: str) -> list[Delivery]:
        with self.database.begin() as session:
            return deliveries.of_alert(session, self.account_id, alert_id)

    def states(self, alert_id: str) -> dict[str, str]:
        """Return what became of each channel's line; of one contact."""
        return {each.channel: each.state.value for each in self.ledger(alert_id)}

    def count(self, table: str) -> int:
        with self.database.begin() as session:
            found: int = session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608
            return found

    def news(self, alert_id: str) -> str:
        with self.database.begin() as session:
            found: str = session.execute(
                select(events.c.news).where(events.c.event_id == self.alert(alert_id).event_id)
            ).scalar_one()
            return found

    @property
    def sms(self) -> Sink:
        return self.sinks["sms"]

    @property
    def email(self) -> Sink:
        return self.sinks["email"]

    def contact(self, contact_id: str) -> Contact:
        with self.database.begin() as session:
            return contacts.get(session, self.account_id, contact_id)
