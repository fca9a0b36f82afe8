"""Dragino LGT-92 (the vendor's formatter in the LoRaWAN device repository, and its user manual).

`LON` is the LED, not a longitude; `BatV` are volts. Without a fix the tracker sends zeros or bits all set,
and the formatter turns a coordinate whose first byte is zero into 0: with either at 0 there is no fix.
"""

from tracker.domain.geo import LatLon
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
from tracker.ingest.dialects._fields import as_number, extras, truth

POSITION_PORT = 2
TAKEN = frozenset({"latitude", "longitude", "altitude", "hdop", "time"})


class Lgt92:
    """The codec of the LGT-92."""

    name = "dragino_lgt92"

    def read(self, fields: Fields) -> tuple[Reading, ...] | None:
        """Return the fix, or what is known besides.

        Raises:
            Malformed: it has one coordinate without the other.
        """
        if "latitude" not in fields or not ({"BatV", "ALARM_status", "LON", "MD"} & fields.keys()):
            return None
        found = dragino_place(fields.get("latitude"), fields.get("longitude"))
        return (
            Reading(
                place=found,
                no_fix=found is None,
                recorded_at=told_time(fields.get("time")),
                altitude_m=altitude_m(fields, "altitude"),
                hdop=first_number(fields, ("hdop",), low=0, high=1000) or None,
                trigger="alarm" if truth(fields.get("ALARM_status")) else None,
                attrs=extras(fields, TAKEN),
            ),
        )

    def decode(self, payload: bytes, port: int) -> Fields:
        """Return the position message (port 2); other ports tell nothing.

        Raises:
            Malformed: WRONG_SHAPE: too short.
        """
        if port != POSITION_PORT:
            return {}
        need(payload, 11)
        found: dict[str, float | int | str] = {
            "latitude": signed(payload[0:4]) / 1e6,
            "longitude": signed(payload[4:8]) / 1e6,
            "ALARM_status": "TRUE" if payload[8] & 0x40 else "FALSE",
            "BatV": (unsigned(payload[8:10]) & 0x3FFF) / 1000,
            "MD": ("Disable", "Move", "Collide", "User")[payload[10] >> 6],
            "LON": "ON" if payload[10] & 0x20 else "OFF",
        }
        if len(payload) >= 15:
            found |= {"Roll": signed(payload[11:13]) / 100, "Pitch": signed(payload[13:15]) / 100}
        if len(payload) >= 18:
            found |= {"hdop": payload[15] / 100, "altitude": signed(payload[16:18]) / 100}
        return found


def dragino_place(lat: object, lon: object) -> LatLon | None:
    """Return the place; None where a coordinate is 0 or cannot be one, which stands for no fix.

    Raises:
        Malformed: WRONG_SHAPE: only one of the two is there.
    """
    north, east = as_number(lat, strings=True), as_number(lon, strings=True)
    if north is not None and east is not None and (abs(north) > 90 or abs(east) > 180 or 0 in (north, east)):
        return None
    return told_place(north, east)


CODEC = Lgt92()
