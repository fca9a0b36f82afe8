"""Tries a rule that is not saved on what was stored of its subjects."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tracker.domain.errors import Invalid
from tracker.domain.fold import Running
from tracker.domain.geo import LatLon, distance_m
from tracker.domain.geofence import Geofence
from tracker.domain.observation import Observation, observed
from tracker.domain.plausibility import UNSAID_ACCURACY_M
from tracker.domain.rule import InputKind, Nearby, Rule, RuleKind, Setting
from tracker.domain.subject import Subject
from tracker.geofence.engine import Fences
from tracker.geofence.folding import heard_input
from tracker.geofence.index import fence_of
from tracker.geofence.preview import Past, Preview, preview
from tracker.geofence.shapes._shape import Shape
from tracker.store.access import Access
from tracker.store.positions_since import Told

SPAN_MOST = timedelta(days=31)
POSITIONS_MOST = 100_000
"""Of one device: a position each 27 s for 31 days."""
NEAR_FOR_S = 120.0
"""How far in time two subjects' positions may lie apart to tell whether they were together."""

Apart = Callable[[Callable[[], Preview]], Preview]
"""Runs a long computation so that others go on meanwhile."""


def check_span(since: datetime, until: datetime) -> None:
    """Refuse a span that is empty or too long.

    Raises:
        Invalid: ("to", ...).
    """
    if until <= since:
        raise Invalid(("to", "must be later than the beginning"))
    if until - since > SPAN_MOST:
        raise Invalid(("to", "must be at most 31 days later than the beginning"))


def run(
    access: Access,
    rule: Rule,
    kind: RuleKind,
    fence: Geofence | None,
    shapes: Mapping[str, Shape],
    *,
    since: datetime,
    until: datetime,
    apart: Apart,
) -> Preview:
    """Return what the rule would have raised of since < t < until; `fence` is its own, saved or not.

    Reads first; `apart` runs the rest, which touches no database.

    Raises:
        Invalid: ("to", ...) the span is empty or too long, or holds more positions than can be tried.
    """
    check_span(since, until)
    everybody = access.subjects()
    fences = _Fences(access, kind, fence, shapes)
    past = _Reading(access, everybody, since, until)
    near = InputKind.NEARBY in kind.inputs
    pasts = []
    for subject in everybody:
        if _applies(rule, kind, fence, subject):
            device_ids, positions, told = past.of(subject)
            facts = [
                heard_input(device_id, fact.recorded_at.timestamp(), fact.kind, fact.data)
                for device_id, one in told.items()
                for fact in one.facts
            ]
            setting = Setting(
                rule=rule,
                subject_id=subject.subject_id,
                subject_kind=subject.kind,
                fence=fence,
                zone=_zone(rule, fence),
                device_ids=device_ids,
                heard_s={},
            )
            pasts.append(
                Past(
                    account_id=access.account_id,
                    subject_id=subject.subject_id,
                    running=[Running(kind, setting)],
                    fences=fences.of(subject),
                    positions=positions,
                    facts=facts,
                    near=past.near(subject) if near else None,
                )
            )
    return apart(lambda: preview(pasts, since.timestamp(), until.timestamp()))


def _applies(rule: Rule, kind: RuleKind, fence: Geofence | None, subject: Subject) -> bool:
    if kind.fits and subject.kind not in kind.fits:
        return False
    if not rule.all_subjects:
        return subject.subject_id in rule.subject_ids
    return fence is None or fence.all_subjects or subject.subject_id in fence.subject_ids


def _zone(rule: Rule, fence: Geofence | None) -> ZoneInfo:
    own = rule.schedule.time_zone if rule.schedule else None
    told = rule.args.get("time_zone")
    return ZoneInfo(own or (fence.time_zone if fence else None) or (told if isinstance(told, str) else "UTC"))


class _Fences:
    """The fences whose crossings a rule is told of: its own, or all of a subject."""

    def __init__(
        self, access: Access, kind: RuleKind, fence: Geofence | None, shapes: Mapping[str, Shape]
    ) -> None:
        wanted = InputKind.CROSSED in kind.inputs
        self._given = [fence] if fence else access.places.geofences(limit=10_000) if wanted else []
        self._ready = {each.geofence_id: fence_of(each, shapes) for each in self._given}
        self._watched = [fence.geofence_id] if fence and InputKind.PASSED in kind.inputs else []
        self._is_own = fence is not None

    def of(self, subject: Subject) -> Fences:
        """Return those of one subject."""
        return Fences(
            [
                self._ready[each.geofence_id]
                for each in self._given
                if self._is_own or each.all_subjects or subject.subject_id in each.subject_ids
            ],
            None,
            self._watched,
        )


class _Reading:
    """What was stored of an account's subjects, each read once."""

    def __init__(
        self, access: Access, everybody: Sequence[Subject], since: datetime, until: datetime
    ) -> None:
        self._access = access
        self._everybody = everybody
        self._since, self._until = since, until
        self._known: dict[str, dict[str, Told]] = {}
        self._observed: dict[str, dict[str, list[Observation]]] = {}

    def of(
        self, subject: Subject
    ) -> tuple[tuple[str, ...], Mapping[str, Sequence[Observation]], Mapping[str, Told]]:
        """Return a subject's devices, their positions by moment, and what they told."""
        positions = self._positions(subject.subject_id)
        return tuple(sorted(positions)), positions, self._known[subject.subject_id]

    def near(self, subject: Subject) -> Callable[[str, Observation], Iterable[Nearby]]:
        """Return who tells which other subjects were near a fix."""
        others = {
            other.subject_id: _Track(
                [fix for fixes in self._positions(other.subject_id).values() for fix in fixes]
            )
            for other in self._everybody
            if other.subject_id != subject.subject_id
        }

        def near(_device_id: str, fix: Observation) -> Iterable[Nearby]:
            for other_id, track in others.items():
                other = track.at(fix.at_s)
                if other is not None:
                    yield _nearby(other_id, fix, other)

        return near

    def _positions(self, subject_id: str) -> dict[str, list[Observation]]:
        found = self._observed.get(subject_id)
        if found is None:
            ids = sorted(each.device_id for each in self._access.devices(subject_id=subject_id))
            told = self._access.places.told(ids, since=self._since, until=self._until, limit=POSITIONS_MOST)
            if any(each.upto is not None for each in told.values()):
                raise Invalid(("to", "there are too many positions: choose a shorter time"))
            found = {name: [observed(each) for each in one.positions] for name, one in told.items()}
            self._known[subject_id], self._observed[subject_id] = told, found
        return found


class _Track:
    """Where a subject was, by moment."""

    def __init__(self, fixes: list[Observation]) -> None:
        self._fixes = sorted(fixes, key=lambda fix: fix.at_s)
        self._moments = [fix.at_s for fix in self._fixes]

    def at(self, at_s: float) -> Observation | None:
        """Return the newest fix not after the moment, if it is young enough."""
        number = bisect_right(self._moments, at_s)
        if not number or at_s - self._moments[number - 1] > NEAR_FOR_S:
            return None
        return self._fixes[number - 1]


def _nearby(other_id: str, fix: Observation, other: Observation) -> Nearby:
    apart_m = distance_m(LatLon(lat=fix.lat, lon=fix.lon), LatLon(lat=other.lat, lon=other.lon))
    errors = [UNSAID_ACCURACY_M if each is None else each for each in (fix.accuracy_m, other.accuracy_m)]
    return Nearby(fix.at_s, other_id, apart_m, (errors[0] ** 2 + errors[1] ** 2) ** 0.5)
