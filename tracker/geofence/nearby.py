"""Which other subjects of an account were near a fix. Pure."""

import math
from collections.abc import Iterable, Iterator, Sequence

from tracker.domain.geo import LatLon, distance_m
from tracker.domain.observation import Observation
from tracker.domain.plausibility import UNSAID_ACCURACY_M
from tracker.domain.rule import Nearby
from tracker.geofence.book import Watched
from tracker.geofence.folding import Near
from tracker.store.positions_since import Last


def near_of(watched: Watched, last: Sequence[Last], within_s: float) -> Near:
    """Return who tells, of a fix, how far the other subjects are that were last seen `within_s` from it."""
    others = [one for one in last if one.subject_id != watched.subject_id]

    def near(_device_id: str, fix: Observation) -> Iterable[Nearby]:
        nearest: dict[str, Nearby] = {}
        for one in _told(others, fix, within_s):
            known = nearest.get(one.other_subject_id)
            if known is None or one.distance_m < known.distance_m:
                nearest[one.other_subject_id] = one
        return nearest.values()

    return near


def _told(others: Iterable[Last], fix: Observation, within_s: float) -> Iterator[Nearby]:
    for other in others:
        if abs(other.at_s - fix.at_s) <= within_s:
            apart_m = distance_m(LatLon(lat=fix.lat, lon=fix.lon), LatLon(lat=other.lat, lon=other.lon))
            blur_m = math.hypot(
                *(UNSAID_ACCURACY_M if each is None else each for each in (fix.accuracy_m, other.accuracy_m))
            )
            yield Nearby(fix.at_s, other.subject_id, apart_m, blur_m)
