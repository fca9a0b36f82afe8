"""Random fences and tracks around them, and a device's row that takes batches as the service does."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from hypothesis import strategies as st

from benchmarks._arrival import Base, base_of, take
from tests.geofence.engine.script import OWNER, START_S, at, circle
from tracker.domain.crossing import Crossing
from tracker.domain.observation import Observation
from tracker.domain.reconcile import Span, reconcile_crossings
from tracker.geofence.device_state import (
    Checkpoints,
    begin_checkpoints,
    from_bytes,
    rotate,
    to_bytes,
)
from tracker.geofence.engine import Fences, Term, advance, replay, step

END_S = START_S + 1e6


@st.composite
def fence_sets(draw: st.DrawFn) -> Fences:
    """One to four circles near each other, some of them in force for a part of the time only."""
    found, terms = [], {}
    for number in range(draw(st.integers(1, 4))):
        name = f"f{number}"
        found.append(
            circle(
                name,
                draw(st.sampled_from([20.0, 60.0, 150.0, 400.0])),
                draw(st.integers(-300, 300)),
                draw(st.integers(-300, 300)),
            )
        )
        if draw(st.booleans()):
            from_s = START_S + draw(st.integers(0, 6000))
            terms[name] = Term(from_s, from_s + draw(st.sampled_from([600.0, 3000.0, 1e9])))
    return Fences(found, terms, ["f0"])


@st.composite
def tracks(draw: st.DrawFn, most: int = 60) -> list[Observation]:
    """Fixes by moment: rests at a few places, ways between them, doubtful accuracies, a jump now and then."""
    # By a seed: drawn one by one, the fixes of most tracks would be few and cross nothing.
    chance = Random(draw(st.integers(0, 2**32)))
    places = [(chance.uniform(-900, 900), chance.uniform(-900, 900)) for _ in range(3)] + [(0.0, 0.0)]
    waits_s = chance.choice([(3, 10, 10), (10, 60, 130), (60, 120, 300), (3, 60, 300, 1000)])
    accuracies_m = chance.choice([(5.0, 12.0), (5.0, 30.0, 60.0, None), (5.0, 400.0, 2000.0)])
    seconds, place, found = 0.0, chance.choice(places), list[Observation]()
    for _ in range(draw(st.integers(1, most))):
        seconds += chance.choice(waits_s)
        if chance.random() < 0.25:
            place = chance.choice(places)
        accuracy_m = chance.choice(accuracies_m)
        error_m = chance.gauss(0, (accuracy_m or 25) / 2)
        north_m, east_m = place[0] + error_m, place[1] + error_m * chance.uniform(-1, 1)
        if chance.random() < 0.04:
            north_m += 60_000
        found.append(at(seconds, north_m, accuracy_m, east_m))
    return found


@st.composite
def arrivals(draw: st.DrawFn, fixes: Sequence[Observation]) -> list[list[Observation]]:
    """The same fixes in another order, some of them twice, in batches."""
    # Most data is late by a little: a window of the track is shuffled at a time, at times all of it.
    window = draw(st.sampled_from([1, 2, 3, 6, len(fixes)]))
    order: list[Observation] = []
    for start in range(0, len(fixes), window):
        order += draw(st.permutations(fixes[start : start + window]))
    for again in draw(st.lists(st.sampled_from(order), max_size=3)):
        order.insert(draw(st.integers(0, len(order))), again)
    batches: list[list[Observation]] = [[]]
    for fix in order:
        batches[-1].append(fix)
        if draw(st.booleans()):
            batches.append([])
    return batches


@dataclass
class Row:
    """What a database would hold of a device; states go through their bytes at every batch."""

    fences: Fences
    points: tuple[bytes, bytes, bytes] = field(default_factory=lambda: _packed(begin_checkpoints()))
    positions: dict[float, Observation] = field(default_factory=dict)
    crossings: dict[str, Crossing] = field(default_factory=dict)
    rewinds: int = 0
    corrections: int = 0

    @property
    def frontier_s(self) -> float:
        """The newest input."""
        return from_bytes(self.points[0]).frontier_s

    def receive(self, batch: Sequence[Observation]) -> None:
        """Take a batch by its plan: rewind, correct, step."""
        new = [fix for fix in batch if fix.at_s not in self.positions]
        self.positions |= {fix.at_s: fix for fix in new}
        points = _unpacked(self.points)
        plan = take(*points, new)
        if plan.base is not Base.LIVE:
            self.rewinds += 1
            points = self._rewind(base_of(points, plan.base), plan.since_s, plan.upto_s, plan.until_s)
        for fix in plan.ahead:
            stepped = step(points.live, self.fences, fix, OWNER)
            points = rotate(points, stepped.state)
            self._note(stepped.crossings)
        if plan.correct_since_s is not None:
            self.corrections += 1
            live = points.live
            points = self._rewind(begin_checkpoints(), -END_S, live.frontier_s, live.until_s)
        self.points = _packed(points)

    def tick(self, until_s: float) -> None:
        """Let time pass."""
        points = _unpacked(self.points)
        live, crossings = advance(points.live, self.fences, until_s, OWNER)
        self._note(crossings)
        self.points = _packed(points._replace(live=live))

    def told(self) -> list[Crossing]:
        """Return what is noted."""
        return sorted(self.crossings.values(), key=lambda one: (one.at, one.geofence_id))

    def _rewind(self, base: Checkpoints, since_s: float, upto_s: float, until_s: float) -> Checkpoints:
        span = [self.positions[moment] for moment in sorted(self.positions) if since_s < moment <= upto_s]
        fold = replay(base, self.fences, span, OWNER, until_s)
        versions = {crossing.geofence_id: 1 for crossing in self.crossings.values()}
        changes = reconcile_crossings(self.crossings.values(), fold.crossings, versions, Span(since_s, END_S))
        for gone in changes.remove:
            del self.crossings[gone.key]
        self._note(changes.write)
        return fold.points

    def _note(self, crossings: Sequence[Crossing]) -> None:
        self.crossings |= {crossing.key: crossing for crossing in crossings}


def _packed(points: Checkpoints) -> tuple[bytes, bytes, bytes]:
    return to_bytes(points.live), to_bytes(points.mid), to_bytes(points.old)


def _unpacked(stored: tuple[bytes, bytes, bytes]) -> Checkpoints:
    live, mid, old = stored
    return Checkpoints(from_bytes(live), from_bytes(mid), from_bytes(old))


def by_moment(crossings: Sequence[Crossing]) -> list[Crossing]:
    """Return crossings in one order."""
    return sorted(crossings, key=lambda one: (one.at, one.geofence_id))
