"""Tells the rules what devices told, in the transaction that stores it; what happened becomes an event.

A subject is folded over the positions and facts of all its devices by moment. What comes in order moves the
live state on and may be told to people. What comes late rewinds to an earlier state and is folded again:
events are corrected, and nobody is told (docs/adr/0010).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from prometheus_client import CollectorRegistry

from tracker.domain.position import HeardFact, Placed
from tracker.domain.rule import InputKind, RuleKind
from tracker.geofence import folding, loaded
from tracker.geofence.book import Book, Watched
from tracker.geofence.heartbeat import Heartbeat
from tracker.geofence.loaded import Loaded, moment_of
from tracker.geofence.metrics import FenceMetrics
from tracker.geofence.nearby import near_of
from tracker.geofence.news import NEWS_FOR
from tracker.geofence.outcome import Outcome
from tracker.geofence.rewinding import Rewound, rewind
from tracker.geofence.shapes._shape import Shape
from tracker.geofence.told import Told, gather
from tracker.store import fence_states, positions_since
from tracker.store.fence_states import Correction
from tracker.store.positions_since import Last, Span
from tracker.store.session import Session

REPLAY_MOST = 2_000
"""More positions of a device than this are not told anew while a batch waits, but by a correction."""
KNOWN_MOST = 200_000
NEAR_FOR = timedelta(minutes=2)

log = structlog.get_logger()


class Watcher:
    """Folds fences and rules; one serves all threads of a process.

    It keeps nothing between transactions but the book, whose contents are never changed, and which devices
    have a row. Two writer threads share it, so that fences are in memory once. `shapes` and `kinds` are the
    variants by name. `beats_as` names the process' heartbeat; None: it has none. Its metrics are made in
    `registry`.
    """

    def __init__(
        self,
        shapes: Mapping[str, Shape],
        kinds: Mapping[str, RuleKind],
        *,
        news_for: timedelta = NEWS_FOR,
        beats_as: str | None = None,
        registry: CollectorRegistry | None = None,
    ) -> None:
        self.metrics = FenceMetrics(registry or CollectorRegistry())
        self.book = Book(shapes, kinds)
        self.shapes = shapes
        self.news_for = news_for
        self._heartbeat = Heartbeat(beats_as) if beats_as else None
        self._known: set[tuple[str, str]] = set()

    def take(
        self, session: Session, placed: Sequence[Placed], heard: Sequence[HeardFact], now: datetime
    ) -> None:
        """Take a batch's new positions and facts; call it once a transaction, behind everything stored."""
        if placed or heard:
            version = self.book.refresh(session)
            concerns = self.book.concerns
            mine = [each for each in placed if concerns(each.account_id)]
            facts = [each for each in heard if concerns(each.account_id)]
            if mine or facts:
                self._take(session, mine, facts, now, version)
        if self._heartbeat is not None:
            self._heartbeat.beat(session, now)

    def load(self, session: Session, watched: Sequence[Watched], now: datetime) -> list[Loaded]:
        """Read and lock the states of subjects; what cannot be read begins anew and is to be corrected."""
        found = loaded.load(session, watched, self._known)
        lost = [
            Correction(each.watched.account_id, name, moment_of(each.watched.since_s))
            for each in found
            for name in sorted(each.unread)
        ]
        if lost:
            log.error(
                "states of devices with their fences cannot be read: they are folded anew", count=len(lost)
            )
            fence_states.ask_correction(session, lost, now)
        if len(self._known) > KNOWN_MOST:
            self._known.clear()
        self._known |= {(each.watched.account_id, name) for each in found for name in each.devices}
        return found

    def outcome(self, session: Session, now: datetime) -> Outcome:
        """Return what gathers the consequences of this transaction."""
        return Outcome(session, now, self.shapes, self.news_for, metrics=self.metrics)

    def _take(
        self,
        session: Session,
        placed: Sequence[Placed],
        heard: Sequence[HeardFact],
        now: datetime,
        version: int,
    ) -> None:
        accounts = {each.account_id for each in placed} | {each.account_id for each in heard}
        books = self.book.of(session, accounts, version)
        told = gather(books, placed, heard)
        if not told:
            return
        near = _near(session, told.values(), now)
        outcome = self.outcome(session, now)
        rewound: list[Rewound] = []
        corrections: list[Correction] = []
        subjects = self.load(session, [each.watched for each in told.values()], now)
        for each in subjects:
            given = _of_there(told[each.watched.key], each)
            late_s = _late_from(given, each)
            if late_s is None:
                step(each, given, outcome, near(each.watched))
            elif late_s > each.mid_cut_s:
                rewound.append(Rewound(each, given, each.mid, is_old=False))
            elif late_s > (old := each.old).cut_s:
                rewound.append(Rewound(each, given, old, is_old=True))
            else:
                corrections += _corrections(given, each, late_s)
                step(each, given.ahead_of(each.live), outcome, near(each.watched))
        if rewound:
            corrections += self._rewind(session, rewound, outcome, near)
        fence_states.ask_correction(session, corrections, now)
        outcome.store()
        loaded.save(session, subjects)

    def _rewind(
        self,
        session: Session,
        rewound: Sequence[Rewound],
        outcome: Outcome,
        near: Callable[[Watched], folding.Near | None],
    ) -> list[Correction]:
        """Fold again, from an earlier state, what was stored since; return what is too much for now."""
        spans = [
            Span(each.loaded.watched.account_id, name, moment_of(point.cut_s))
            for each in rewound
            for name, point in each.base.points.items()
        ]
        stored = positions_since.told_since(session, spans, REPLAY_MOST)
        corrections: list[Correction] = []
        fit = []
        for each in rewound:
            if any(stored[name].upto is not None for name in each.base.points):
                late_s = _late_from(each.told, each.loaded)
                corrections += _corrections(each.told, each.loaded, late_s or 0.0)
                step(each.loaded, each.told.ahead_of(each.loaded.live), outcome, near(each.loaded.watched))
            else:
                fit.append(each)
        for one in fit:
            self.metrics.count_replay("old" if one.is_old else "mid")
        rewind(session, fit, stored, outcome, near)
        return corrections


def step(each: Loaded, given: Told, outcome: Outcome, near: folding.Near | None = None) -> None:
    """Move a subject's live state on by what is later than everything in it, and tell."""
    if given.is_empty:
        return
    made = folding.run(each.watched, each.live, given.fixes, given.facts, near=near)
    outcome.add_live(each, made)
    each.move_on(made.subject)


def _of_there(told: Told, each: Loaded) -> Told:
    """Return what was told by devices that are still there."""
    if all(name in each.devices for name in told.fixes):
        return told
    fixes = {name: given for name, given in told.fixes.items() if name in each.devices}
    facts = [timed for timed in told.facts if timed.device_id in each.devices]
    return Told(told.watched, fixes, facts)


def _late_from(given: Told, each: Loaded) -> float | None:
    """Return the moment of the earliest input that is late; None: everything comes in order."""
    late = [
        at_s
        for device_id, at_s, fact in given.moments()
        if device_id in each.live.points and folding.is_late(each.live, device_id, at_s, fact=fact)
    ]
    return min(late, default=None)


def _corrections(given: Told, each: Loaded, since_s: float) -> list[Correction]:
    named: Collection[str] = {device_id for device_id, _, _ in given.moments()}
    return [Correction(each.watched.account_id, name, moment_of(since_s)) for name in sorted(named)]


def _near(session: Session, told: Iterable[Told], now: datetime) -> Callable[[Watched], folding.Near | None]:
    """Return who tells which other subjects were near; the database is asked only if a rule wants to know."""
    asking = {
        each.watched.account_id
        for each in told
        if any(InputKind.NEARBY in bound.kind.inputs for bound in each.watched.bound)
    }
    if not asking:
        return lambda _watched: None
    last: dict[str, list[Last]] = {}
    for one in positions_since.last_of_accounts(session, sorted(asking), now - 2 * NEAR_FOR):
        last.setdefault(one.account_id, []).append(one)
    return lambda watched: near_of(watched, last.get(watched.account_id, ()), NEAR_FOR.total_seconds())
