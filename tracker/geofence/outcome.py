"""What a transaction makes of folds: crossings, events, alerts; gathered first, then written at once."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog

from tracker.domain.crossing import Crossing
from tracker.domain.event import Event, News
from tracker.domain.fold import RuleRaised
from tracker.domain.ids import new_id
from tracker.domain.notification import Alert, AlertState
from tracker.domain.reconcile import Span, reconcile, reconcile_crossings
from tracker.domain.rule import Urgency
from tracker.geofence import news
from tracker.geofence.book import Bound
from tracker.geofence.folding import Folding
from tracker.geofence.loaded import Loaded
from tracker.geofence.metrics import FenceMetrics
from tracker.geofence.places import Places
from tracker.geofence.shapes._shape import Shape
from tracker.store import alert_changes, alerts, crossings, event_changes, live
from tracker.store.session import Session

log = structlog.get_logger()


class Retold(NamedTuple):
    """A part of a subject's history that was folded anew, and the events and crossings stored of it.

    Decided after `after_s` and not after `until_s`.
    """

    made: Folding
    events: Sequence[Event]
    crossings: Sequence[Crossing]
    after_s: float
    until_s: float
    rules: Sequence[Bound]


class _New(NamedTuple):
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
        self._superseded: list[tuple[Event, str]] = []
        self._retracted: list[Event] = []

    def add_live(self, each: Loaded, made: Folding) -> None:
        """Take a fold at the live edge: what it raised is news."""
        self._warn_of_failed(each, made)
        self._crossings += made.crossings
        bound = {one.rule.rule_id: one for one in each.watched.bound}
        for one in made.raised:
            self._add(each, bound[one.rule_id], one, made)

    def add_retold(self, each: Loaded, retold: Retold) -> None:
        """Take history folded anew: correct what is stored; what it brings is news, what it moves is not."""
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
            [event for event in retold.events if event.rule_id == rule.rule_id and _is_of(each, event)],
            [one.raised for one in mine],
            Span(after_s, retold.until_s),
        )
        was = {new.event_id: old for old, new in changes.supersede}
        for new in (*changes.add, *changes.revive):
            self._add(each, bound, of_event[id(new.raised)], made, old=was.get(new.event_id))
        self._superseded += [(old, new.event_id) for old, new in changes.supersede]
        self._retracted += changes.retract

    def _add(
        self, each: Loaded, bound: Bound, one: RuleRaised, made: Folding, *, old: Event | None = None
    ) -> None:
        """Make an event of what was raised; one in place of a told event is told already."""
        event = news.event_of(each.watched, bound, one, made, self._feature(bound), self._now)
        if one.raised.ends:
            event = _with(event, urgency=min(event.urgency, Urgency.URGENT))
        if old is None or old.news is not News.TOLD:
            event = _with(event, news=news.news_of(event, bound, self._now, self._news_for))
        self._new.setdefault((event.account_id, event.event_id), _New(event, one.raised.ends))

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
        if not (self._new or self._superseded or self._retracted):
            return
        self._mute()
        inherited = {(old.account_id, by_id) for old, by_id in self._superseded if old.news is News.TOLD}
        added = event_changes.add_many(self._session, [new.event for new in self._new.values()])
        self._correct()
        opened = [
            new
            for key, new in self._new.items()
            if new.event.event_id in added and new.event.news is News.TOLD and key not in inherited
        ]
        alerts.open_many(self._session, [self._alert(new.event) for new in opened])
        self._count(added, inherited)
        self._end(added)
        touched = {account_id for account_id, _ in self._new}
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

    def _alert(self, event: Event) -> Alert:
        return Alert(
            account_id=event.account_id,
            alert_id=new_id(),
            event_id=event.event_id,
            urgency=event.urgency,
            state=AlertState.OPEN,
            told_at=self._now,
        )


def _is_of(each: Loaded, event: Event) -> bool:
    """Tell whether an event can be told anew: what a device told that has left the subject since stays."""
    return event.device_id is None or event.device_id in each.devices


def _with(event: Event, **changed: Any) -> Event:
    return replace(event, **changed)
