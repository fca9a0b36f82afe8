"""What a reader of a file yields, how it ends, and what every format announces."""

from collections.abc import Iterator
from enum import StrEnum
from typing import BinaryIO, NamedTuple, Protocol

from tracker.domain.errors import Refused
from tracker.domain.position import Position

HEAD_BYTES = 64 * 1024
"""How much of a file its format is told from."""


class Why(StrEnum):
    """Why one element of a file gave no position."""

    NO_TIME = "no_time"
    NO_PLACE = "no_place"
    OUT_OF_RANGE = "out_of_range"
    NULL_ISLAND = "null_island"
    TOO_OLD = "too_old"
    IN_FUTURE = "in_future"
    TOO_MANY_WEEKS = "too_many_weeks"
    INVALID_FIX = "invalid_fix"
    ENCRYPTED = "encrypted"
    NOT_READABLE = "not_readable"


class Refusal(NamedTuple):
    """An element that gave no position: its number (lines count from 1, so do elements) and why."""

    element: int
    why: Why


Record = Position | Refusal


class Ending(StrEnum):
    """Why the rest of a file could not be read."""

    CUT_SHORT = "cut_short"
    NOT_WELL_FORMED = "not_well_formed"
    UNSAFE = "unsafe"
    TOO_LARGE = "too_large"
    UNKNOWN_FORMAT = "unknown_format"
    ARCHIVE = "archive"
    ENCRYPTED = "encrypted"
    LOST = "lost"
    FAULT = "fault"


class Broken(Refused):
    """A file cannot be read any further; every record that came before stands.

    The same file ends the same way each time.
    """

    def __init__(self, ending: Ending) -> None:
        super().__init__(f"the rest of the file cannot be read: {ending}")
        self.ending = ending


class Unfit(Refused):
    """One element gives no position; its reader turns this into a Refusal and goes on."""

    def __init__(self, why: Why) -> None:
        super().__init__(str(why))
        self.why = why


class Format(Protocol):
    """One format of files of positions; a file of this package announces it as FORMAT."""

    @property
    def name(self) -> str:
        """What commands and calls name it by."""

    @property
    def title(self) -> str:
        """What people call it; the same in every language."""

    def matches(self, head: bytes) -> bool:
        """Tell by a file's first 64 KiB, without a byte order mark, whether it is of this format."""

    def read(self, stream: BinaryIO) -> Iterator[Record]:
        """Yield the records of a file in its order, the same each time, in bounded memory.

        Raises:
            Broken: the rest cannot be read.
        """
