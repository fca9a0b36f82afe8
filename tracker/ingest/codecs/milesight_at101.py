"""Milesight AT101 (the vendor's formatter in the LoRaWAN device repository, and its user guide).

`position` is the attitude of the case, `battery` is per cent; `history` holds fixes that could not be sent in
time. Without a fix both coordinates have all bits set.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tracker.domain.errors import Malformed, Reason
from tracker.ingest.codecs._reading import (
    Fields,
    Reading,
    first_number,
    need,
    signed,
    told_place,
    told_time,
    unsigned,
)
from tracker.ingest.dialects._fields import ELEMENTS, extras

MOVES = {"start": True, "moving": True, "start moving": True, "stop": False, "stop moving": False}
MOTIONS = ("unknown", "start", "moving", "stop")
FENCES = ("inside", "outside", "unset", "unknown")
TAKEN = frozenset({"latitude", "longitude", "battery", "history", "wifi"})


class At101:
    """The codec of the AT101."""

    name = "milesight_at101"

    def read(self, fields: Fields) -> tuple[Reading, ...] | None:
        """Return the fix, or what is known besides, and the fixes of the history.

        Raises:
            Malformed: it has one coordinate without the other, or one out of range.
        """
        if not ({"motion_status", "geofence_status", "wifi_scan_result"} & fields.keys()) and not (
            isinstance(fields.get("history"), list) or fields.get("position") in ("normal", "tilt")
        ):
            return None
        found = told_place(fields.get("latitude"), fields.get("longitude"))
        now = Reading(
            place=found,
            no_fix=found is None and "latitude" in fields,
            battery_pct=first_number(fields, ("battery",), low=0, high=100),
            motion=MOVES.get(str(fields.get("motion_status")).lower()),
            attrs=extras(fields, TAKEN),
        )
        return (*_history(fields.get("history")), now)

    def decode(self, payload: bytes, port: int) -> Fields:  # noqa: ARG002
        """Return what the channels of the payload tell, up to the first one that is not known.

        Raises:
            Malformed: WRONG_SHAPE: cut off, or no channel is known.
        """
        found: dict[str, Any] = {}
        at = 0
        while at + 2 <= len(payload):
            kind = (payload[at], payload[at + 1])
            if kind not in _CHANNELS:
                break
            size, read = _CHANNELS[kind]
            need(payload, at + 2 + size)
            read(payload[at + 2 : at + 2 + size], found)
            at += 2 + size
        if at == 0:
            raise Malformed(Reason.WRONG_SHAPE, "payload: no known channel")
        return found


def _history(listed: Any) -> tuple[Reading, ...]:
    readings = []
    for each in listed[:ELEMENTS] if isinstance(listed, list) else ():
        if not isinstance(each, dict) or (moment := told_time(each.get("timestamp"))) is None:
            continue
        try:
            found = told_place(each.get("latitude"), each.get("longitude"))
        except Malformed:
            continue
        if found is not None:
            readings.append(Reading(place=found, recorded_at=moment))
    return tuple(readings)


def _battery(data: bytes, found: dict[str, Any]) -> None:
    found["battery"] = data[0]


def _temperature(data: bytes, found: dict[str, Any]) -> None:
    found["temperature"] = signed(data[:2], little=True) / 10


def _location(data: bytes, found: dict[str, Any]) -> None:
    found["latitude"] = signed(data[0:4], little=True) / 1e6
    found["longitude"] = signed(data[4:8], little=True) / 1e6
    found["motion_status"] = dict(enumerate(MOTIONS)).get(data[8] & 0x0F, "unknown")
    found["geofence_status"] = dict(enumerate(FENCES)).get(data[8] >> 4, "unknown")


def _attitude(data: bytes, found: dict[str, Any]) -> None:
    found["position"] = "tilt" if data[0] else "normal"


def _wifi(data: bytes, found: dict[str, Any]) -> None:
    found["wifi_scan_result"] = "timeout" if data[1:7] == b"\xff" * 6 else "finish"


def _logged(data: bytes, found: dict[str, Any]) -> None:
    # The longitude comes first here.
    found.setdefault("history", []).append(
        {
            "timestamp": unsigned(data[0:4], little=True),
            "longitude": signed(data[4:8], little=True) / 1e6,
            "latitude": signed(data[8:12], little=True) / 1e6,
        }
    )


def _skip(_data: bytes, _found: dict[str, Any]) -> None:
    """Pass over a channel that tells nothing of interest."""


_CHANNELS: Mapping[tuple[int, int], tuple[int, Callable[[bytes, dict[str, Any]], None]]] = {
    (0x01, 0x75): (1, _battery),
    (0x03, 0x67): (2, _temperature),
    (0x83, 0x67): (3, _temperature),
    (0x04, 0x88): (9, _location),
    (0x84, 0x88): (9, _location),
    (0x05, 0x00): (1, _attitude),
    (0x06, 0xD9): (9, _wifi),
    (0x07, 0x00): (1, _skip),
    (0x20, 0xCE): (12, _logged),
    # Versions, serial number, class, start and state of the device.
    (0xFF, 0x01): (1, _skip),
    (0xFF, 0x09): (2, _skip),
    (0xFF, 0x0A): (2, _skip),
    (0xFF, 0xFF): (2, _skip),
    (0xFF, 0x16): (8, _skip),
    (0xFF, 0x0F): (1, _skip),
    (0xFF, 0xFE): (1, _skip),
    (0xFF, 0x0B): (1, _skip),
}

CODEC = At101()
