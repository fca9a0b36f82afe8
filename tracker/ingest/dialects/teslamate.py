"""TeslaMate: one value a topic, below `teslamate/[namespace/]cars/{id}/` (its documentation, mqtt).

Everything but `healthy` is retained and nothing has a time, so only a `location` that comes live makes a
point, with what else was told of the car. `active_route` holds where the car is going, `latitude` and
`longitude` repeat the location: neither is read. A car is its number, after the namespace if there is one:
two TeslaMates on one broker number theirs alike.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tracker.domain.errors import Malformed, Reason
from tracker.domain.geo import LatLon
from tracker.domain.position import Position
from tracker.ingest.dialects._fields import identity, place
from tracker.ingest.dialects._message import NOTHING, Decoded, Message, Part
from tracker.ingest.dialects._one_value import (
    PAYLOAD_BYTES,
    Reader,
    course,
    plain,
    speed,
    switch,
    within,
    word,
)
from tracker.ingest.dialects._values import from_json

WINDOW = timedelta(seconds=1)

METRICS: Mapping[str, tuple[str, Reader]] = {
    "speed": ("speed_mps", speed),
    "heading": ("course_deg", course),
    "elevation": ("altitude_m", within(-12_000, 1e6)),
    "odometer": ("odometer_m", within(0, 1e9, 1000)),
    "battery_level": ("battery_pct", within(0, 100)),
    "plugged_in": ("plugged_in", switch),
    "charging_state": ("charging_state", word),
    "state": ("state", word),
    "shift_state": ("shift_state", word),
    "geofence": ("geofence", word),
}
"""What each topic is called here and how it is read."""

ON_POWER = {"charging": True, "complete": True, "starting": True, "stopped": True} | {
    "disconnected": False,
    "nopower": False,
}


class TeslaMate:
    """The dialect of TeslaMate."""

    name = "teslamate"
    root = None
    topics = tuple(
        f"teslamate/{namespace}cars/+/{name}" for namespace in ("", "+/") for name in ("location", *METRICS)
    )
    window = WINDOW

    def decode(self, message: Message) -> Decoded:
        """Return the parts that a topic tells.

        Raises:
            Malformed: the value cannot be read or cannot be true.
        """
        car, name = _address(message.topic)
        if name != "location" and name not in METRICS:
            return NOTHING
        if car is None and "" not in message.devices:
            raise Malformed(Reason.NO_IDENTITY, "topic")
        text = plain(message.payload)
        if name == "location":
            return _location(message, car) if text is not None else _no_location(car)
        called, read = METRICS[name]
        value = None if text is None else read(text, message.settings_of(car).speed_unit)
        return Decoded(parts=(Part(external_id=car, name=called, value=value),))

    def assemble(
        self, values: Mapping[str, Any], fresh: frozenset[str], received_at: datetime
    ) -> Position | None:
        """Return where the car is, if its location came live in this window; the time is that of receipt."""
        lat, lon = values.get("lat"), values.get("lon")
        if lat is None or lon is None or not {"lat", "lon"} <= fresh:
            return None
        charging = values.get("plugged_in", ON_POWER.get(str(values.get("charging_state")).lower()))
        names = ("state", "shift_state", "charging_state", "geofence")
        return Position(
            recorded_at=received_at,
            at=LatLon(lat=lat, lon=lon),
            speed_mps=values.get("speed_mps"),
            course_deg=values.get("course_deg"),
            altitude_m=values.get("altitude_m"),
            odometer_m=values.get("odometer_m"),
            battery_pct=values.get("battery_pct"),
            charging=charging,
            attrs={name: values[name] for name in names if name in values},
        )


def _address(topic: str) -> tuple[str | None, str]:
    """Return the car and the name of its value, "" if the topic is of another kind."""
    match topic.removeprefix("/").split("/"):
        case [*before, "cars", car, name]:
            namespace = [level for level in before[1:] if level]
            return identity("/".join((*namespace, car))), name
        case [name]:
            return None, name
    return None, ""


def _location(message: Message, car: str | None) -> Decoded:
    body = from_json(message.payload, PAYLOAD_BYTES)
    if not isinstance(body, dict):
        raise Malformed(Reason.WRONG_SHAPE, "location")
    at = place(body.get("latitude"), body.get("longitude"), strings=True)
    if at is None:
        return _no_location(car)
    return Decoded(
        parts=(
            Part(external_id=car, name="lat", value=at.lat),
            Part(external_id=car, name="lon", value=at.lon),
        )
    )


def _no_location(car: str | None) -> Decoded:
    return Decoded(parts=tuple(Part(external_id=car, name=name, value=None) for name in ("lat", "lon")))


DIALECT = TeslaMate()
