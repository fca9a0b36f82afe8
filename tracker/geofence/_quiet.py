"""The disc around a device in which nothing can change, so that most fixes cost one distance."""

import math

from tracker.domain.geo import EARTH_RADIUS_M
from tracker.domain.observation import Observation
from tracker.domain.plausibility import UNSAID_ACCURACY_M
from tracker.geofence._fences import Fences
from tracker.geofence.device_state import Quiet

DEGREE_M = math.radians(1) * EARTH_RADIUS_M
QUIET_WIDER = 2.0
"""A quiet disc is good for fixes up to so much worse than the one it was made at: accuracies waver."""
_QUIET_MOST_M = 50_000.0
_QUIET_LEAST_M = 5.0


def quiet_around(fences: Fences, fix: Observation, accuracy_m: float) -> Quiet | None:
    """Return the disc around a fix in which every fix of this accuracy is as sure of every side."""
    radius_m = fences.index.clearance_m(fix.lat, fix.lon, accuracy_m)
    # The sphere's distances are good to 0.15 %, and those of far fences are lower bounds.
    radius_m = min(radius_m * 0.99, _QUIET_MOST_M)
    if radius_m < _QUIET_LEAST_M:
        return None
    return Quiet(fix.lat, fix.lon, radius_m, accuracy_m, fences.next_change_s(fix.at_s), fences.stamp)


def is_within(quiet: Quiet, fix: Observation) -> bool:
    """Tell whether a fix lies in the disc and is no worse than it is made for."""
    accuracy_m = fix.accuracy_m
    if (UNSAID_ACCURACY_M if accuracy_m is None else accuracy_m) > quiet.accuracy_m:
        return False
    north_m = (fix.lat - quiet.lat) * DEGREE_M
    east_m = (fix.lon - quiet.lon) * DEGREE_M
    if abs(north_m) + abs(east_m) <= quiet.radius_m:
        return True
    # No shorter than the great circle: degrees of longitude are widest at the lower latitude.
    east_m *= math.cos(math.radians(min(abs(fix.lat), abs(quiet.lat))))
    return north_m * north_m + east_m * east_m <= quiet.radius_m * quiet.radius_m
