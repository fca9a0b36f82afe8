"""Digital Matter Oyster and Yabby (the vendor's formatter in the LoRaWAN device repository).

After a failed search the tracker repeats its last place; the formatter moves it to `cached`.
"""

from typing import Any

from tracker.domain.device import SpeedUnit
from tracker.ingest.codecs._reading import Fields, Reading, first_number, need, signed, told_place
from tracker.ingest.dialects._fields import course_deg, extras, truth

FULL_PORT = 1
SHORT_PORT = 4
TAKEN = frozenset(
    {"latitudeDeg", "longitudeDeg", "headingDeg", "speedKmph", "inTrip", "fixFailed", "cached", "type"}
)


class DigitalMatter:
    """The codec of Oyster and Yabby."""

    name = "digital_matter"

    def read(self, fields: Fields) -> tuple[Reading, ...] | None:
        """Return the fix, or what is known besides after a failed one; `batV` are volts.

        Raises:
            Malformed: it has one coordinate without the other, or one out of range.
        """
        if not ({"latitudeDeg", "fixFailed", "inTrip"} & fields.keys()):
            return None
        motion = truth(fields.get("inTrip"))
        if truth(fields.get("fixFailed")) or truth(fields.get("cached")):
            return (Reading(no_fix=True, motion=motion, attrs=extras(fields, TAKEN)),)
        found = told_place(fields.get("latitudeDeg"), fields.get("longitudeDeg"))
        return (
            Reading(
                place=found,
                no_fix=found is None,
                speed=first_number(fields, ("speedKmph",), low=0),
                speed_unit=SpeedUnit.KMH,
                course_deg=course_deg(first_number(fields, ("headingDeg",), low=0, high=360)),
                motion=motion,
                attrs=extras(fields, TAKEN),
            ),
        )

    def decode(self, payload: bytes, port: int) -> Fields:
        """Return the position of the full (port 1) or short (port 4) message; other ports tell nothing.

        Raises:
            Malformed: WRONG_SHAPE: too short.
        """
        if port == FULL_PORT:
            need(payload, 11)
            return _position(
                signed(payload[0:4], little=True) / 1e7,
                signed(payload[4:8], little=True) / 1e7,
                heading_deg=(payload[8] >> 2) * 5.625,
                speed_kmh=payload[9],
                flags=payload[8],
                volts=payload[10] * 0.025,
            )
        if port == SHORT_PORT:
            need(payload, 9)
            return _position(
                signed(payload[0:3], little=True) * 256 / 1e7,
                signed(payload[3:6], little=True) * 256 / 1e7,
                heading_deg=(payload[6] & 7) * 45,
                speed_kmh=(payload[6] >> 3) * 5,
                flags=payload[8],
                volts=payload[7] * 0.025,
            )
        return {}


def _position(
    lat: float, lon: float, *, heading_deg: float, speed_kmh: int, flags: int, volts: float
) -> dict[str, Any]:
    return {
        "latitudeDeg": lat,
        "longitudeDeg": lon,
        "headingDeg": heading_deg,
        "speedKmph": speed_kmh,
        "inTrip": bool(flags & 1),
        "fixFailed": bool(flags & 2),
        "batV": round(volts, 3),
    }


CODEC = DigitalMatter()
