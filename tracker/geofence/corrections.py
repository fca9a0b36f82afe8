"""Corrects what came too late for a batch to correct: folds again from an anchor, a part at a time."""

import json
import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tracker.domain import fold
from tracker.domain.fold import RuleState
from tracker.domain.rule import InputKind
from tracker.geofence import device_state, folding, loaded
from tracker.geofence.book import Watched
from tracker.geofence.folding import Folding, Point, Subject
from tracker.geofence.loaded import Loaded, moment_of
from tracker.geofence.outcome import Retold
from tracker.geofence.rewinding import known_since, refold
from tracker.geofence.service import Watcher
from tracker.store import fence_states, positions_since
from tracker.store.fence_states import Anchor, Correction
from tracker.store.positions_since import Span, Told
from tracker.store.session import Session

POSITIONS_AT_ONCE = 5_000
_INSTANT = timedelta(microseconds=1)


class _Part(NamedTuple):
    """What is folded in one transaction: up to `until_s`, infinity: to the present; what is stored of it."""

    until_s: float
    stored: dict[str, Told]


def correct(watcher: Watcher, session: Session, now: datetime) -> bool:
    """Fold the next part of what has waited longest for correction; tell whether there was any.

    A part ends at the next anchor, after 5,000 positions, or at the present. If history there comes to the
    anchor that is stored, all behind it is right as well.
    """
    waiting = fence_states.waiting_corrections(session, 1)
    if not waiting:
        return False
    first = waiting[0]
    version = watcher.book.refresh(session)
    book = watcher.book.of(session, [first.account_id], version)[first.account_id]
    subject_id = book.subject_of(first.device_id)
    watched = book.watched(subject_id) if subject_id is not None else None
    if watched is None:
        fence_states.take_corrections(session, first.account_id, [first.device_id])
        return True
    (each,) = watcher.load(session, [watched], now)
    since = fence_states.take_corrections(session, watched.account_id, [*watched.device_ids, first.device_id])
    if since is not None and each.devices:
        _correct(watcher, session, each, since, now)
    return True


def _correct(watcher: Watcher, session: Session, each: Loaded, since: datetime, now: datetime) -> None:
    watched, before = each.watched, each.live
    stored = fence_states.anchors_of(session, watched.account_id, watched.device_ids, since=since)
    readable = [anchor for anchor in stored if folding.is_readable(anchor.state)]
    if len(readable) < len(stored):
        # None of another version may end the correction.
        fence_states.remove_anchors(session, watched.account_id, watched.device_ids, since=since)
        readable = [anchor for anchor in readable if anchor.at < since]
    anchors = _by_moment(readable)
    base, later = _base(watched, each, anchors, since)
    part = _part(session, watched, base, min(later, default=math.inf))
    is_last = part.until_s == math.inf
    rules = [bound for bound in watched.bound if InputKind.NEARBY not in bound.kind.inputs]
    until_s = folding.reach_s(before) if is_last else part.until_s
    made = refold(watched, base, part.stored, before, rules, until_s)
    outcome = watcher.outcome(session, now)
    watcher.metrics.count_replay("correction")
    events, crossed = known_since(session, [(watched, base)])
    retold = Retold(
        made=made,
        events=events.get(watched.key, ()),
        crossings=crossed.get(watched.key, ()),
        after_s=folding.lags_s(watched, base),
        until_s=part.until_s,
        rules=rules,
    )
    outcome.add_retold(each, retold)
    if is_last:
        each.rewind(folding.cut_at(base), is_old=True)
        each.move_on(made.subject)
    else:
        _go_on(session, each, made, part, later, now)
    outcome.store()
    loaded.save(session, [each])


def _go_on(
    session: Session, each: Loaded, made: Folding, part: _Part, later: dict[float, Subject], now: datetime
) -> None:
    """Keep the state that a part ends in, and have the next part corrected unless it is known to be right."""
    points = {name: point._replace(cut_s=part.until_s) for name, point in made.subject.points.items()}
    subject = Subject(points, made.subject.rules)
    if part.until_s in later and _is_same(later[part.until_s], subject):
        return
    fence_states.add_anchors(session, loaded.anchors_of(each.watched, subject))
    since = moment_of(part.until_s) + _INSTANT
    named = [Correction(each.watched.account_id, name, since) for name in each.devices]
    fence_states.ask_correction(session, named[:1], now)


def _part(session: Session, watched: Watched, base: Subject, boundary_s: float) -> _Part:
    """Return what is stored after `base`, up to the boundary or as much as goes at once."""
    spans = [Span(watched.account_id, name, moment_of(point.cut_s)) for name, point in base.points.items()]
    stored = positions_since.told_since(session, spans, POSITIONS_AT_ONCE)
    cut_s = min(
        (told.upto.timestamp() for told in stored.values() if told.upto is not None), default=math.inf
    )
    until_s = min(cut_s, boundary_s)
    return _Part(until_s, {name: _until(told, until_s) for name, told in stored.items()})


def _until(told: Told, until_s: float) -> Told:
    if until_s == math.inf:
        return told
    until = moment_of(until_s)
    return Told(
        [position for position in told.positions if position.recorded_at <= until],
        [fact for fact in told.facts if fact.recorded_at <= until],
        None,
    )


def _by_moment(anchors: Iterable[Anchor]) -> dict[float, list[Anchor]]:
    found: dict[float, list[Anchor]] = {}
    for anchor in anchors:
        found.setdefault(anchor.at.timestamp(), []).append(anchor)
    return found


def _base(
    watched: Watched, each: Loaded, anchors: dict[float, list[Anchor]], since: datetime
) -> tuple[Subject, dict[float, Subject]]:
    """Return the newest state before `since`, and the anchors behind it by moment."""
    subjects = {at_s: _subject(watched, each, found) for at_s, found in sorted(anchors.items())}
    before = [at_s for at_s in subjects if at_s < since.timestamp()]
    base = subjects.pop(before[-1]) if before else Subject({}, {})
    points = {name: base.points.get(name) or folding.begin_point(watched) for name in each.devices}
    return Subject(points, base.rules), {
        at_s: one for at_s, one in subjects.items() if not before or at_s > before[-1]
    }


def _subject(watched: Watched, each: Loaded, anchors: Sequence[Anchor]) -> Subject:
    versions = {bound.rule.rule_id: bound.rule.version for bound in watched.bound}
    rules: dict[str, RuleState] = {}
    points: dict[str, Point] = {}
    for anchor in anchors:
        if anchor.device_id in each.devices:
            points[anchor.device_id] = folding.from_bytes(anchor.state)
        for name, state in json.loads(anchor.rules).items():
            if versions.get(name) == state["version"]:
                rules[name] = fold.from_json(state)
    return Subject(points, rules)


def _is_same(stored: Subject, made: Subject) -> bool:
    """Tell whether two states come to the same, whatever had been asked of them."""
    return _plain(stored) == _plain(made)


def _plain(subject: Subject) -> tuple[object, object]:
    points = {
        name: (point.heard_s, device_state.settled(point.state)._replace(until_s=0.0))
        for name, point in subject.points.items()
    }
    return points, {name: json.loads(json.dumps(dict(state.state))) for name, state in subject.rules.items()}
