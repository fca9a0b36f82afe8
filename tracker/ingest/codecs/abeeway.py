"""Abeeway trackers (the vendor's asset-tracker-2 formatter in the LoRaWAN device repository).

`batteryLevel` is a raw code. `age` is how many seconds old the fix was when it was sent.
"""

from tracker.ingest.codecs._reading import (
    Fields,
    Reading,
    accuracy_m,
    altitude_m,
    first_number,
    need,
    signed,
    told_place,
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


CODEC = Abeeway()
