"""Makes positions of what a file says, by the same rules for every format. Pure.

Time and place are needed; anything else that cannot be true is unknown, so that a strange battery does not
cost the place.
"""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tracker.domain.geo import LatLon
from tracker.domain.position import Position
from tracker.history.imports._record import Unfit, Why

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TEXT_CHARACTERS = 100
MEMBERS_BYTES = 8 * 1024
"""How long `network` or `attrs` of one position may be as JSON."""
DEPTH = 8
LARGEST = 1e9
"""Beyond this no measure of a fix makes sense, and a 32-bit column would lose it."""

_MILLISECONDS_FROM = 1e11
_MICROSECONDS_FROM = 1e14
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def number(value: object) -> float | None:
    """Return a finite number that `value`, a number or a text of one, means; None if it means none."""
    kind = value.__class__
    if (kind is not float and kind is not int and kind is not str) or (
        kind is str and (len(value) > 40 or "_" in value)  # type: ignore[arg-type, operator]
    ):
        return None
    try:
        found = float(value)  # type: ignore[arg-type]
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def moment(value: object) -> datetime:
    """Return the moment that `value` means: ISO 8601 (without a zone: UTC), or Unix time in s, ms or µs.

    Unix seconds reach to the year 5138; greater numbers are milliseconds, then microseconds.

    Raises:
        Unfit: NO_TIME.
    """
    if isinstance(value, str):
        text = value.strip()
        if "-" in text[1:] and len(text) <= 40:
            if ":" in text and text[-5:-4] in {"+", "-"} and text[-4:].isdigit():
                # Python reads `-0700` only after a time that is written without colons, too.
                text = f"{text[:-2]}:{text[-2:]}"
            try:
                found = datetime.fromisoformat(text.removesuffix(" UTC"))
                return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
            except (ValueError, OverflowError):
                raise Unfit(Why.NO_TIME) from None
    seconds = number(value)
    if seconds is None:
        raise Unfit(Why.NO_TIME)
    try:
        if abs(seconds) >= _MICROSECONDS_FROM:
            return EPOCH + timedelta(microseconds=seconds)
        if abs(seconds) >= _MILLISECONDS_FROM:
            return EPOCH + timedelta(milliseconds=seconds)
        return EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        raise Unfit(Why.NO_TIME) from None


def place(lat: object, lon: object) -> LatLon:
    """Return the place of two coordinates in degrees.

    Raises:
        Unfit: NO_PLACE, OUT_OF_RANGE or NULL_ISLAND.
    """
    north, east = number(lat), number(lon)
    if north is None or east is None:
        raise Unfit(Why.NO_PLACE)
    if north == 0 and east == 0:
        raise Unfit(Why.NULL_ISLAND)
    try:
        return LatLon(lat=north, lon=east)
    except ValueError:
        raise Unfit(Why.OUT_OF_RANGE) from None


def place_e7(lat: object, lon: object) -> LatLon:
    """Return the place of two coordinates in units of 10^-7 degrees, as Google writes them.

    Some files of 2019 wrapped at 32 bits: a longitude beyond 180° is one of them.

    Raises:
        Unfit: NO_PLACE, OUT_OF_RANGE or NULL_ISLAND.
    """
    north, east = number(lat), number(lon)
    if north is None or east is None:
        raise Unfit(Why.NO_PLACE)
    if east > 1_800_000_000:
        east -= 2**32
    if north > 900_000_000:
        north -= 2**32
    return place(north / 1e7, east / 1e7)


def truth(value: object) -> bool | None:
    """Return what a boolean, 0, 1 or a word for it means; None for anything else."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, str | int | float) else ""
    if word in {"true", "1", "yes", "t", "on"}:
        return True
    return False if word in {"false", "0", "no", "f", "off"} else None


def words(value: object) -> str | None:
    """Return a short text that the database can hold; None for nothing, or one beyond 100 characters."""
    if not isinstance(value, str) or not value or len(value) > TEXT_CHARACTERS:
        return None
    return None if "\0" in value or _LONE_SURROGATE.search(value) else value


def members(value: object) -> Mapping[str, Any]:
    """Return a JSON object, or the text of one, that the database can hold; empty for anything else."""
    try:
        if isinstance(value, str):
            if len(value) > MEMBERS_BYTES:
                return {}
            value = json.loads(value)
        if not isinstance(value, dict) or not _holds(value, 0):
            return {}
        return value if len(json.dumps(value, ensure_ascii=False).encode()) <= MEMBERS_BYTES else {}
    except (ValueError, RecursionError):
        return {}


def _holds(value: Any, depth: int) -> bool:
    if isinstance(value, dict):
        return depth < DEPTH and all(
            isinstance(name, str) and _holds(name, depth) and _holds(each, depth + 1)
            for name, each in value.items()
        )
    if isinstance(value, list):
        return depth < DEPTH and all(_holds(each, depth + 1) for each in value)
    if isinstance(value, str):
        return "\0" not in value and not _LONE_SURROGATE.search(value)
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return isinstance(value, float) and math.isfinite(value)


def _within(value: object, low: float, high: float) -> float | None:
    found = None if value is None else number(value)
    return found if found is not None and low <= found <= high else None


def fix(
    recorded_at: datetime,
    at: LatLon,
    *,
    accuracy_m: object = None,
    altitude_m: object = None,
    speed_mps: object = None,
    course_deg: object = None,
    battery_pct: object = None,
    charging: object = None,
    ignition: object = None,
    motion: object = None,
    trigger: object = None,
    satellites: object = None,
    hdop: object = None,
    odometer_m: object = None,
    network: object = None,
    attrs: object = None,
) -> Position:
    """Return a position; a measure that is no number or cannot be true is unknown."""
    accuracy = _within(accuracy_m, 0, LARGEST)
    course = _within(course_deg, 0, 360)
    seen = _within(satellites, 0, 32767)
    return Position(
        recorded_at=recorded_at,
        at=at,
        accuracy_m=accuracy or None,
        altitude_m=_within(altitude_m, -LARGEST, LARGEST),
        speed_mps=_within(speed_mps, 0, LARGEST),
        course_deg=0.0 if course == 360 else course,
        battery_pct=_within(battery_pct, 0, 100),
        charging=None if charging is None else truth(charging),
        ignition=None if ignition is None else truth(ignition),
        motion=None if motion is None else truth(motion),
        trigger=words(trigger),
        satellites=None if seen is None else int(seen),
        hdop=_within(hdop, 0, LARGEST),
        odometer_m=_within(odometer_m, 0, 1e12),
        network=members(network) if network else {},
        attrs=members(attrs) if attrs else {},
    )
