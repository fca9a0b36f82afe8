"""The only bridge between places and PostGIS's well-known binary."""

import struct
from collections.abc import Sequence

from tracker.domain.geo import LatLon
from tracker.domain.geofence import Circle, Corridor, Geometry, Polygon, Ring

_HEAD = struct.pack("<BII", 1, 0x20000001, 4326)
_XY = struct.Struct("<dd")
_TYPE = struct.Struct("<BI")
_COUNT = struct.Struct("<I")
_POINT, _LINE, _POLYGON, _MULTIPOLYGON = 1, 2, 3, 6


def to_ewkb(at: LatLon) -> bytes:
    """Return the EWKB of a point, SRID 4326, x = lon, y = lat (PostGIS manual, 4.1.2)."""
    return _HEAD + _XY.pack(at.lon, at.lat)


def from_lonlat(lon: float, lat: float) -> LatLon:
    """Return the place of `ST_X` and `ST_Y` of a stored point."""
    return LatLon(lat=lat, lon=lon)


def geometry_to_wkb(geometry: Geometry) -> bytes:
    """Return the WKB (OGC 06-103r4, 8.2), little-endian, of a fence's point, line or polygons.

    A circle's radius and a corridor's width are not in it.
    """
    if isinstance(geometry, Circle):
        return _TYPE.pack(1, _POINT) + _XY.pack(geometry.center.lon, geometry.center.lat)
    if isinstance(geometry, Corridor):
        return _TYPE.pack(1, _LINE) + _places(geometry.line)
    parts = [_polygon(rings) for rings in geometry.parts]
    if len(parts) == 1:
        return parts[0]
    return _TYPE.pack(1, _MULTIPOLYGON) + _COUNT.pack(len(parts)) + b"".join(parts)


def geometry_from_wkb(wkb: bytes, *, radius_m: float | None, width_m: float | None) -> Geometry:
    """Return what `geometry_to_wkb` was given.

    Raises:
        ValueError: a geometry that no fence has.
    """
    (kind,) = _COUNT.unpack_from(wkb, 1)
    if kind == _POINT and radius_m is not None:
        lon, lat = _XY.unpack_from(wkb, 5)
        return Circle(center=LatLon(lat=lat, lon=lon), radius_m=radius_m)
    if kind == _LINE and width_m is not None:
        return Corridor(line=_read_places(wkb, 5)[0], width_m=width_m)
    if kind == _POLYGON:
        return Polygon(parts=(_read_polygon(wkb, 5)[0],))
    if kind == _MULTIPOLYGON:
        return Polygon(parts=_read_polygons(wkb))
    raise ValueError(f"geometry type {kind} is no fence's")


def _places(places: Sequence[LatLon]) -> bytes:
    return _COUNT.pack(len(places)) + b"".join(_XY.pack(each.lon, each.lat) for each in places)


def _polygon(rings: Sequence[Ring]) -> bytes:
    closed = b"".join(_places((*ring, ring[0])) for ring in rings)
    return _TYPE.pack(1, _POLYGON) + _COUNT.pack(len(rings)) + closed


def _read_places(wkb: bytes, offset: int) -> tuple[tuple[LatLon, ...], int]:
    (count,) = _COUNT.unpack_from(wkb, offset)
    end = offset + 4 + 16 * count
    pairs = _XY.iter_unpack(wkb[offset + 4 : end])
    return tuple(LatLon(lat=lat, lon=lon) for lon, lat in pairs), end


def _read_polygon(wkb: bytes, offset: int) -> tuple[tuple[Ring, ...], int]:
    (count,) = _COUNT.unpack_from(wkb, offset)
    offset += 4
    rings = []
    for _ in range(count):
        places, offset = _read_places(wkb, offset)
        rings.append(places[:-1])
    return tuple(rings), offset


def _read_polygons(wkb: bytes) -> tuple[tuple[Ring, ...], ...]:
    (count,) = _COUNT.unpack_from(wkb, 5)
    offset = 9
    parts = []
    for _ in range(count):
        rings, offset = _read_polygon(wkb, offset + 5)
        parts.append(rings)
    return tuple(parts)
