"""Our own engine on the same fixes: batches as they come, rewinding for late ones, ticks, as ingest does.

A crossing of the last hour is told when it is first known. One that late fixes move is paired with the one in
whose place it stands, as `domain.reconcile` pairs events, and is not told again.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby

from benchmarks._arrival import Base, base_of, take
from benchmarks._ground_truth import Place, lat_lon
from benchmarks._noise import Seen
from benchmarks._peer_rules import Told
from tracker import registry
from tracker.domain.crossing import Crossing, How, Phase
from tracker.domain.geo import LatLon
from tracker.domain.geofence import Circle, FenceOrigin, Geofence
from tracker.domain.observation import Observation
from tracker.domain.reconcile import PAIRED_S, Span
from tracker.geofence import device_state, engine
from tracker.geofence._table import NUMBERS, Numbers
from tracker.geofence.device_state import Checkpoints
from tracker.geofence.index import fence_of
from tracker.geofence.news import NEWS_FOR

GRACE_S = 30.0
"""Time is let pass only so far behind the present: what is on its way must not be called silence."""
OWNER = engine.Owner("a" * 16, "b" * 16, "c" * 16)
FENCE_ID = "f" * 16
_SHAPES = registry.load("tracker.geofence.shapes", "SHAPE")
_MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)


class Ours:
    """`tracker.geofence.engine` with these numbers."""

    def __init__(self, numbers: Numbers = NUMBERS) -> None:
        self._numbers = numbers

    def __call__(self, fixes: Sequence[Seen], place: Place) -> list[Told]:
        """Return what would be told, as the peers' rules do."""
        run = _Run(_fences(place), self._numbers)
        for arrived_s, batch in groupby(fixes, key=lambda fix: max(fix.arrived_s, fix.at_s)):
            run.tick(arrived_s)
            run.take([_observation(fix) for fix in batch], arrived_s)
        run.tick(math.inf)
        return run.told


class _Run:
    def __init__(self, fences: engine.Fences, numbers: Numbers) -> None:
        self._fences = fences
        self._numbers = numbers
        self._points = device_state.begin_checkpoints()
        self._stored: list[Observation] = []
        self._known: list[Crossing] = []
        self.told: list[Told] = []

    def tick(self, arrived_s: float) -> None:
        due_s = engine.due_s(self._points.live, self._numbers)
        if due_s is not None and due_s + GRACE_S <= arrived_s:
            live, crossings = engine.advance(self._points.live, self._fences, due_s, OWNER, self._numbers)
            self._points = self._points._replace(live=live)
            self._tell(crossings, due_s + GRACE_S)

    def take(self, fixes: list[Observation], arrived_s: float) -> None:
        self._stored += fixes
        plan = take(*self._points, fixes)
        if plan.base is not Base.LIVE:
            between = sorted(fix for fix in self._stored if plan.since_s < fix.at_s <= plan.upto_s)
            folded = self._folded(base_of(self._points, plan.base), between, plan.until_s)
            self._correct(folded, Span(plan.since_s, plan.until_s), arrived_s)
        if plan.ahead:
            self._tell(self._folded(self._points, list(plan.ahead), -math.inf), arrived_s)

    def _folded(self, points: Checkpoints, fixes: list[Observation], until_s: float) -> tuple[Crossing, ...]:
        folded = engine.replay(points, self._fences, fixes, OWNER, until_s, self._numbers)
        self._points = folded.points
        return folded.crossings

    def _tell(self, crossings: Iterable[Crossing], arrived_s: float) -> None:
        for crossing in crossings:
            self._known.append(crossing)
            decided_s = crossing.decided_at.timestamp()
            if crossing.how is not How.FIRST and arrived_s - decided_s <= NEWS_FOR.total_seconds():
                self.told.append(Told(crossing.into is Phase.IN, decided_s, arrived_s))

    def _correct(self, folded: Sequence[Crossing], span: Span, arrived_s: float) -> None:
        """Tell what is new; what stands for another, half an hour from it at most, was told with that."""
        keys, known = {crossing.key for crossing in folded}, {crossing.key for crossing in self._known}
        gone = [
            crossing
            for crossing in self._known
            if crossing.key not in keys and span.covers(crossing.decided_at.timestamp())
        ]
        self._known = [crossing for crossing in self._known if crossing not in gone]
        new = [crossing for crossing in folded if crossing.key not in known]
        near = sorted(
            (apart_s, old.key, one.key)
            for old in gone
            for one in new
            if old.into is one.into and (apart_s := abs((old.at - one.at).total_seconds())) < PAIRED_S
        )
        used: set[str] = set()
        for _, old_key, new_key in near:
            if not {old_key, new_key} & used:
                used |= {old_key, new_key}
        self._known += [crossing for crossing in new if crossing.key in used]
        self._tell((crossing for crossing in new if crossing.key not in used), arrived_s)


def _fences(place: Place) -> engine.Fences:
    lat, lon = lat_lon(place.x, place.y)
    geofence = Geofence(
        account_id=OWNER.account_id,
        geofence_id=FENCE_ID,
        name="place",
        shape="circle",
        geometry=Circle(center=LatLon(lat=lat, lon=lon), radius_m=place.radius_m),
        subject_ids=(),
        all_subjects=True,
        time_zone="UTC",
        schedule=None,
        template=None,
        origin=FenceOrigin.DRAWN,
        version=1,
        created_at=_MADE_AT,
        changed_at=_MADE_AT,
    )
    return engine.Fences([fence_of(geofence, _SHAPES)])


def _observation(fix: Seen) -> Observation:
    lat, lon = lat_lon(fix.x, fix.y)
    return Observation(fix.at_s, lat, lon, fix.accuracy_m)
