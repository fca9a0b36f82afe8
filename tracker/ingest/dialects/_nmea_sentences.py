"""NMEA 0183 sentences: checksum, fields, and what each kind says (as pynmea2 and Traccar read them)."""

import functools
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tracker.domain.errors import Malformed, Reason
from tracker.domain.geo import LatLon
from tracker.ingest.dialects._fields import as_number, place

DAY_S = 86_400
NO_FIX_QUALITIES = frozenset({"", "0"})
"""GGA. A place that was typed in (7) or is simulated (8) is a fix to its receiver."""
NO_FIX_MODES = frozenset("N")
"""RMC, GLL, GNS; likewise M and S beside status A."""

_CLOCK = re.compile(r"(\d\d)(\d\d)(\d\d)(?:\.(\d*))?", re.ASCII)
_DATE = re.compile(r"(\d\d)(\d\d)(\d\d)", re.ASCII)
_ANGLE = re.compile(r"(\d{1,5})(\.\d*)?", re.ASCII)
_CHECKSUM = re.compile(r"\s*([0-9A-Fa-f]{1,2})(?![0-9A-Fa-f])(.*)", re.ASCII | re.DOTALL)
_SUFFIX = re.compile(r",(\d{1,2}),(\d{15})(?:,([01])(?:,.*)?)?", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """What one sentence says; None is unknown.

    `clock_us` are the microseconds since midnight UTC. `fixed` is False if it says that there is no fix, None
    if it is silent about that.
    """

    clock_us: int | None = None
    day: date | None = None
    fixed: bool | None = None
    at: LatLon | None = None
    speed: float | None = None
    course: float | None = None
    altitude_m: float | None = None
    satellites: int | None = None
    hdop: float | None = None
    ignition: bool | None = None
    imei: str | None = None


def read(sentence: str) -> Sentence | None:
    """Return what a sentence, without its `$`, says; None if it is of a kind that tells no position.

    Raises:
        Malformed: BAD_CHECKSUM; WRONG_SHAPE or OUT_OF_RANGE: cut off, or a field cannot be right.
    """
    address = sentence.partition(",")[0].partition("*")[0].strip()
    # Talkers never begin with P: those are a vendor's own sentences (PGRMC is not an RMC).
    if len(address) != 5 or address.startswith("P") or address[2:] not in _READERS:
        if address.isalnum() and len(address) < 5 and "," not in sentence:
            raise Malformed(Reason.WRONG_SHAPE, "sentence: cut off")
        return None
    told, suffix, whole = _parts(sentence)
    least, reader = _READERS[address[2:]]
    fields = [each.strip() for each in told.split(",")]
    if len(fields) < least:
        raise Malformed(Reason.WRONG_SHAPE, "sentence: cut off")
    found = reader([*fields, *[""] * (16 - len(fields))], suffix)
    if whole:
        return found
    if found.fixed is False:
        # Of a sentence without a fix nothing is taken, so nothing was spoilt on its way.
        return None
    raise Malformed(Reason.BAD_CHECKSUM, "sentence")


def _parts(sentence: str) -> tuple[str, str, bool]:
    """Return a sentence without its checksum, what a vendor put behind that, and whether it is right.

    A checksum is the exclusive or of what stands between `$` and `*`, without blanks beside the star; a
    sentence without one passes. So does one with an IMEI behind it: such trackers shorten what their receiver
    wrote and leave its checksum (Traccar's T55 samples).
    """
    told, star, tail = sentence.partition("*")
    told = told.strip()
    if not star:
        return told, "", True
    written = _CHECKSUM.fullmatch(tail)
    if written is None:
        return told, "", False
    checksum = functools.reduce(operator.xor, told.encode(), 0)
    suffix = written[2].strip()
    return told, suffix, int(written[1], 16) == checksum or bool(_SUFFIX.fullmatch(suffix))


def clock_us(field: str) -> int | None:
    """Return the microseconds since midnight of hhmmss.sss; None if it is empty.

    Raises:
        Malformed: WRONG_SHAPE or OUT_OF_RANGE.
    """
    if not field:
        return None
    parts = _CLOCK.fullmatch(field)
    if parts is None:
        raise Malformed(Reason.WRONG_SHAPE, "time")
    hour, minute, second = int(parts[1]), int(parts[2]), int(parts[3])
    if hour > 23 or minute > 59 or second > 60:
        raise Malformed(Reason.OUT_OF_RANGE, "time")
    micros = int((parts[4] or "")[:6].ljust(6, "0"))
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros


def _day(field: str) -> date | None:
    """Return the date of ddmmyy, of 1980..2079; None if it is empty."""
    if not field:
        return None
    parts = _DATE.fullmatch(field)
    if parts is None:
        raise Malformed(Reason.WRONG_SHAPE, "date")
    year = int(parts[3])
    return _date(year + (1900 if year >= 80 else 2000), int(parts[2]), int(parts[1]))


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise Malformed(Reason.OUT_OF_RANGE, "date") from None


def _angle(field: str, side: str, sides: str) -> float:
    """Return the degrees of (d)ddmm.mmm; some trackers leave out leading zeros of the degrees."""
    parts = _ANGLE.fullmatch(field)
    if parts is None or len(side) != 1 or side.upper() not in sides:
        raise Malformed(Reason.WRONG_SHAPE, "coordinate")
    minutes = float(parts[1][-2:] + (parts[2] or ""))
    if minutes >= 60:
        raise Malformed(Reason.OUT_OF_RANGE, "coordinate")
    degrees = int(parts[1][:-2] or 0) + minutes / 60
    return -degrees if side.upper() == sides[1] else degrees


def _place(fields: Sequence[str], first: int) -> LatLon | None:
    """Return the place of four fields; None for 0, 0."""
    lat = _angle(fields[first], fields[first + 1], "NS")
    return place(lat, _angle(fields[first + 2], fields[first + 3], "EW"))


def _unsigned(field: str, high: float) -> float | None:
    value = as_number(field, strings=True)
    return value if value is not None and 0 <= value <= high else None


def _whole(field: str) -> int | None:
    value = _unsigned(field, 1000)
    return int(value) if value is not None and value.is_integer() else None


def _altitude_m(field: str) -> float | None:
    value = as_number(field, strings=True)
    return value if value is not None and -12_000 <= value <= 1e6 else None


def _rmc(fields: Sequence[str], suffix: str) -> Sentence:
    # Since version 2.3 the mode is behind the variation; short ones have it in its place.
    mode = fields[12] or (fields[10] if fields[10].isalpha() else "")
    if fields[2].upper() != "A" or mode.upper() in NO_FIX_MODES:
        return Sentence(fixed=False, clock_us=clock_us(fields[1]) if fields[2].upper() == "V" else None)
    extra = _SUFFIX.fullmatch(suffix)
    return Sentence(
        clock_us=clock_us(fields[1]),
        day=_day(fields[9]),
        fixed=True,
        at=_place(fields, 3),
        speed=_unsigned(fields[7], 1e5),
        course=_unsigned(fields[8], 360),
        satellites=_whole(extra[1]) if extra else None,
        imei=extra[2] if extra else None,
        ignition=extra[3] == "1" if extra and extra[3] else None,
    )


def _gga(fields: Sequence[str], _suffix: str) -> Sentence:
    if fields[6] in NO_FIX_QUALITIES:
        return Sentence(fixed=False, clock_us=clock_us(fields[1]))
    return Sentence(
        clock_us=clock_us(fields[1]),
        fixed=True,
        at=_place(fields, 2),
        satellites=_whole(fields[7]),
        hdop=_unsigned(fields[8], 1000) or None,
        altitude_m=_altitude_m(fields[9]),
    )


def _gns(fields: Sequence[str], _suffix: str) -> Sentence:
    # One letter a constellation; one good one is enough.
    if not set(fields[6].upper()) - NO_FIX_MODES:
        return Sentence(fixed=False, clock_us=clock_us(fields[1]))
    return Sentence(
        clock_us=clock_us(fields[1]),
        fixed=True,
        at=_place(fields, 2),
        satellites=_whole(fields[7]),
        hdop=_unsigned(fields[8], 1000) or None,
        altitude_m=_altitude_m(fields[9]),
    )


def _gll(fields: Sequence[str], _suffix: str) -> Sentence:
    if fields[6].upper() not in ("A", "") or fields[7].upper() in NO_FIX_MODES:
        return Sentence(fixed=False, clock_us=clock_us(fields[5]))
    return Sentence(clock_us=clock_us(fields[5]), fixed=True, at=_place(fields, 1))


def _vtg(fields: Sequence[str], _suffix: str) -> Sentence:
    if fields[2].upper() != "T":
        return Sentence()
    return Sentence(speed=_unsigned(fields[5], 1e5), course=_unsigned(fields[1], 360))


def _zda(fields: Sequence[str], _suffix: str) -> Sentence:
    numbers = [_whole(each) for each in fields[2:4]]
    year = _unsigned(fields[4], 2100)
    if None in numbers or year is None or year < 1980:
        return Sentence()
    day, month = (each or 0 for each in numbers)
    return Sentence(clock_us=clock_us(fields[1]), day=_date(int(year), month, day))


_READERS: Mapping[str, tuple[int, Callable[[Sequence[str], str], Sentence]]] = {
    "RMC": (10, _rmc),
    "GGA": (10, _gga),
    "GNS": (10, _gns),
    "GLL": (5, _gll),
    "VTG": (6, _vtg),
    "ZDA": (5, _zda),
}
