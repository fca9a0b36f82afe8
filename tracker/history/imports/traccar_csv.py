"""Positions as a Traccar server exports them to CSV (`/api/positions/csv`; its CsvExportProvider).

Speed is in knots, distances in metres; `fixTime` is the moment of the fix, and attributes have columns of
their own. A position that the device called invalid is refused; an outdated one is an earlier fix again,
whose `fixTime` says so.
"""

from collections.abc import Iterator, Mapping
from typing import BinaryIO

from tracker.domain.position import Position
from tracker.history.imports import _table
from tracker.history.imports._fix import fix, moment, number, place, truth
from tracker.history.imports._record import Record, Refusal, Unfit, Why

KNOT_MPS = 1852 / 3600


class TraccarCsv:
    """Reads the rows of a Traccar server's table."""

    name = "traccar_csv"
    title = "Traccar CSV"

    def matches(self, head: bytes) -> bool:
        """Tell whether the first line has the columns that only a Traccar server's table has."""
        return {"fixtime", "latitude", "longitude", "valid"} <= set(_table.header(head))

    def read(self, stream: BinaryIO) -> Iterator[Record]:
        """Yield the rows in the order of the file."""
        for line, row in _table.rows(stream, texts=("event",)):
            try:
                if row is None:
                    raise Unfit(Why.NOT_READABLE)
                yield _position(row)
            except Unfit as error:
                yield Refusal(line, error.why)


def _position(row: Mapping[str, str]) -> Position:
    if truth(row.get("valid")) is False:
        raise Unfit(Why.INVALID_FIX)
    knots = number(row.get("speed", ""))
    accuracy = number(row.get("accuracy", ""))
    return fix(
        moment(row.get("fixtime")),
        place(row.get("latitude"), row.get("longitude")),
        # Traccar writes 0 for an accuracy or an altitude that it was not told; 0 m above the sea is real.
        accuracy_m=accuracy or None,
        altitude_m=row.get("altitude"),
        speed_mps=knots * KNOT_MPS if knots is not None else None,
        course_deg=row.get("course"),
        battery_pct=row.get("batterylevel"),
        charging=row.get("charge"),
        ignition=row.get("ignition"),
        motion=row.get("motion"),
        satellites=row.get("sat"),
        hdop=row.get("hdop"),
        odometer_m=row.get("odometer") or row.get("totaldistance"),
        trigger=row.get("event"),
    )


FORMAT = TraccarCsv()
