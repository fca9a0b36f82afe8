"""Fences out of a file: read whole, checked, and shown; nothing is saved."""

from typing import IO, Any

from flask_babel import gettext as _

from tracker import registry
from tracker.domain.errors import Invalid
from tracker.geofence.importing import Reading, read_fences
from tracker.web.api._places import shapes
from tracker.web.guards import LARGE_BYTES

RADIUS_M = 100.0
WIDTH_M = 50.0
"""Of points and lines whose file does not say."""


def reading(source: IO[bytes]) -> Reading:
    """Return what a file holds.

    Raises:
        Invalid: of `file`: it is too large, damaged or of no known format.
    """
    content = source.read(LARGE_BYTES + 1)
    if len(content) > LARGE_BYTES:
        raise Invalid(("file", "is larger than this service takes"))
    formats = registry.load("tracker.geofence.imports", "FORMAT")
    return read_fences(content, formats, shapes(), radius_m=RADIUS_M, width_m=WIDTH_M)


def read(source: IO[bytes]) -> dict[str, Any]:
    """Return what a file holds as FencesRead.

    Raises:
        Invalid: as `reading`.
    """
    return document(reading(source))


def document(found: Reading) -> dict[str, Any]:
    """Return a reading as FencesRead; reasons are in the reader's language."""
    items = []
    for draft in found.drafts:
        geometry, own = shapes()[draft.shape].write(draft.geometry)
        name = draft.name or str(_("Place %(number)s", number=draft.number))
        items.append({"type": "Feature", "geometry": geometry, "properties": {"name": name, **own}})
    return {
        "items": items,
        "refused": [
            {"number": each.number, "name": each.name, "reason": str(_(each.reason))} for each in found.unfit
        ],
    }
