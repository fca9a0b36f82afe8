"""Adeunis field test device (its user guide, public formatters): BCD coordinates, battery in millivolts."""

from typing import Any

from tracker.domain.errors import Malformed, Reason
from tracker.ingest.codecs._reading import (
    Fields,
    Reading,
    altitude_m,
    first,
    first_number,
    first_whole,
    need,
    told_place,
    unsigned,
)
from tracker.ingest.codecs.generic import SATELLITES, TAKEN, no_fix
from tracker.ingest.dialects._fields import extras, text

COUNTERS = (
    frozenset({"uplink", "downlink"}),
    frozenset({"ul_counter", "dl_counter"}),
    frozenset({"uplinkCounter", "downlinkCounter"}),
    frozenset({"uplink_counter", "downlink_counter"}),
)
_TEMPERATURE, _ACCELEROMETER, _BUTTON, _GPS = 0x80, 0x40, 0x20, 0x10
_UPLINK, _DOWNLINK, _BATTERY, _SIGNAL = 0x08, 0x04, 0x02, 0x01


class AdeunisFtd:
    """The codec of the field test device."""

    name = "adeunis_ftd"

    def read(self, fields: Fields) -> tuple[Reading, ...] | None:
        """Return the fix, or what is known besides; an altitude of 0 is what formatters fill in.

        Raises:
            Malformed: it has one coordinate without the other, or one out of range.
        """
        if "lati_hemisphere" not in fields and not any(fields.keys() >= each for each in COUNTERS):
            return None
        lat, lon = first(fields, ("latitude", "lat")), first(fields, ("longitude", "lon", "lng"))
        found = None if no_fix(fields) else told_place(lat, lon)
        return (
            Reading(
                place=found,
                no_fix=found is None,
                altitude_m=altitude_m(fields, "altitude") or None,
                satellites=first_whole(fields, (*SATELLITES,)),
                hdop=first_number(fields, ("hdop",), low=0, high=1000) or None,
                trigger=text(fields, "trigger", longest=64),
                attrs=extras(fields, TAKEN | {"trigger"}),
            ),
        )

    def decode(self, payload: bytes, port: int) -> Fields:  # noqa: ARG002
        """Return what the payload tells; its first byte says what is in it.

        Raises:
            Malformed: WRONG_SHAPE: cut off, or a coordinate is not decimal.
        """
        need(payload, 1)
        status, at = payload[0], 1
        found: dict[str, Any] = {"uplink": None, "downlink": None}
        if status & _TEMPERATURE:
            need(payload, at + 1)
            found["temperature"] = int.from_bytes(payload[at : at + 1], "big", signed=True)
            at += 1
        if status & _ACCELEROMETER:
            found["trigger"] = "accelerometer"
        if status & _BUTTON:
            found["trigger"] = "pushbutton"
        if status & _GPS:
            need(payload, at + 9)
            found |= _place(payload[at : at + 9])
            at += 9
        for mask, name, size in (
            (_UPLINK, "uplink", 1),
            (_DOWNLINK, "downlink", 1),
            (_BATTERY, "battery", 2),
        ):
            if status & mask:
                need(payload, at + size)
                found[name] = unsigned(payload[at : at + size])
                at += size
        return found


def _place(data: bytes) -> dict[str, Any]:
    """Return the coordinates of 4 bytes latitude ddmmmmm, 4 bytes longitude dddmmmm and 1 of reception."""
    lat, lon = data[0:4].hex(), data[4:8].hex()
    if not (lat[:7] + lon[:7]).isdecimal():
        raise Malformed(Reason.WRONG_SHAPE, "payload: coordinates")
    north = int(lat[:2]) + int(lat[2:7]) / 1000 / 60
    east = int(lon[:3]) + int(lon[3:7]) / 100 / 60
    return {
        "latitude": -north if data[3] & 1 else north,
        "longitude": -east if data[7] & 1 else east,
        "sats": data[8] & 0x0F,
    }


CODEC = AdeunisFtd()
