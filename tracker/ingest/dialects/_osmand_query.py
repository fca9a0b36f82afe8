"""The OsmAnd protocol: one position as the query of a GET, or as the form of a POST (traccar.org/osmand).

Also Traccar Client before version 9, GPS loggers and much home-made software speak it. Speeds are knots; a
message without time is of now.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from tracker.domain.device import SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.domain.geo import LatLon
from tracker.domain.position import Position, Report
from tracker.ingest.dialects._fields import (
    as_number,
    course_deg,
    extras,
    fact_time,
    fix_time,
    identity,
    known,
    number,
    own_or_named,
    place,
    scaled,
    speed_mps,
    telemetry,
    truth,
    whole,
)
from tracker.ingest.dialects._message import Decoded, Message, one
from tracker.ingest.dialects._network import access_point, cell, surroundings

Fields = Mapping[str, str]

PAIRS = 1000
_COLUMNS = frozenset(
    (
        *("id", "deviceid", "lat", "lon", "location", "timestamp", "speed", "bearing", "heading"),
        *("altitude", "accuracy", "hdop", "batt", "charge", "valid", "cell", "wifi"),
        *("ignition", "motion", "sat", "odometer"),
    )
)
_NAMES = frozenset({"driverUniqueId"})
# A plus sign that was not escaped arrives as a blank.
_BLANK_OFFSET = re.compile(r" (\d\d:?\d\d)$", re.ASCII)
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(\.\d{1,15})?", re.ASCII)


def decode_query(query: str, message: Message) -> Decoded:
    """Return what a query or form says; without coordinates only the device's state.

    Raises:
        Malformed: it cannot be read or cannot be true, or does not say which device it is from.
    """
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=PAIRS, errors="strict")
    except UnicodeDecodeError:
        raise Malformed(Reason.NOT_TEXT, "UTF-8") from None
    except ValueError:
        raise Malformed(Reason.TOO_LARGE, f"more than {PAIRS} fields") from None
    # The first of a repeated field; an empty one says nothing.
    fields = {name: value for name, value in reversed(pairs) if value}
    external_id = own_or_named(identity(fields.get("id")) or identity(fields.get("deviceid")), message)
    heard = _network(pairs)
    at = None if truth(fields.get("valid")) is False else _place(fields)
    if at is None:
        moment = fact_time(fields.get("timestamp"), message.received_at)
        return telemetry(external_id, moment, _state(fields) | known(network=heard or None))
    unit = message.settings_of(external_id).speed_unit or SpeedUnit.KNOTS
    course = as_number(fields.get("bearing") or fields.get("heading"), strings=True)
    return one(
        Report(
            external_id=external_id,
            position=Position(
                recorded_at=_moment(fields, message.received_at),
                at=at,
                accuracy_m=scaled(number(fields, "accuracy", high=1e7, strings=True), 1) or None,
                altitude_m=number(fields, "altitude", low=-12_000, high=1e6, strings=True),
                speed_mps=speed_mps(number(fields, "speed", strings=True), unit),
                course_deg=course_deg(course),
                satellites=whole(fields, "sat", low=0, high=1000, strings=True),
                hdop=number(fields, "hdop", low=0, high=1000, strings=True),
                network=heard,
                attrs=extras({name: _plain(name, value) for name, value in _others(pairs)}),
                **_state(fields),
            ),
        )
    )


def _moment(fields: Fields, received_at: datetime) -> datetime:
    told = fields.get("timestamp")
    return fix_time(_BLANK_OFFSET.sub(r"+\1", told), received_at) if told else received_at


def _place(fields: Fields) -> LatLon | None:
    """Return the place; None if the message has no coordinates, or 0, 0."""
    lat, lon = fields.get("lat"), fields.get("lon")
    if lat is None and lon is None:
        if "location" not in fields:
            return None
        lat, _, lon = fields["location"].partition(",")
    return place(lat, lon, strings=True)


def _state(fields: Fields) -> dict[str, Any]:
    return known(
        battery_pct=number(fields, "batt", low=0, high=100, strings=True),
        charging=truth(fields.get("charge")),
        ignition=truth(fields.get("ignition")),
        motion=truth(fields.get("motion")),
        odometer_m=number(fields, "odometer", low=0, high=1e12, strings=True),
    )


def _network(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    # cell=mcc,mnc,lac,cid[,signal]; wifi=mac[,signal]
    pairs = list(pairs)
    cells = (value.split(",")[:5] for name, value in pairs if name == "cell")
    points = (value.split(",")[:2] for name, value in pairs if name == "wifi")
    return surroundings(
        (cell(*map(_code, each[:4]), *each[4:]) for each in cells if len(each) >= 4),
        (access_point(*each) for each in points),
    )


def _code(written: str) -> int | str:
    return int(written) if written.isascii() and written.isdigit() and len(written) <= 16 else written


def _others(pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return ((name, value) for name, value in pairs if name and value and name not in _COLUMNS)


def _plain(name: str, written: str) -> str | float | bool:
    """Return a number or boolean for a text that is one; a code as 007 and names of people stay text."""
    if name in _NAMES:
        return written
    if written in ("true", "false"):
        return written == "true"
    if (match := _PLAIN_NUMBER.fullmatch(written)) is None:
        return written
    return float(written) if match[1] else int(written)
