"""Members of foreign messages: numbers in quotes, times in six spellings, speeds in four units.

What cannot be right is unknown (None): a position is worth more than one of its members. Only a place or a
time that cannot be right is refused. Booleans are not numbers.
"""

import math
import re
import zlib
from collections.abc import Callable, Container, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice
from typing import Any

from tracker.domain.device import SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.domain.geo import LatLon
from tracker.domain.position import Fact, Report, plausible_time
from tracker.ingest.dialects._message import NOTHING, Decoded, Message, Problem, one, problem
from tracker.ingest.dialects._values import are_simple, check_plain, check_text, epoch_time, size_bytes

Body = Mapping[str, Any]

PAYLOAD_BYTES = 64 * 1024
ELEMENTS = 1000
"""How many positions one message may hold."""
ATTRS_KEYS = 32
ATTRS_BYTES = 4 * 1024
ID_LENGTH = 128
"""How long a device's own name may be."""
MS_FROM = 1e11
"""Unix times from here on are milliseconds: as seconds they are after the year 5000."""

MPS_PER_UNIT: Mapping[SpeedUnit, float] = {
    SpeedUnit.MPS: 1.0,
    SpeedUnit.KMH: 1 / 3.6,
    SpeedUnit.KNOTS: 1852 / 3600,
    SpeedUnit.MPH: 1609.344 / 3600,
}

_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(Z|UTC|GMT|([+-])(\d\d):?(\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


def as_number(value: Any, *, strings: bool = False) -> float | None:
    """Return a finite number, also a decimal one in quotes if `strings`; else None."""
    if isinstance(value, str):
        if not strings or len(value) > 64 or not _NUMBER.fullmatch(value):
            return None
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        value = float(value)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def number(
    body: Body, name: str, *, low: float = -math.inf, high: float = math.inf, strings: bool = False
) -> float | None:
    """Return a finite number within low..high, also one in quotes if `strings`; else None."""
    value = as_number(body.get(name), strings=strings)
    return value if value is not None and low <= value <= high else None


def whole(body: Body, name: str, *, low: int, high: int, strings: bool = False) -> int | None:
    """Return a whole number within low..high, also one written 7.0; else None."""
    value = number(body, name, low=low, high=high, strings=strings)
    return int(value) if value is not None and value == int(value) else None


def text(body: Body, name: str, *, longest: int) -> str | None:
    """Return a text of 1..longest characters that the database can hold, else None."""
    value = body.get(name)
    return storable(value) if isinstance(value, str) and 0 < len(value) <= longest else None


def storable(value: str | None) -> str | None:
    """Return a text that the database can hold and that is not empty, else None."""
    if not value:
        return None
    try:
        check_text(value, "")
    except Malformed:
        return None
    return value


def identity(value: Any) -> str | None:
    """Return a device's own name: a text of 1..128 characters without blanks around, or a whole number."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        return str(value)
    if not isinstance(value, str) or not 0 < len(value.strip()) <= ID_LENGTH:
        return None
    return storable(value.strip())


def truth(value: Any) -> bool | None:
    """Return a boolean, also one written 0, 1, yes, no, on, off or as a text of them; else None."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return bool(value) if value in (0, 1) else None
    if not isinstance(value, str):
        return None
    word = value.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def flag(value: bool | int | None) -> bool | None:
    """Return a boolean, or the 0 or 1 that trackers write for one, as a boolean."""
    return None if value is None else bool(value)


def scaled(value: float | None, factor: float) -> float | None:
    """Return the value in our unit; None if it is unknown or negative."""
    return None if value is None or value < 0 else value * factor


def speed_mps(value: float | None, unit: SpeedUnit) -> float | None:
    """Return a speed given in `unit` in m/s; None if it is unknown, negative or above 100 km/s."""
    found = scaled(value, MPS_PER_UNIT[unit])
    return found if found is None or found <= 1e5 else None


def course_deg(value: float | None) -> float | None:
    """Return a course as 0 <= course < 360; None if it is unknown or negative."""
    # A tiny negative rest cannot occur: x % 360 of x >= 0 is below 360.
    return None if value is None or value < 0 else value % 360


def percent_of(fraction: float | None) -> float | None:
    """Return a fraction 0..1 as per cent; None if it is unknown or outside. 0.29 gives 29, not 28.99..."""
    return None if fraction is None or not 0 <= fraction <= 1 else round(fraction * 100, 4)


def place(lat: Any, lon: Any, *, strings: bool = False) -> LatLon | None:
    """Return the place; None for exactly 0, 0, which devices send that have no fix.

    Raises:
        Malformed: WRONG_SHAPE: a coordinate is missing or no number; OUT_OF_RANGE.
    """
    north, east = as_number(lat, strings=strings), as_number(lon, strings=strings)
    if north is None or east is None:
        raise Malformed(Reason.WRONG_SHAPE, "lat, lon")
    if abs(north) > 90 or abs(east) > 180:
        raise Malformed(Reason.OUT_OF_RANGE, "lat, lon")
    return None if north == 0 and east == 0 else LatLon(lat=north, lon=east)


def moment_of(value: Any) -> datetime:
    """Return the moment that a member tells, in UTC, to the microsecond.

    Unix time in seconds or milliseconds, also in quotes; or ISO 8601 with `T` or a blank, with any offset
    (`Z`, `+02`, `+0200`, `+02:00`) or none (UTC), with any number of decimals (cut after six).

    Raises:
        Malformed: NO_TIME: missing or not of these forms; TIME_BEFORE_2000 or TIME_IN_FUTURE: beyond the
            years 1..9999.
    """
    seconds = as_number(value, strings=True)
    if seconds is not None:
        return epoch_time(seconds / 1000 if abs(seconds) >= MS_FROM else seconds)
    written = _TIME.fullmatch(value.strip()) if isinstance(value, str) and len(value) <= 64 else None
    if written is None:
        raise Malformed(Reason.NO_TIME, "time")
    year, month, day, hour, minute, second, fraction, zone, sign, hours, minutes = written.groups()
    # A leap second is the next one's beginning to clocks that do not know it.
    leaps = second == "60"
    try:
        found = datetime(
            *(int(year), int(month), int(day), int(hour), int(minute)),
            second=59 if leaps else int(second or 0),
            microsecond=int((fraction or "")[:6].ljust(6, "0")),
            tzinfo=_zone(sign, hours, minutes) if zone else UTC,
        )
        return (found + timedelta(seconds=leaps)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Malformed(Reason.NO_TIME, "time") from None


def _zone(sign: str | None, hours: str | None, minutes: str | None) -> timezone:
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return timezone(-offset if sign == "-" else offset)


def fix_time(value: Any, received_at: datetime) -> datetime:
    """Return the moment that a member tells, if a fix can be of then.

    Raises:
        Malformed: as `moment_of` and `plausible_time`.
    """
    return plausible_time(moment_of(value), received_at)


def fact_time(value: Any, received_at: datetime) -> datetime:
    """Return the moment that a member tells, if it can be right, else the time of receipt."""
    try:
        return fix_time(value, received_at)
    except Malformed:
        return received_at


def extras(body: Body, taken: Container[str] = ()) -> dict[str, Any]:
    """Return the members not in `taken`, as far as 32 keys and 4 KiB reach, in the message's order."""
    kept = {name: value for name, value in body.items() if name not in taken and value is not None}
    if not (len(kept) <= ATTRS_KEYS and are_simple(kept)):
        good = ((name, value) for name, value in kept.items() if _is_plain(name, value))
        kept = dict(islice(good, ATTRS_KEYS))
    while size_bytes(kept) > ATTRS_BYTES:
        del kept[max(kept, key=lambda name: size_bytes({name: kept[name]}))]
    return kept


def _is_plain(name: str, value: Any) -> bool:
    try:
        check_plain(name, "name")
        check_plain(value, "value")
    except Malformed:
        return False
    return True


def known(**members: Any) -> dict[str, Any]:
    """Return the members that are not None."""
    return {name: value for name, value in members.items() if value is not None}


def own_or_named(external_id: str | None, message: Message) -> str | None:
    """Return the identity that a message claims; None if it needs none, as its sender speaks for itself.

    Raises:
        Malformed: NO_IDENTITY: a gateway's message that does not say which device it is from.
    """
    if external_id is None and message.devices.get("") is None:
        raise Malformed(Reason.NO_IDENTITY, "which device")
    return external_id


def told_apart(moment: datetime, data: Body, *, step_us: int) -> datetime:
    """Return the moment of a fact, its digits below `step_us` microseconds taken from what the fact says.

    A device that counts in steps of that length tells two things within one; the same thing told twice
    stays one.
    """
    digits = zlib.crc32(repr(sorted(data.items(), key=lambda item: item[0])).encode("utf-8", "replace"))
    return moment + timedelta(microseconds=digits % step_us - moment.microsecond % step_us)


def telemetry(external_id: str | None, recorded_at: datetime, data: Body) -> Decoded:
    """Return what a message without a position tells of its device's state; nothing if `data` is empty."""
    if not data:
        return NOTHING
    return one(
        Report(external_id=external_id, fact=Fact(kind="telemetry", recorded_at=recorded_at, data=dict(data)))
    )


def collected(elements: Sequence[Any], read: Callable[[Any], Decoded]) -> Decoded:
    """Return what each element says, the good beside the refused ones.

    Raises:
        Malformed: TOO_LARGE: more than 1000 elements.
    """
    if len(elements) > ELEMENTS:
        raise Malformed(Reason.TOO_LARGE, f"more than {ELEMENTS} elements")
    reports: list[Report] = []
    problems: list[Problem] = []
    for element in elements:
        try:
            found = read(element)
        except Malformed as error:
            problems.append(problem(error))
            continue
        reports += found.reports
        problems += found.problems
    return Decoded(reports=tuple(reports), problems=tuple(problems))
