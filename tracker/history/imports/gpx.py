"""GPX 1.0 and 1.1 (https://www.topografix.com/GPX/1/1/) with the extensions of common loggers.

Track points that have a time are positions. Waypoints and routes are places that somebody marked, not
where the device was, and are passed over.
"""

from collections.abc import Iterator, Mapping
from typing import BinaryIO

from tracker.domain.position import Position
from tracker.history.imports._fix import fix, moment, place
from tracker.history.imports._record import Record, Refusal, Unfit, Why
from tracker.history.imports._xml import tags

FIELDS = 64
"""How many members of one point are looked at."""


class Gpx:
    """Reads the track points of a GPX file."""

    name = "gpx"
    title = "GPX"

    def matches(self, head: bytes) -> bool:
        """Tell whether the outermost element is `gpx`."""
        return b"<gpx" in head[:4096]

    def read(self, stream: BinaryIO) -> Iterator[Record]:
        """Yield the track points in the order of the file.

        Raises:
            Broken: the rest cannot be read.
        """
        count = 0
        point: dict[str, str] | None = None
        for tag in tags(stream):
            if tag.name == "trkpt":
                if tag.text is None:
                    count += 1
                    point = {"@lat": tag.attributes.get("lat", ""), "@lon": tag.attributes.get("lon", "")}
                elif point is not None:
                    yield _record(point, count)
                    point = None
            elif point is not None and tag.text and len(point) < FIELDS:
                point.setdefault(tag.name, tag.text)


def _record(point: Mapping[str, str], count: int) -> Record:
    try:
        return _position(point)
    except Unfit as error:
        return Refusal(count, error.why)


def _position(point: Mapping[str, str]) -> Position:
    if point.get("fix", "").strip() == "none":
        raise Unfit(Why.INVALID_FIX)
    at = place(point["@lat"], point["@lon"])
    return fix(
        moment(point.get("time")),
        at,
        accuracy_m=point.get("accuracy_m", point.get("accuracy")),
        altitude_m=point.get("ele"),
        speed_mps=point.get("speed_mps", point.get("speed")),
        course_deg=point.get("course_deg", point.get("course", point.get("bearing"))),
        battery_pct=point.get("battery_pct", point.get("batterylevel")),
        charging=point.get("charging"),
        ignition=point.get("ignition"),
        motion=point.get("motion"),
        trigger=point.get("trigger"),
        satellites=point.get("sat"),
        hdop=point.get("hdop"),
        odometer_m=point.get("odometer_m"),
        network=point.get("network"),
        attrs=point.get("attrs"),
    )


FORMAT = Gpx()
