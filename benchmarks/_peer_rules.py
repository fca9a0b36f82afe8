"""How others decide that a fence was crossed, written anew from what they publish.

Each takes the fixes of a day in the order of arrival and one place, and returns what it would tell: whether
the subject came in, and the moment of the fix that made it say so. The first fix of a day tells nothing.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from benchmarks._ground_truth import Place
from benchmarks._noise import Seen


class Told(NamedTuple):
    """An alert; `at_s` is the moment of the fix, `arrived_s` when it could be told."""

    inside: bool
    at_s: float
    arrived_s: float


Rule = Callable[[Sequence[Seen], Place], list[Told]]

UNSAID_M = 0.0
"""What peers take an accuracy for that is not told."""
GATE_M = 50.0


def traccar(fixes: Sequence[Seen], place: Place) -> list[Told]:
    """The point alone, of fixes not older than the newest (GeofenceEventHandler, PositionUtil.isLatest)."""
    newest_s = -math.inf
    latest = []
    for fix in fixes:
        if fix.at_s >= newest_s:
            newest_s = fix.at_s
            latest.append(fix)
    return _changes(latest, lambda fix: place.distance_m(fix.x, fix.y) < 0)


def home_assistant(fixes: Sequence[Seen], place: Place) -> list[Told]:
    """In the zone if distance - accuracy < radius; fixes as they come (components/zone, `in_zone`)."""
    return _changes(fixes, lambda fix: place.distance_m(fix.x, fix.y) < _accuracy(fix))


def owntracks(fixes: Sequence[Seen], place: Place) -> list[Told]:
    """Android's own check on the phone, so in order: in if distance <= radius + accuracy, else out."""
    ordered = sorted(fixes, key=lambda fix: fix.at_s)
    return _changes(ordered, lambda fix: place.distance_m(fix.x, fix.y) <= _accuracy(fix))


def owntracks_gated(fixes: Sequence[Seen], place: Place) -> list[Told]:
    """The same with `ignoreInaccurateLocations` 50, as its users are advised (owntracks/android#670)."""
    return owntracks([fix for fix in fixes if _accuracy(fix) <= GATE_M], place)


def recorder(fixes: Sequence[Seen], place: Place) -> list[Told]:
    """OwnTracks Recorder: within the radius or not, as the fixes come."""
    return _changes(fixes, lambda fix: place.distance_m(fix.x, fix.y) < 0)


def arcgis(fixes: Sequence[Seen], place: Place) -> list[Told]:
    """`enterContainsAndExitDoesNotIntersect`: in when the accuracy's circle is, out when it is apart."""

    def side(fix: Seen) -> bool | None:
        distance_m = place.distance_m(fix.x, fix.y)
        if distance_m + _accuracy(fix) <= 0:
            return True
        return False if distance_m - _accuracy(fix) > 0 else None

    return _changes(fixes, side)


PEERS: dict[str, Rule] = {
    "traccar": traccar,
    "home_assistant": home_assistant,
    "owntracks": owntracks,
    "owntracks_gated": owntracks_gated,
    "recorder": recorder,
    "arcgis": arcgis,
}


def _accuracy(fix: Seen) -> float:
    return UNSAID_M if fix.accuracy_m is None else fix.accuracy_m


def _changes(fixes: Sequence[Seen], side_of: Callable[[Seen], bool | None]) -> list[Told]:
    before: bool | None = None
    told = []
    for fix in fixes:
        side = side_of(fix)
        if side is None:
            continue
        if before is not None and side != before:
            told.append(Told(side, fix.at_s, max(fix.at_s, fix.arrived_s)))
        before = side
    return told
