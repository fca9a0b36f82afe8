"""A geofence: a place with an edge."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tracker.domain.geo import LatLon
from tracker.domain.schedule import Schedule

VERTICES_MOST = 10_000
NAME_LENGTH = 80
RADIUS_LEAST_M, RADIUS_MOST_M = 5.0, 100_000.0
WIDTH_LEAST_M, WIDTH_MOST_M = 5.0, 10_000.0
FENCES_PER_ACCOUNT = 5_000
EXTENT_MOST_M = 1_000_000.0
"""Diagonal of the box around a fence."""

Ring = tuple[LatLon, ...]
"""Open: the last place is not the first. Outer ones run counter-clockwise, holes clockwise (RFC 7946)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """All within `radius_m` of the centre."""

    center: LatLon
    radius_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Polygon:
    """One or several polygons; of each the first ring is the outer one, the others are holes."""

    parts: tuple[tuple[Ring, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corridor:
    """All within half of `width_m` of a line of two places or more."""

    line: tuple[LatLon, ...]
    width_m: float


Geometry = Circle | Polygon | Corridor


class FenceOrigin(StrEnum):
    """How a fence came: drawn, imported, made where a vehicle parked, told by a device."""

    DRAWN = "drawn"
    IMPORTED = "imported"
    PARKING = "parking"
    DEVICE = "device"


@dataclass(frozen=True, slots=True, kw_only=True)
class Geofence:
    """A fence of one account; `shape` names its file in `geofence.shapes`.

    It is for `subject_ids`, or with `all_subjects` for every subject of the account, later ones too; since
    `all_since`, if it became so later than it was made.
    `time_zone` is IANA's. Outside `schedule` it sleeps: crossings are noted, rules are not told. `version`
    moves when the geometry changes. `template` is "home", "school", "yard" or None.
    """

    account_id: str
    geofence_id: str
    name: str
    shape: str
    geometry: Geometry
    subject_ids: tuple[str, ...]
    all_subjects: bool
    time_zone: str
    schedule: Schedule | None
    template: str | None
    origin: FenceOrigin
    version: int
    created_at: datetime
    changed_at: datetime
    expires_at: datetime | None = None
    all_since: datetime | None = None
