"""What of a decoded message the database cannot hold, or a position cannot be."""

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from tracker.domain.position import EARLIEST, FUTURE_TOLERANCE, Position, Report
from tracker.ingest.dialects._message import Decoded

SMALLINT = 2**15
OLDER = {"nmea": datetime(1980, 1, 6, tzinfo=UTC)}
"""Two-digit years are taken from the beginning of GPS time on: receivers of then are still replayed."""


def faults(dialect: str, decoded: Decoded, received_at: datetime) -> Iterator[str]:
    """Yield what is wrong with what `dialect` decoded, by the name of the member; nothing if all is well."""
    for report in decoded.reports:
        yield from _report_faults(report, received_at, OLDER.get(dialect, EARLIEST))
    for part in decoded.parts:
        if part.external_id is not None and not text_fits(part.external_id, 256):
            yield "part.external_id"
        if not holds(part.value):
            yield f"part {part.name}"
    for problem in decoded.problems:
        if not text_fits(problem.detail, 1000):
            yield "problem.detail"


def _report_faults(report: Report, received_at: datetime, earliest: datetime) -> Iterator[str]:
    if report.external_id is not None and not text_fits(report.external_id, 256):
        yield "external_id"
    latest = received_at + FUTURE_TOLERANCE + FUTURE_TOLERANCE
    if report.fact is not None:
        if not earliest <= report.fact.recorded_at <= latest:
            yield "fact.recorded_at"
        if not holds(report.fact.data) or not text_fits(report.fact.kind, 64):
            yield "fact.data"
    if report.position is not None:
        yield from _position_faults(report.position, received_at, earliest)


def _position_faults(fix: Position, received_at: datetime, earliest: datetime) -> Iterator[str]:
    if (
        not earliest <= fix.recorded_at <= received_at + FUTURE_TOLERANCE
        or fix.recorded_at.utcoffset() is None
    ):
        yield "recorded_at"
    if (fix.at.lat, fix.at.lon) == (0, 0) or not (abs(fix.at.lat) <= 90 and abs(fix.at.lon) <= 180):
        yield "at"
    ranges: Mapping[str, tuple[float, float]] = {
        "altitude_m": (-1e7, 1e8),
        "speed_mps": (0, 1e6),
        "battery_pct": (0, 100),
        "hdop": (0, 1e6),
        "odometer_m": (0, 1e15),
        "accuracy_m": (0, 1e8),
        "course_deg": (0, 360),
        "satellites": (0, SMALLINT - 1),
    }
    for name, (low, high) in ranges.items():
        value = getattr(fix, name)
        if value is not None and (isinstance(value, bool) or not low <= value <= high):
            yield name
    if fix.accuracy_m == 0 or fix.course_deg == 360:
        yield "accuracy_m of 0, or course_deg of 360"
    if type(fix.satellites) not in (int, type(None)):
        yield "satellites"
    for name in ("charging", "ignition", "motion"):
        if type(getattr(fix, name)) not in (bool, type(None)):
            yield name
    if fix.trigger is not None and not text_fits(fix.trigger, 1000):
        yield "trigger"
    if not holds(fix.network) or not holds(fix.attrs):
        yield "network or attrs"


def text_fits(text: str, longest: int) -> bool:
    """Tell whether PostgreSQL can hold a text of at most `longest` characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return len(text) <= longest and "\0" not in text


def holds(value: Any) -> bool:
    """Tell whether jsonb can hold a value: finite numbers, texts without NUL and lone surrogates."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, str):
        return text_fits(value, 64 * 1024)
    if isinstance(value, Mapping):
        return all(isinstance(name, str) and holds(name) and holds(each) for name, each in value.items())
    if isinstance(value, list | tuple):
        return all(holds(each) for each in value)
    return value is None or isinstance(value, bool | int)
