"""The only bridge between LatLon and PostGIS's well-known binary."""

import struct

from tracker.domain.geo import LatLon

_HEAD = struct.pack("<BII", 1, 0x20000001, 4326)
_XY = struct.Struct("<dd")


def to_ewkb(at: LatLon) -> bytes:
    """Return the EWKB of a point, SRID 4326, x = lon, y = lat (PostGIS manual, 4.1.2)."""
    return _HEAD + _XY.pack(at.lon, at.lat)


def from_lonlat(lon: float, lat: float) -> LatLon:
    """Return the place of `ST_X` and `ST_Y` of a stored point."""
    return LatLon(lat=lat, lon=lon)
