"""Reads fences out of a file: what is right is a draft to look at, what is wrong is named with its reason."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tracker.domain.errors import Invalid
from tracker.domain.geofence import NAME_LENGTH, Geometry
from tracker.geofence.imports._format import Format, Found
from tracker.geofence.shapes._shape import Shape

FILE_BYTES_MOST = 8 * 1024 * 1024
DRAFTS_MOST = 1_000
"""Of one file: more cannot be looked over by anybody."""
HEAD_BYTES = 4_096


class Draft(NamedTuple):
    """A fence of a file, checked but not kept; `name` may be ""."""

    number: int
    name: str
    shape: str
    geometry: Geometry


class Unfit(NamedTuple):
    """A geometry of a file that is no fence; `reason` is an English message of the catalogue."""

    number: int
    name: str
    reason: str


class Reading(NamedTuple):
    """What a file holds, in its order."""

    drafts: tuple[Draft, ...]
    unfit: tuple[Unfit, ...]


def shape_of(geometry: object, shapes: Mapping[str, Shape]) -> Shape:
    """Return the shape that reads a GeoJSON geometry.

    Raises:
        Invalid: of `geometry`: it is of no type that a fence can have.
    """
    if not isinstance(geometry, Mapping):
        raise Invalid(("geometry", "this field is required"))
    found = next((shape for shape in shapes.values() if shape.matches(geometry)), None)
    if found is None:
        raise Invalid(("geometry", "must be a Point, a Polygon, a MultiPolygon or a LineString"))
    return found


def read_fences(
    content: bytes,
    formats: Mapping[str, Format],
    shapes: Mapping[str, Shape],
    *,
    radius_m: float,
    width_m: float,
) -> Reading:
    """Return the fences of a file; points get `radius_m` and lines `width_m` where the file says neither.

    Raises:
        Invalid: of `file`: it is empty, too large, of no known format, damaged, or holds no geometry or
            more than 1,000.
    """
    if not content.strip():
        raise Invalid(("file", "is empty"))
    if len(content) > FILE_BYTES_MOST:
        raise Invalid(("file", "is larger than this service takes"))
    content = content.removeprefix(b"\xef\xbb\xbf")
    form = next((each for each in formats.values() if each.matches(content[:HEAD_BYTES])), None)
    if form is None:
        raise Invalid(("file", "is of no format that this service reads"))
    drafts: list[Draft] = []
    unfit: list[Unfit] = []
    sizes: dict[str, Any] = {"radius_m": radius_m, "width_m": width_m}
    for found in form.read(content):
        if found.number > DRAFTS_MOST:
            raise Invalid(("file", "holds more than 1,000 places"))
        name = _tidy(found.name)
        try:
            drafts.append(_draft(found, name, shapes, sizes))
        except Invalid as error:
            unfit.append(Unfit(found.number, name, error.errors[0][1]))
    if not drafts and not unfit:
        raise Invalid(("file", "holds no place"))
    return Reading(tuple(drafts), tuple(unfit))


def _draft(found: Found, name: str, shapes: Mapping[str, Shape], sizes: dict[str, Any]) -> Draft:
    shape = shape_of(found.geometry, shapes)
    told = {key: value for key, value in found.properties.items() if value is not None}
    return Draft(found.number, name, shape.name, shape.read(found.geometry, {**sizes, **told}))


def _tidy(name: str) -> str:
    """Return a name without line ends and unprintable characters, no longer than a fence's may be."""
    return " ".join("".join(each if each.isprintable() else " " for each in name).split())[
        :NAME_LENGTH
    ].strip()
