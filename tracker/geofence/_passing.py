"""Who went through a fence between two fixes outside of it."""

from tracker.domain.crossing import Phase, Side
from tracker.domain.geo import LatLon
from tracker.domain.observation import Observation
from tracker.domain.rule import Passed
from tracker.geofence._fences import Fences, Owner
from tracker.geofence._table import Numbers
from tracker.geofence.device_state import DeviceState
from tracker.geofence.index import Fence
from tracker.geofence.verdict import counted_m, verdict


def passages(
    state: DeviceState, fences: Fences, fix: Observation, owner: Owner, numbers: Numbers
) -> list[Passed]:
    """Return the watched fences that lie on the way between two fixes outside of them."""
    last = state.last
    if not fences.watched or last is None or fix.at_s - last.at_s > numbers.passing_s:
        return []
    found: list[Passed] = []
    blur_m = 2 * max(counted_m(last.accuracy_m), counted_m(fix.accuracy_m))
    for fence in fences.watched:
        entry = state.fences.get(fence.geofence_id)
        from_s, until_s = fences.term(fence.geofence_id)
        if (entry is not None and entry.phase is not Phase.OUT) or not from_s <= last.at_s < until_s:
            continue
        if not (_surely_out(fence, last) and _surely_out(fence, fix)):
            continue
        inside_m = fence.footprint.passes_m(
            LatLon(lat=last.lat, lon=last.lon), LatLon(lat=fix.lat, lon=fix.lon)
        )
        if inside_m >= blur_m:
            found.append(Passed(owner.device_id, fence.geofence_id, last.at_s, fix.at_s, inside_m))
    return found


def _surely_out(fence: Fence, fix: Observation) -> bool:
    distance_m = fence.footprint.distance_m(fix.lat, fix.lon)
    said = verdict(distance_m, fix.accuracy_m, fence.inradius_m, fence.margin_m, Phase.OUT)
    return said.side is Side.OUT
