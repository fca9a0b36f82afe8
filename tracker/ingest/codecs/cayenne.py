"""Cayenne LPP, the self-describing format of many home-made nodes (myDevices; extended by ElectronicCats).

The Things Stack names a place `gps_<channel>`, ChirpStack's own decoder `gpsLocation.<channel>`.
"""

import re
from collections.abc import Iterator
from typing import Any

from tracker.domain.errors import Malformed, Reason
from tracker.ingest.codecs._reading import (
    Fields,
    Reading,
    altitude_m,
    first_number,
    need,
    signed,
    told_place,
    told_time,
    unsigned,
)
from tracker.ingest.dialects._fields import extras

GPS = 136
UNIX_TIME = 133
PERCENTAGE = 120
SIZE_BYTES = {
    **dict.fromkeys((0, 1, 102, 104, PERCENTAGE, 142), 1),
    **dict.fromkeys((2, 3, 101, 103, 115, 116, 117, 121, 125, 128, 132), 2),
    135: 3,
    **dict.fromkeys((100, 118, 130, 131, UNIX_TIME), 4),
    **dict.fromkeys((113, 134), 6),
    GPS: 9,
}
_GPS_NAME = re.compile(r"gps_\d{1,3}")
_TIME_NAME = re.compile(r"unix_?time_\d{1,3}", re.IGNORECASE)


class Cayenne:
    """The codec of Cayenne LPP."""

    name = "cayenne"

    def read(self, fields: Fields) -> tuple[Reading, ...] | None:
        """Return the place of the first channel that has a fix.

        Raises:
            Malformed: a channel has one coordinate without the other, or one out of range.
        """
        places = list(_places(fields))
        if not places:
            return None
        taken = {name for name in fields if _GPS_NAME.fullmatch(name)} | {"gpsLocation"}
        time = next((fields[name] for name in fields if _TIME_NAME.fullmatch(name)), None)
        for each in places:
            found = told_place(each.get("latitude"), each.get("longitude"))
            if found is not None:
                return (
                    Reading(
                        place=found,
                        recorded_at=told_time(time),
                        altitude_m=altitude_m(each, "altitude"),
                        hdop=first_number(fields, ("hdop",), low=0, high=1000),
                        attrs=extras(fields, taken),
                    ),
                )
        return (Reading(no_fix=True, attrs=extras(fields, taken)),)

    def decode(self, payload: bytes, port: int) -> Fields:  # noqa: ARG002
        """Return places and times of the payload; other channels are passed over.

        Raises:
            Malformed: WRONG_SHAPE: cut off, or a type of unknown length before any place.
        """
        found: dict[str, Any] = {}
        at = 0
        while at < len(payload):
            need(payload, at + 2)
            channel, kind = payload[at], payload[at + 1]
            size = SIZE_BYTES.get(kind)
            if size is None:
                if found:
                    break
                raise Malformed(Reason.WRONG_SHAPE, "payload: unknown Cayenne type")
            need(payload, at + 2 + size)
            data = payload[at + 2 : at + 2 + size]
            if kind == GPS:
                found[f"gps_{channel}"] = {
                    "latitude": signed(data[:3]) / 10_000,
                    "longitude": signed(data[3:6]) / 10_000,
                    "altitude": signed(data[6:9]) / 100,
                }
            elif kind == UNIX_TIME:
                found[f"unix_time_{channel}"] = unsigned(data)
            at += 2 + size
        return found


def _places(fields: Fields) -> Iterator[Fields]:
    for name, value in fields.items():
        if _GPS_NAME.fullmatch(name) and isinstance(value, dict):
            yield value
    channels = fields.get("gpsLocation")
    if isinstance(channels, dict):
        yield from (each for each in channels.values() if isinstance(each, dict))


CODEC = Cayenne()
