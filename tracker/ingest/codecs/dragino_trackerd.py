"""Dragino TrackerD (dragino/dragino-end-node-decoder: formatters 1.3.0 to 1.5.1, and its user manual).

The place is in `Latitude` and `Longitude` (`Longitud` in old ones) or in `Location`, "lat,lon" or 0. `BatV`
are volts, `LON` is the LED, `Date` and `Time` are UTC: 2023-5-18 or, in old ones, 2023:5:18 or 5/18/2023,
which may also stand before the time. Zeros stand for no fix.
"""

import re
from datetime import UTC, datetime
from typing import Any

from tracker.domain.errors import Malformed, Reason
from tracker.domain.geo import LatLon
from tracker.ingest.codecs._reading import Fields, Reading, first, need, signed, unsigned
from tracker.ingest.codecs.dragino_lgt92 import dragino_place
from tracker.ingest.dialects._fields import extras, truth

TAKEN = frozenset(
    {"Latitude", "Longitude", "Longitud", "Location", "location_tago", "Date", "Time", "Transport"}
)
MOVES = {"MOVE": True, "STILL": False}
FULL_PORT, SHORT_PORT, LOGGED_PORT, ALARM_PORT = 2, 3, 4, 7
_MOMENT = re.compile(
    r"(?:(?P<year>\d{4})[-:](?P<month>\d{1,2})[-:](?P<day>\d{1,2})"
    r"|(?P<us_month>\d{1,2})/(?P<us_day>\d{1,2})/(?P<us_year>\d{4}),?)"
    r"\s+(?P<hour>\d{1,2}):(?P<minute>\d{1,2}):(?P<second>\d{1,2})",
    re.ASCII,
)


class TrackerD:
    """The codec of the TrackerD."""

    name = "dragino_trackerd"

    def read(self, fields: Fields) -> tuple[Reading, ...] | None:
        """Return the fix, or what is known besides.

        Raises:
            Malformed: it has one coordinate without the other.
        """
        if not ({"Longitud", "location_tago", "Transport"} & fields.keys()) and not (
            {"BatV", "ALARM_status", "LON", "Date"} & fields.keys()
            and {"Latitude", "Location"} & fields.keys()
        ):
            return None
        found = _place(fields)
        return (
            Reading(
                place=found,
                no_fix=found is None,
                recorded_at=_moment(fields.get("Date"), fields.get("Time")),
                motion=MOVES.get(str(fields.get("Transport")).upper()),
                trigger="alarm" if truth(fields.get("ALARM_status")) else None,
                attrs=extras(fields, TAKEN),
            ),
        )

    def decode(self, payload: bytes, port: int) -> Fields:
        """Return the position (ports 2 and 3), a logged one (4) or the alarm (7); other ports tell nothing.

        Raises:
            Malformed: WRONG_SHAPE: too short.
        """
        if port in (FULL_PORT, SHORT_PORT):
            need(payload, 11)
            found = _coordinates(payload) | _state(payload[8:11])
            found["Transport"] = "MOVE" if payload[10] & 0x10 else "STILL"
            if port == FULL_PORT and payload[10] & 0x08:
                need(payload, 18)
                found |= _clock(payload[11:18])
            elif port == FULL_PORT and len(payload) >= 15:
                found |= {"Hum": unsigned(payload[11:13]) / 10, "Tem": signed(payload[13:15]) / 10}
            return found
        if port == LOGGED_PORT:
            need(payload, 15)
            return _coordinates(payload) | _clock(payload[8:15])
        if port == ALARM_PORT:
            need(payload, 3)
            return _state(payload) | {"Latitude": 0, "Longitude": 0}
        return {}


def _place(fields: Fields) -> LatLon | None:
    lat, lon = fields.get("Latitude"), first(fields, ("Longitude", "Longitud"))
    if lat is None and lon is None and isinstance(fields.get("Location"), str):
        lat, _, lon = fields["Location"].partition(",")
        if not lon:
            return None
    return dragino_place(lat, lon)


def _moment(date: Any, clock: Any) -> datetime | None:
    """Return the moment of a date and a time whose numbers have no leading zeros; None if they are none."""
    told = " ".join(each for each in (date, clock) if isinstance(each, str))
    found = _MOMENT.fullmatch(told) if len(told) <= 64 else None
    if found is None:
        return None
    at = {name.removeprefix("us_"): int(each) for name, each in found.groupdict().items() if each is not None}
    try:
        return datetime(**at, tzinfo=UTC)
    except ValueError:
        return None


def _coordinates(payload: bytes) -> dict[str, Any]:
    return {"Latitude": signed(payload[0:4]) / 1e6, "Longitude": signed(payload[4:8]) / 1e6}


def _state(data: bytes) -> dict[str, Any]:
    return {
        "BatV": (unsigned(data[0:2]) & 0x3FFF) / 1000,
        "ALARM_status": "TRUE" if data[0] & 0x40 else "FALSE",
        "LON": "ON" if data[2] & 0x20 else "OFF",
    }


def _clock(data: bytes) -> dict[str, Any]:
    year = unsigned(data[0:2])
    try:
        moment = datetime(year, data[2], data[3], data[4], data[5], data[6], tzinfo=UTC)
    except ValueError:
        raise Malformed(Reason.WRONG_SHAPE, "payload: date") from None
    return {"Date": f"{moment:%Y-%m-%d}", "Time": f"{moment:%H:%M:%S}"}


CODEC = TrackerD()
