"""Browan Tabs object locator (the vendor's formatter in the LoRaWAN device repository).

Without a fix the tracker repeats its last place. A battery of up to 5 is volts.
"""

from typing import Any

from tracker.ingest.codecs._reading import (
    Fields,
    Reading,
    accuracy_m,
    first,
    first_number,
    need,
    signed,
    told_place,
    unsigned,
)
from tracker.ingest.codecs.generic import ACCURACY, LAT, LON
from tracker.ingest.dialects._fields import extras, text, truth

LOCATION_PORT = 136
VOLTS_UP_TO = 5
TAKEN = frozenset(
    (*LAT, *LON, *ACCURACY, "gnss_fix", "moving", "PositionEstimate", "NoGNSSFix", "MovingMode")
)


class Browan:
    """The codec of Browan's locators."""

    name = "browan"

    def read(self, fields: Fields) -> tuple[Reading, ...] | None:
        """Return the fix, or what is known besides.

        Raises:
            Malformed: it has one coordinate without the other, or one out of range.
        """
        if not ({"gnss_fix", "NoGNSSFix", "MovingMode"} & fields.keys()):
            return None
        cached = truth(fields.get("gnss_fix")) is False or truth(fields.get("NoGNSSFix")) is True
        found = None if cached else told_place(first(fields, LAT), first(fields, LON))
        level = first_number(fields, ("battery", "battery_pct", "battery_percent"), low=0, high=100)
        pressed = truth(first(fields, ("ButtonTrigger", "button")))
        return (
            Reading(
                place=found,
                no_fix=found is None,
                accuracy_m=accuracy_m(fields, *ACCURACY, "PositionEstimate"),
                battery_pct=level if level is not None and level > VOLTS_UP_TO else None,
                motion=truth(first(fields, ("moving", "MovingMode"))),
                trigger="button" if pressed else text(fields, "trigger", longest=64),
                attrs=extras(fields, TAKEN),
            ),
        )

    def decode(self, payload: bytes, port: int) -> Fields:
        """Return the location message (port 136); other ports tell nothing.

        Raises:
            Malformed: WRONG_SHAPE: too short.
        """
        if port != LOCATION_PORT:
            return {}
        need(payload, 11)
        found: dict[str, Any] = {
            "gnss_fix": not payload[0] & 0x08,
            "moving": bool(payload[0] & 0x02),
            "button": bool(payload[0] & 0x01),
            "battery_v": (25 + (payload[1] & 0x0F)) / 10,
            "temperature": (payload[2] & 0x7F) - 32,
            # 28 bits of latitude; 29 of longitude below the exponent of the accuracy.
            "latitude": _narrow(payload[3:7], 28) / 1e6,
            "longitude": _narrow(payload[7:11], 29) / 1e6,
            "accuracy": 2 ** ((payload[10] >> 5) + 2),
        }
        return found


def _narrow(data: bytes, bits: int) -> int:
    """Return the two's complement number in the low `bits` of four bytes, lowest byte first."""
    shifted = (unsigned(data, little=True) << (32 - bits)) & 0xFFFFFFFF
    return signed(shifted.to_bytes(4, "big")) >> (32 - bits)


CODEC = Browan()
