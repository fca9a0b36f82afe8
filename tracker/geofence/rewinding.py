"""Folds a subject again from an earlier state, with what came late in its place."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from tracker.domain.crossing import Crossing
from tracker.domain.event import Event
from tracker.domain.observation import observed
from tracker.domain.rule import InputKind
from tracker.geofence import folding
from tracker.geofence.book import Bound, Watched
from tracker.geofence.folding import Near, Subject
from tracker.geofence.loaded import Loaded, moment_of
from tracker.geofence.outcome import Outcome, Retold
from tracker.geofence.told import Told
from tracker.store import crossings, event_changes
from tracker.store.positions_since import Told as Stored
from tracker.store.session import Session


class Rewound(NamedTuple):
    """A subject to be folded again from `base`, one of its earlier states, and what a batch told of it."""

    loaded: Loaded
    told: Told
    base: Subject
    is_old: bool


def rewind(
    session: Session,
    rewound: Sequence[Rewound],
    stored: Mapping[str, Stored],
    outcome: Outcome,
    near: Callable[[Watched], Near | None],
) -> None:
    """Fold each subject again with what is stored, by device, since its base; correct what that changes."""
    events, crossed = known_since(session, [(each.loaded.watched, each.base) for each in rewound])
    for each in rewound:
        loaded, watched, before = each.loaded, each.loaded.watched, each.loaded.live
        ahead = each.told.ahead_of(before)
        replayed = [bound for bound in watched.bound if InputKind.NEARBY not in bound.kind.inputs]
        made = refold(watched, each.base, stored, before, replayed, folding.reach_s(before))
        beside = _beside(watched, before, ahead, near(watched))
        if beside is not None:
            # What was near at the time is not stored: rules that ask for it are told live input only.
            outcome.add_live(loaded, beside._replace(crossings=()))
            rules = {**made.subject.rules, **beside.subject.rules}
            made = made._replace(subject=Subject(made.subject.points, rules))
        retold = Retold(
            made=made,
            events=events.get(watched.key, ()),
            crossings=crossed.get(watched.key, ()),
            after_s=folding.lags_s(watched, each.base),
            until_s=math.inf,
            rules=replayed,
        )
        outcome.add_retold(loaded, retold)
        loaded.rewind(each.base, is_old=each.is_old)
        loaded.move_on(made.subject)


def refold(
    watched: Watched,
    base: Subject,
    stored: Mapping[str, Stored],
    before: Subject,
    rules: Sequence[Bound],
    until_s: float,
) -> folding.Folding:
    """Fold what is stored since `base`, and let time pass to `until_s`; other rules stay as in `before`."""
    fixes = {
        name: [observed(position) for position in stored[name].positions]
        for name in base.points
        if name in stored
    }
    facts = [
        folding.heard_input(name, fact.recorded_at.timestamp(), fact.kind, fact.data)
        for name in base.points
        if name in stored
        for fact in stored[name].facts
    ]
    mine = {bound.rule.rule_id for bound in rules}
    begun = Subject(base.points, {name: state for name, state in base.rules.items() if name in mine})
    made = folding.run(watched, begun, fixes, facts, until_s, rules=rules)
    kept = {name: state for name, state in before.rules.items() if name not in made.subject.rules}
    return made._replace(subject=Subject(made.subject.points, {**made.subject.rules, **kept}))


def known_since(
    session: Session, bases: Iterable[tuple[Watched, Subject]]
) -> tuple[dict[tuple[str, str], list[Event]], dict[tuple[str, str], list[Crossing]]]:
    """Return, by subject, the stored events and crossings that folding from each base decides anew."""
    subjects, devices = [], []
    owner: dict[str, tuple[str, str]] = {}
    for watched, base in bases:
        since = moment_of(folding.lags_s(watched, base))
        subjects.append((*watched.key, since))
        devices += [(watched.account_id, name, since) for name in base.points]
        owner |= dict.fromkeys(base.points, watched.key)
    events: dict[tuple[str, str], list[Event]] = {}
    for event in event_changes.decided_after(session, subjects):
        events.setdefault((event.account_id, event.subject_id), []).append(event)
    crossed: dict[tuple[str, str], list[Crossing]] = {}
    for crossing in crossings.decided_after(session, devices):
        crossed.setdefault(owner[crossing.device_id], []).append(crossing)
    return events, crossed


def _beside(watched: Watched, before: Subject, ahead: Told, near: Near | None) -> folding.Folding | None:
    """Fold the rules that ask who is near over what is not late; None: there are none, or nothing."""
    rules = [bound for bound in watched.bound if InputKind.NEARBY in bound.kind.inputs]
    if not rules or ahead.is_empty:
        return None
    names = {bound.rule.rule_id for bound in rules}
    base = Subject(before.points, {name: state for name, state in before.rules.items() if name in names})
    return folding.run(watched, base, ahead.fixes, ahead.facts, near=near, rules=rules)
