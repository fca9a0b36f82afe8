"""Google Takeout, Location History: `Records.json` (until 2024), the raw fixes of an account's phones.

No specification is published; https://locationhistoryformat.com/reference/records/ describes it. Times are
`timestamp` (RFC 3339) or, before 2022, `timestampMs`; `velocity` is in m/s and `altitude` in metres.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

from tracker.domain.position import Position
from tracker.history.imports._fix import fix, moment, place_e7
from tracker.history.imports._json import elements
from tracker.history.imports._record import Record, Refusal, Unfit, Why


class GoogleRecords:
    """Reads the fixes of Records.json."""

    name = "google_records"
    title = "Google Takeout: Records.json"

    def matches(self, head: bytes) -> bool:
        """Tell whether it is an object with `locations` in units of 10^-7 degrees."""
        return b'"locations"' in head and b'"latitudeE7"' in head

    def read(self, stream: BinaryIO) -> Iterator[Record]:
        """Yield the fixes in the order of the file.

        Raises:
            Broken: the rest cannot be read.
        """
        for element in elements(stream):
            if element.key == "locations" and not element.is_member:
                try:
                    yield _position(element.value)
                except Unfit as error:
                    yield Refusal(element.number, error.why)


def _position(value: Any) -> Position:
    if not isinstance(value, dict):
        raise Unfit(Why.NOT_READABLE)
    return fix(
        moment(value.get("timestamp", value.get("timestampMs"))),
        place_e7(value.get("latitudeE7"), value.get("longitudeE7")),
        accuracy_m=value.get("accuracy"),
        altitude_m=value.get("altitude"),
        speed_mps=value.get("velocity"),
        course_deg=value.get("heading"),
        charging=value.get("batteryCharging"),
    )


FORMAT = GoogleRecords()
