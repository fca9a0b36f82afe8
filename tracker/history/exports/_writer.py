"""What every format of export announces, and how values are written in all of them. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from tracker.domain.position import Placed, Position

MEASURES = (
    *("accuracy_m", "altitude_m", "speed_mps", "course_deg", "battery_pct", "charging", "ignition", "motion"),
    *("trigger", "satellites", "hdop", "odometer_m", "network", "attrs"),
)
"""What a position may know besides time and place, named as the product names it."""


class Writer(Protocol):
    """One format; a file of this package announces it as FORMAT.

    What it writes, the reader of the same name reads again: the positions are equal.
    """

    @property
    def name(self) -> str:
        """What commands and calls name it by; also the ending of file names."""

    @property
    def media_type(self) -> str:
        """The media type, with its character set if it is text of no own."""

    def write(self, pages: Iterable[Sequence[Placed]], title: str) -> Iterator[bytes]:
        """Yield a whole file, at least one part a page, in the memory of one page.

        `title` is what the file calls what moved: one line, as people named it.
        """


def rfc3339(moment: datetime) -> str:
    """Return a moment in UTC with `Z`, fractions of a second only if it has them."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def known(position: Position) -> Iterator[tuple[str, Any]]:
    """Yield the name and value of each measure that is known."""
    for name in MEASURES:
        value = getattr(position, name)
        if value is not None and value != {}:
            yield name, value


def as_text(value: Any) -> str:
    """Return a measure as text that reads back as the same value: JSON, but bare texts stay bare."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return json.dumps(dict(value), separators=(",", ":"))
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)
