"""How near a fix is to the rule's fence, for the few that a rule must look at itself."""

from collections.abc import Mapping
from functools import lru_cache

from tracker import registry
from tracker.domain.crossing import Evidence, Side
from tracker.domain.geofence import Geofence, Geometry
from tracker.domain.observation import Observation
from tracker.geofence.shapes._shape import Footprint, Shape
from tracker.geofence.verdict import IN_AT, OUT_AT, probability_inside

FOOTPRINTS_KEPT = 256


def evidence_of(fence: Geofence, fix: Observation) -> Evidence | None:
    """Return what a fix says of a fence; None: the fence is of a shape that is not known here."""
    footprint = _footprint(fence.shape, fence.geometry)
    if footprint is None:
        return None
    distance_m = footprint.distance_m(fix.lat, fix.lon)
    probability = probability_inside(distance_m, fix.accuracy_m, footprint.inradius_m)
    side = Side.IN if probability >= IN_AT else Side.OUT if probability <= OUT_AT else Side.UNSURE
    return Evidence(fix.at_s, fix.lat, fix.lon, fix.accuracy_m, distance_m, probability, side, False)


@lru_cache(maxsize=FOOTPRINTS_KEPT)
def _footprint(shape: str, geometry: Geometry) -> Footprint | None:
    shapes: Mapping[str, Shape] = registry.load("tracker.geofence.shapes", "SHAPE")
    return shapes[shape].footprint(geometry) if shape in shapes else None
