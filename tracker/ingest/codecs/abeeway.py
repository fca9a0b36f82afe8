"""Abeeway trackers (the vendor's formatters in the LoRaWAN device repository: asset-tracker-2 and -3).

In the former `batteryLevel` is a raw code, and `age` is how many seconds old the fix was when it was sent.
In the latter `batteryLevel` is per cent, and the time is that of the fix.
"""

from collections.abc import Mapping
from typing import Any

from tracker.ingest.codecs._reading import (
    Fields,
    Reading,
    accuracy_m,
    altitude_m,
    first_number,
    first_whole,
    need,
    signed,
    told_place,
    told_time,
)
from tracker.ingest.dialects._fields import extras, text, truth

POSITION, GPS = 3, 0
MOVES = {"MOVING": True, "STATIC": False}
CHARGES = {"CHARGING": True, "OPERATING": False}
TAKEN = frozenset(
    {
        *("gpsLatitude", "gpsLongitude", "horizontalAccuracy", "age", "dynamicMotionState", "payload"),
        *("messageType", "bssids", "batteryStatus", "gpsAltitude", "deviceConfiguration"),
    }
)


class Abeeway:
    """The codec of Abeeway's asset trackers."""

    name = "abeeway"

    def read(self, fields: Fields) -> tuple[Reading, ...] | None:
        """Return the fix, or what is known besides: scans, events and heartbeats have none.

        Raises:
            Malformed: it has one coordinate without the other, or one out of range.
        """
        header = fields.get("header")
        if isinstance(header, dict) and isinstance(header.get("type"), str):
            return (_third(fields, header),)
        if "gpsLatitude" not in fields and not isinstance(fields.get("messageType"), str):
            return None
        found = told_place(fields.get("gpsLatitude"), fields.get("gpsLongitude"))
        sos = truth(fields.get("sosFlag"))
        return (
            Reading(
                place=found,
                no_fix=found is None,
                age_s=first_number(fields, ("age",), low=0, high=1e6),
                accuracy_m=accuracy_m(fields, "horizontalAccuracy"),
                altitude_m=altitude_m(fields, "gpsAltitude"),
                motion=MOVES.get(str(fields.get("dynamicMotionState")).upper()),
                charging=CHARGES.get(str(fields.get("batteryStatus")).upper()),
                trigger="sos" if sos else text(fields, "eventType", longest=64),
                attrs=extras(fields, TAKEN),
            ),
        )

    def decode(self, payload: bytes, port: int) -> Fields:  # noqa: ARG002
        """Return the GPS position message; other messages tell nothing.

        Raises:
            Malformed: WRONG_SHAPE: too short.
        """
        need(payload, 5)
        if payload[0] != POSITION or payload[4] & 0x0F != GPS:
            return {}
        need(payload, 13)
        # Three bytes are the upper ones of four; age and accuracy are 0..2040 s and 0..1000 m in 255 steps.
        return {
            "messageType": "POSITION_MESSAGE",
            "gpsLatitude": signed(payload[6:9] + b"\0") / 1e7,
            "gpsLongitude": signed(payload[9:12] + b"\0") / 1e7,
            "age": payload[5] * 8,
            "horizontalAccuracy": round(payload[12] * 1000 / 255, 2),
            "dynamicMotionState": "MOVING" if payload[1] & 4 else "STATIC",
            "sosFlag": payload[1] >> 4 & 1,
        }


def _third(fields: Fields, header: Mapping[str, Any]) -> Reading:
    """Return what the objects of asset-tracker-3 tell; the units of SOG and COG are open."""
    where = _inner(fields, "position")
    fix = _inner(where, "gnssFix")
    found = told_place(fix.get("latitude"), fix.get("longitude"))
    told = _inner(fields, "notification").get("notificationType")
    return Reading(
        place=found,
        no_fix=found is None,
        recorded_at=told_time(header.get("timestamp")),
        accuracy_m=accuracy_m(fix, "EHPE"),
        altitude_m=altitude_m(fix, "altitude"),
        battery_pct=first_number(header, ("batteryLevel",), low=0, high=100),
        charging=CHARGES.get(str(header.get("batteryLevel")).upper()),
        trigger="sos" if truth(header.get("sos")) else text({"": told}, "", longest=64),
        satellites=first_whole(_inner(fix, "quality"), ("numberSatellitesUsed",)),
        attrs=extras({name: each for name, each in fix.items() if name in ("SOG", "COG")}),
    )


def _inner(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


CODEC = Abeeway()
