"""What every shape of a fence must be able to do."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from numpy import float64
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from tracker.domain.geo import LatLon
from tracker.domain.geofence import Geometry

Floats = NDArray[float64]


class Box(NamedTuple):
    """Degrees around a fence; over the 180th meridian they run on (170..190 or -190..-170).

    A fence that holds a pole, or runs around it, has west -180, east 180 and the pole's latitude.
    """

    south: float
    west: float
    north: float
    east: float


class Footprint(Protocol):
    """A geometry made ready for tests; it never changes, and its `repr` tells no place."""

    @property
    def box(self) -> Box:
        """Degrees that the whole fence lies within."""

    @property
    def middle(self) -> LatLon:
        """A place near the middle; for a bent fence it may lie outside."""

    @property
    def inradius_m(self) -> float:
        """Radius of about the largest disc inside: what a fix's error is compared with."""

    def distance_m(self, lat: float, lon: float) -> float:
        """Return the distance to the edge in metres, negative inside.

        On the sphere of `EARTH_RADIUS_M`, within 0.15 % as far as 50 km from the edge; farther away it may
        be less than the truth, never more.
        """

    def distances_m(self, lats: Floats, lons: Floats) -> Floats:
        """Return `distance_m` of many places at once."""

    def passes_m(self, a: LatLon, b: LatLon) -> float:
        """Return how many metres of the straight way from `a` to `b` lie inside."""


class Shape(Protocol):
    """One kind of fence: how it is told in GeoJSON, and what it covers."""

    name: str

    def matches(self, geometry: Mapping[str, Any]) -> bool:
        """Tell whether a GeoJSON geometry is of this kind, be it right or wrong; by its `type` alone."""

    def read(self, geometry: Mapping[str, Any], properties: Mapping[str, Any]) -> Geometry:
        """Return the fence of a GeoJSON (RFC 7946) geometry and the properties of its feature.

        Raises:
            Invalid: of `geometry` or of a property (`properties.radius_m`), with the reason.
        """

    def write(self, geometry: Geometry) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the GeoJSON geometry, cut at the 180th meridian, and the properties `read` would need."""

    def footprint(self, geometry: Geometry) -> Footprint:
        """Make a geometry ready for tests."""

    def lonlat_geometry(self, geometry: Geometry) -> BaseGeometry:
        """Return what the fence covers in degrees, x = lon, y = lat, cut at the 180th meridian."""
