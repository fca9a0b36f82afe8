"""Messages that are one plain value: a number, yes or no, a word; empty if the sender does not know it."""

from collections.abc import Callable

from tracker.domain.device import SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.ingest.dialects._fields import as_number, course_deg, speed_mps, storable, truth
from tracker.ingest.dialects._values import check_size

Reader = Callable[[str, SpeedUnit | None], str | float | bool | None]
"""Reads one value, given the device's own speed unit; None is unknown.

Raises Malformed: the value is not of its kind.
"""

PAYLOAD_BYTES = 64 * 1024
LONGEST_WORD = 128
_UNKNOWN = frozenset({"", "nan", "null", "nil", "none", "unknown", "undefined", "unavailable"})


def plain(payload: bytes) -> str | None:
    """Return the value as text without blanks around; None if the sender does not know it.

    Raises:
        Malformed: TOO_LARGE; NOT_TEXT.
    """
    check_size(payload, PAYLOAD_BYTES)
    try:
        value = payload.decode().strip()
    except UnicodeDecodeError:
        raise Malformed(Reason.NOT_TEXT, "UTF-8") from None
    return None if value.lower() in _UNKNOWN else value


def measured(value: str) -> float:
    """Return a number.

    Raises:
        Malformed: WRONG_SHAPE.
    """
    found = as_number(value, strings=True)
    if found is None:
        raise Malformed(Reason.WRONG_SHAPE, "a number")
    return found


def within(low: float, high: float, factor: float = 1.0) -> Reader:
    """Return a reader of numbers: in our unit, or unknown if it is not within low..high as sent."""

    def read(value: str, _: SpeedUnit | None) -> float | None:
        number = measured(value)
        return number * factor if low <= number <= high else None

    return read


def degrees(limit: float) -> Reader:
    """Return a reader of a coordinate, which is refused beyond `limit` either way."""

    def read(value: str, _: SpeedUnit | None) -> float:
        number = measured(value)
        if abs(number) > limit:
            raise Malformed(Reason.OUT_OF_RANGE, "lat, lon")
        return number

    return read


def speed(value: str, unit: SpeedUnit | None) -> float | None:
    """Return a speed in m/s, sent in km/h unless the device has a unit of its own."""
    return speed_mps(measured(value), unit or SpeedUnit.KMH)


def course(value: str, _: SpeedUnit | None) -> float | None:
    """Return a course in degrees; unknown if it is negative or above 360."""
    number = measured(value)
    return course_deg(number) if number <= 360 else None


def switch(value: str, _: SpeedUnit | None) -> bool:
    """Return yes or no as a boolean.

    Raises:
        Malformed: WRONG_SHAPE: it is neither.
    """
    found = truth(value)
    if found is None:
        raise Malformed(Reason.WRONG_SHAPE, "yes or no")
    return found


def word(value: str, _: SpeedUnit | None) -> str | None:
    """Return a text of at most 128 characters that the database can hold, else None."""
    return storable(value) if len(value) <= LONGEST_WORD else None
