"""CSV with a header (RFC 4180; also with semicolons or tabs): time, latitude and longitude are needed.

Columns are known by the names below, in any order and case. A name says its unit; a bare `speed` is in
metres a second. Times without a zone are UTC. Between semicolons a number may have a decimal comma.
"""

import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from tracker.domain.position import Position
from tracker.history.imports import _table
from tracker.history.imports._fix import fix, moment, number, place
from tracker.history.imports._record import Record, Refusal, Unfit, Why

TIME = (
    *("recorded_at", "timestamp", "time", "datetime", "date_time", "gps_time", "gpstime", "utc", "fix_time"),
    *("tst", "timestamp_utc", "time_utc", "created_at", "date"),
)
LAT = ("lat", "latitude", "latitude_deg", "y", "gps_lat", "location-lat")
LON = ("lon", "lng", "long", "longitude", "longitude_deg", "x", "gps_lon", "location-long")
_ALSO = {
    "accuracy_m": ("accuracy_m", "accuracy", "horizontal_accuracy", "acc", "hacc"),
    "altitude_m": ("altitude_m", "altitude", "alt", "elevation", "ele", "height"),
    "course_deg": ("course_deg", "course", "heading", "bearing", "cog"),
    "battery_pct": ("battery_pct", "battery", "battery_level", "batt"),
    "charging": ("charging",),
    "ignition": ("ignition",),
    "motion": ("motion",),
    "satellites": ("satellites", "sat", "sats", "num_satellites"),
    "hdop": ("hdop",),
    "odometer_m": ("odometer_m",),
}
_SPEEDS = {
    "speed_mps": 1.0,
    "speed_ms": 1.0,
    "speed": 1.0,
    "speed_kmh": 1 / 3.6,
    "speed_kph": 1 / 3.6,
    "speed_km_h": 1 / 3.6,
    "speed_mph": 0.44704,
    "speed_knots": 1852 / 3600,
}
_TEXTS = ("trigger", "network", "attrs")
_GUARD = re.compile("""(^|[;|\t\r\n])'(?="*[-=+@\t\r\n'＝＋－＠])""")


class Csv:
    """Reads the rows of a table."""

    name = "csv"
    title = "CSV"

    def matches(self, head: bytes) -> bool:
        """Tell whether the first line names columns of time, latitude and longitude."""
        names = set(_table.header(head))
        return all(names & set(wanted) for wanted in ((*TIME, "fixtime"), LAT, LON))

    def read(self, stream: BinaryIO) -> Iterator[Record]:
        """Yield the rows in the order of the file."""
        for line, row in _table.rows(stream, texts=_TEXTS):
            try:
                if row is None:
                    raise Unfit(Why.NOT_READABLE)
                yield _position(row)
            except Unfit as error:
                yield Refusal(line, error.why)


def _first(row: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((row[name].strip() for name in names if row.get(name, "").strip()), None)


def _time(row: Mapping[str, str]) -> str | None:
    # Loggers that have both columns mean them together.
    date, time = row.get("date", "").strip(), row.get("time", "").strip()
    if date and time and ":" in time and "-" not in time:
        return f"{date.replace('/', '-')}T{time}"
    return _first(row, TIME)


def _position(row: Mapping[str, str]) -> Position:
    speeds = ((number(row[name]), factor) for name, factor in _SPEEDS.items() if name in row)
    speed_mps = next((speed * factor for speed, factor in speeds if speed is not None), None)
    known: dict[str, object] = {name: _first(row, names) for name, names in _ALSO.items()}
    known |= {name: unguarded(row[name]) for name in _TEXTS if row.get(name)}
    return fix(moment(_time(row)), place(_first(row, LAT), _first(row, LON)), speed_mps=speed_mps, **known)


def unguarded(text: str) -> str:
    """Return a text without the apostrophes by which an export keeps it from being taken for a formula."""
    return _GUARD.sub(r"\1", text)


FORMAT = Csv()
