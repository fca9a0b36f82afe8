"""What a transaction makes of folds: crossings, events, alerts; gathered first, then written at once."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog

from tracker.domain.crossing import Crossing, Phase
from tracker.domain.event import Event, News
from tracker.domain.fold import RuleRaised
from tracker.domain.ids import new_id
from tracker.domain.notification import Alert, AlertState
from tracker.domain.reconcile import Span, reconcile, reconcile_crossings
from tracker.domain.rule import Urgency
from tracker.geofence import news
from tracker.geofence.book import Bound
from tracker.geofence.folding import Folding, Subject
from tracker.geofence.loaded import Loaded
from tracker.geofence.metrics import FenceMetrics
from tracker.geofence.places import Places
from tracker.geofence.shapes._shape import Shape
from tracker.store import alert_changes, alerts, crossings, event_changes, live
from tracker.store.session import Session

log = structlog.get_logger()


class Retold(NamedTuple):
    """A part of a subject's history that was folded anew, and the events and crossings stored of it.

    Decided after `after_s` and not after `until_s`. `ahead_s` is, by device, the first moment that was not
    late for the device: what is decided from then on may be told. `before` is the live state until now.
    """

    made: Folding
    events: Sequence[Event]
    crossings: Sequence[Crossing]
    after_s: float
    until_s: float
    before: Subject
    ahead_s: Mapping[str, float]
    rules: Sequence[Bound]


class _New(NamedTuple):
    loaded: Loaded
    event: Event
    ends: bool


class Outcome:
    """Gathers the consequences of a transaction and writes them; `news_for` is how long events are news."""

    def __init__(
        self,
        session: Session,
        now: datetime,
        shapes: Mapping[str, Shape],
        news_for: timedelta = news.NEWS_FOR,
        *,
        metrics: FenceMetrics,
    ) -> None:
        self._session = session
        self._metrics = metrics
        self._now = now
        self._places = Places(shapes)
        self._news_for = news_for
        self._features: dict[tuple[str, str], dict[str, Any]] = {}
        self._crossings: list[Crossing] = []
        self._gone: list[Crossing] = []
        self._new: dict[tuple[str, str], _New] = {}
        self._promoted: list[tuple[Loaded, str, Mapping[str, Any]]] = []
        self._superseded: list[tuple[Event, str]] = []
        self._retracted: list[Event] = []

    def add_live(self, each: Loaded, made: Folding) -> None:
        """Take a fold at the live edge: what it raised is news."""
        self._warn_of_failed(each, made)
        self._crossings += made.crossings
        raised = {one.rule_id for one in made.raised}
        bound = {one.rule.rule_id: one for one in each.watched.bound}
        for one in made.raised:
            self._add(each, bound[one.rule_id], one, made)
        for rule_id, late in list(each.late.items()):
            del each.late[rule_id]
            old = self._now.timestamp() - late["decided_s"] > self._news_for.total_seconds()
            if rule_id not in raised and not old and _still(late, made.subject):
                self._promoted.append((each, rule_id, late))

    def add_retold(self, each: Loaded, retold: Retold) -> None:
        """Take history folded anew: correct what is stored; tell only of what was at the live edge."""
        made = retold.made
        self._warn_of_failed(each, made)
        versions = {name: fence.version for name, fence in each.watched.geofences.items()}
        by_device: dict[str, list[Crossing]] = {name: [] for name in made.subject.points}
        for crossing in retold.crossings:
            by_device.setdefault(crossing.device_id, []).append(crossing)
        span = Span(retold.after_s, retold.until_s)
        for device_id, stored in by_device.items():
            folded = [crossing for crossing in made.crossings if crossing.device_id == device_id]
            changes = reconcile_crossings(stored, folded, versions, span)
            self._crossings += changes.write
            fences = each.watched.fences_of(device_id)
            self._gone += [
                crossing
                for crossing in changes.remove
                if crossing.decided_at.timestamp() >= fences.term(crossing.geofence_id).from_s
            ]
        for bound in retold.rules:
            if bound.rule.rule_id not in made.failed:
                self._retell_rule(each, bound, retold)

    def _warn_of_failed(self, each: Loaded, made: Folding) -> None:
        """Say which kinds of rules failed, and count them; their states stay as they were."""
        for bound in each.watched.bound:
            if bound.rule.rule_id in made.failed:
                self._metrics.count_failure(bound.kind.name)
                log.error("a rule failed", kind=bound.kind.name, rule=bound.rule.rule_id)

    def _retell_rule(self, each: Loaded, bound: Bound, retold: Retold) -> None:
        made, rule = retold.made, bound.rule
        mine = [one for one in made.raised if one.rule_id == rule.rule_id]
        of_event = {id(one.raised): one for one in mine}
        from_s = rule.active_from.timestamp()
        if bound.fence is not None:
            from_s = max(from_s, each.watched.fences.term(bound.fence.geofence_id).from_s)
        # Inclusive of that very moment: the span begins behind its first bound.
        after_s = max(retold.after_s, math.nextafter(from_s, -math.inf))
        changes = reconcile(
            rule.rule_id,
            rule.version,
            each.watched.subject_id,
            [event for event in retold.events if event.rule_id == rule.rule_id],
            [one.raised for one in mine],
            Span(after_s, retold.until_s),
        )
        was = {new.event_id: old for old, new in changes.supersede}
        made_late: list[tuple[Event, Crossing | None]] = []
        for new in (*changes.add, *changes.revive):
            one, old = of_event[id(new.raised)], was.get(new.event_id)
            ahead = old is None and _is_ahead(bound, one, made, retold.ahead_s)
            event, crossing = self._add(each, bound, one, made, ahead=ahead, old=old)
            if event.news is News.LATE:
                made_late.append((event, crossing))
        self._superseded += [(old, new.event_id) for old, new in changes.supersede]
        self._retracted += changes.retract
        gone = {old.event_id for old, _ in changes.supersede} | {old.event_id for old in changes.retract}
        if rule.rule_id in each.late and each.late[rule.rule_id]["event_id"] in gone:
            del each.late[rule.rule_id]
        if made_late:
            self._note_late(each, bound, *max(made_late, key=lambda pair: pair[0].at), retold)

    def _note_late(
        self, each: Loaded, bound: Bound, event: Event, crossing: Crossing | None, retold: Retold
    ) -> None:
        """Remember a late event that says something new of what is true now: the next live input tells it."""
        after = retold.made.subject
        if news.sleeps(event, bound) or self._now - event.decided_at > self._news_for:
            return
        late: dict[str, Any] = {
            "event_id": event.event_id,
            "type": event.type,
            "decided_s": event.decided_at.timestamp(),
            "urgency": event.urgency.value,
            "geofence_id": event.geofence_id,
        }
        if crossing is not None:
            place = crossing.device_id, crossing.geofence_id
            if news.phase_of(retold.before, *place) is news.phase_of(after, *place):
                return
            late |= {"device_id": crossing.device_id, "into": crossing.into.value}
        else:
            rule_id = bound.rule.rule_id
            before = retold.before.rules.get(rule_id)
            if before is not None and before.state == after.rules[rule_id].state:
                return
        each.late[bound.rule.rule_id] = late

    def _add(
        self,
        each: Loaded,
        bound: Bound,
        one: RuleRaised,
        made: Folding,
        *,
        ahead: bool = True,
        old: Event | None = None,
    ) -> tuple[Event, Crossing | None]:
        """Make an event of what was raised; one in place of an old one is as told as that was."""
        crossing = news.crossing_of(bound, one, made.crossings)
        event = news.event_of(each.watched, bound, one, made, self._feature(bound), self._now)
        if one.raised.ends:
            event = _with(event, urgency=min(event.urgency, Urgency.URGENT))
        if old is not None:
            told = News.TOLD if old.news is News.TOLD else News.LATE
        elif ahead:
            told = news.news_of(event, bound, self._now, self._news_for)
        else:
            told = News.LATE
        event = _with(event, news=told)
        self._new.setdefault((event.account_id, event.event_id), _New(each, event, one.raised.ends))
        return event, crossing

    def _feature(self, bound: Bound) -> dict[str, Any] | None:
        fence = bound.fence
        if fence is None:
            return None
        key = fence.account_id, fence.geofence_id
        if key not in self._features:
            self._features[key] = self._places.feature(fence)
        return self._features[key]

    def store(self) -> None:
        """Write everything; alerts are opened for what is told, and their teller is woken by the commit."""
        crossings.remove(self._session, {crossings.key_of(each) for each in self._gone})
        crossings.add(self._session, self._crossings, self._now)
        for each in self._crossings:
            self._metrics.count_crossing(each.how.value)
        if not (self._new or self._promoted or self._superseded or self._retracted):
            return
        self._mute()
        inherited = {(old.account_id, new_id_) for old, new_id_ in self._superseded}
        added = event_changes.add_many(self._session, [new.event for new in self._new.values()])
        self._correct()
        opened = [
            new
            for key, new in self._new.items()
            if new.event.event_id in added and new.event.news is News.TOLD and key not in inherited
        ]
        told = [self._alert(new.event.account_id, new.event.event_id, new.event.urgency) for new in opened]
        for new in opened:
            if new.event.rule_id is not None:
                new.loaded.told[new.event.rule_id] = new.event.event_id
        alerts.open_many(self._session, [*told, *self._promote()])
        self._count(added, inherited)
        self._end(added)
        touched = {account_id for account_id, _ in self._new}
        touched |= {each.watched.account_id for each, _, _ in self._promoted}
        touched |= {old.account_id for old, _ in self._superseded}
        touched |= {old.account_id for old in self._retracted}
        for account_id in sorted(touched):
            live.wake(self._session, account_id)

    def _count(self, added: set[str], inherited: set[tuple[str, str]]) -> None:
        for key, new in self._new.items():
            # One in place of a told event was counted with that.
            if new.event.event_id in added and key not in inherited:
                self._metrics.count_alert(new.event.type, new.event.news.value)

    def _mute(self) -> None:
        asking = {new.event.account_id for new in self._new.values() if new.event.news is News.TOLD}
        mutes = event_changes.mutes_in_force(self._session, asking, self._now)
        if mutes:
            for key, new in self._new.items():
                if new.event.news is News.TOLD and news.is_muted(new.event, mutes):
                    self._new[key] = new._replace(event=_with(new.event, news=News.MUTED))

    def _correct(self) -> None:
        event_changes.supersede(
            self._session, [(old.account_id, old.event_id, by_id) for old, by_id in self._superseded]
        )
        event_changes.retract(
            self._session, {(old.account_id, old.event_id) for old in self._retracted}, self._now
        )
        for old, by_id in self._superseded:
            if old.news is News.TOLD:
                alert_changes.move(self._session, old.account_id, old.event_id, by_id)
        self._resolve([(old.account_id, old.event_id) for old in self._retracted if old.news is News.TOLD])

    def _promote(self) -> list[Alert]:
        keys = {
            (each.watched.account_id, late["event_id"]): (each, rule_id, late)
            for each, rule_id, late in self._promoted
        }
        told = event_changes.tell(self._session, keys.keys(), was=[News.LATE])
        found = []
        for (account_id, event_id), (each, rule_id, late) in keys.items():
            if event_id in told:
                each.told[rule_id] = event_id
                self._metrics.count_alert(late["type"], News.TOLD.value)
                found.append(self._alert(account_id, event_id, Urgency(late["urgency"])))
        return found

    def _end(self, added: set[str]) -> None:
        """Resolve the alerts of episodes that are over."""
        over = [new.event for new in self._new.values() if new.ends and new.event.event_id in added]
        slots = {(event.account_id, event.rule_id, event.slot) for event in over if event.rule_id is not None}
        mine = {event.event_id for event in over}
        for account_id, event_ids in event_changes.openings(self._session, slots).items():
            self._resolve([(account_id, event_id) for event_id in event_ids if event_id not in mine])

    def _resolve(self, keys: Sequence[tuple[str, str]]) -> None:
        by_account: dict[str, list[str]] = {}
        for account_id, event_id in keys:
            by_account.setdefault(account_id, []).append(event_id)
        for account_id, event_ids in sorted(by_account.items()):
            alert_changes.resolve(self._session, account_id, event_ids, self._now)

    def _alert(self, account_id: str, event_id: str, urgency: Urgency) -> Alert:
        return Alert(
            account_id=account_id,
            alert_id=new_id(),
            event_id=event_id,
            urgency=urgency,
            state=AlertState.OPEN,
            told_at=self._now,
        )


def _still(late: Mapping[str, Any], after: Subject) -> bool:
    """Tell whether the device is where a late event left it; of one without a crossing it is believed."""
    if "into" not in late:
        return True
    return news.phase_of(after, late["device_id"], late["geofence_id"]) is Phase(late["into"])


def _is_ahead(bound: Bound, one: RuleRaised, made: Folding, ahead_s: Mapping[str, float]) -> bool:
    """Tell whether an input that moved its device's newest moment raised this."""
    if not ahead_s:
        return False
    crossing = news.crossing_of(bound, one, made.crossings)
    device_id = crossing.device_id if crossing is not None else made.devices.get(one.at_s)
    first_s = ahead_s.get(device_id) if device_id is not None else None
    return first_s is not None and one.at_s >= first_s


def _with(event: Event, **changed: Any) -> Event:
    return replace(event, **changed)
