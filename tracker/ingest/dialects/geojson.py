"""GeoJSON features with a point and a time (RFC 7946): Overland, GPSLogger, exports of Dawarich and GeoPulse.

Over HTTP, or below the topic `tracker/{device}/geojson`; a topic names the device before the body does. A
feature without geometry is an action of the app and says no place; where it has one, as a trip has, it is
that of the last fix, not a new one. -1 is unknown.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tracker.domain.device import SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import Position, Report
from tracker.ingest.dialects._fields import (
    ELEMENTS,
    Body,
    as_number,
    course_deg,
    extras,
    fix_time,
    identity,
    known,
    percent_of,
    place,
    speed_mps,
    text,
    truth,
)
from tracker.ingest.dialects._message import NOTHING, Decoded, Message, Problem, problem
from tracker.ingest.dialects._values import from_json

PAYLOAD_BYTES = 1024 * 1024
"""A day of Overland in one message."""

TIMES = ("timestamp", "time", "datetime", "when", "recorded_at", "tst", "date")
DEVICES = ("device_id", "deviceId", "device", "tid")
ACCURACIES = ("horizontal_accuracy", "accuracy", "acc", "precision")
ALTITUDES = ("altitude", "alt", "elevation", "ele", "height")
SPEEDS: Mapping[str, SpeedUnit | None] = {
    "speed": None,
    "speed_kmh": SpeedUnit.KMH,
    "speed_mps": SpeedUnit.MPS,
}
"""Where a speed may be, and its unit; None: metres a second, or as the device's settings say."""
COURSES = ("course", "bearing", "heading", "cog")
FRACTIONS = ("battery_level",)
PERCENTS = ("battery", "batt", "bat", "battery_pct")
SATELLITES = ("satellites", "sats", "sat")
CHARGING = {"unplugged": False, "charging": True, "full": True}
MOVING = frozenset({"driving", "walking", "running", "cycling"})
CONNECTIONS = frozenset({"wifi", "mobile", "offline"})
TAKEN = frozenset(
    (*TIMES, *DEVICES, *ACCURACIES, *ALTITUDES, *SPEEDS, *COURSES, *FRACTIONS, *PERCENTS, *SATELLITES)
) - {"tid"} | {
    *("hdop", "battery_state", "battery_status", "charging", "action", "trigger"),
    *("wifi", "ssid", "bssid", "connection"),
}


class GeoJson:
    """The dialect of the GeoJSON family."""

    name = "geojson"
    root = None
    topics = ("tracker/+/geojson",)

    def decode(self, message: Message) -> Decoded:
        """Return the position of every feature that has one; of many, the good ones beside the refused.

        Raises:
            Malformed: it is no GeoJSON of a known form, or its only feature is refused.
        """
        if not message.payload.strip():
            return NOTHING
        body = from_json(message.payload, PAYLOAD_BYTES)
        features = _features(body)
        if isinstance(features, dict):
            report = _report(features, message)
            return NOTHING if report is None else Decoded(reports=(report,))
        if len(features) > ELEMENTS:
            raise Malformed(Reason.TOO_LARGE, f"more than {ELEMENTS} features")
        reports: list[Report] = []
        problems: list[Problem] = []
        for feature in features:
            try:
                report = _report(feature, message)
            except Malformed as error:
                problems.append(problem(error))
            else:
                reports += () if report is None else (report,)
        return Decoded(reports=tuple(reports), problems=tuple(problems))


def _features(body: Any) -> Body | Sequence[Any]:
    """Return the only feature, or the list of them."""
    if isinstance(body, dict):
        listed = body.get("features") if body.get("type") == "FeatureCollection" else body.get("locations")
        if isinstance(listed, list | dict):
            return listed
        if body.get("type") == "Feature":
            return body
    elif isinstance(body, list):
        return body
    raise Malformed(Reason.WRONG_SHAPE, "neither features nor locations")


def _report(feature: Any, message: Message) -> Report | None:
    if not isinstance(feature, dict):
        raise Malformed(Reason.WRONG_SHAPE, "a feature")
    geometry = feature.get("geometry")
    if geometry is None:
        return None
    if not isinstance(geometry, dict):
        raise Malformed(Reason.WRONG_SHAPE, "geometry")
    if geometry.get("type") != "Point":
        # A line or an area is legal, and no fix.
        return None
    where = geometry.get("coordinates")
    if not isinstance(where, list) or len(where) < 2:
        raise Malformed(Reason.WRONG_SHAPE, "coordinates")
    at = place(where[1], where[0], strings=True)
    if at is None:
        return None
    members = feature.get("properties")
    members = members if isinstance(members, dict) else {}
    if _is_log(members):
        return None
    device = _device(members, feature, message.topic)
    unit = message.settings_of(device).speed_unit or SpeedUnit.MPS
    satellites = _first(members, SATELLITES, high=1000)
    return Report(
        external_id=device,
        position=Position(
            recorded_at=fix_time(_time(members, feature), message.received_at),
            at=at,
            accuracy_m=_first(members, ACCURACIES, high=1e7) or None,
            altitude_m=_altitude(members, where),
            speed_mps=_speed(members, unit),
            course_deg=course_deg(_first(members, COURSES, high=360)),
            battery_pct=_battery(members),
            charging=_charging(members),
            motion=_motion(members),
            trigger=text(members, "action", longest=64) or text(members, "trigger", longest=64),
            satellites=None if satellites is None else int(satellites),
            hdop=_first(members, ("hdop",), high=1000),
            network=_network(members),
            attrs=extras(members, TAKEN),
        ),
    )


def _is_log(members: Body) -> bool:
    """Tell whether Overland repeats its last place to log a trip or an action; a visit has its own."""
    repeats = members.get("action") is not None and not any(name in members for name in ACCURACIES)
    return repeats or members.get("type") == "trip"


def _device(members: Body, feature: Body, topic: str) -> str | None:
    match topic.removeprefix("/").split("/"):
        case [*_, device, "geojson"] if device:
            return identity(device)
    told = (identity(holder.get(name)) for holder in (members, feature) for name in DEVICES)
    return next((each for each in told if each is not None), None)


def _time(members: Body, feature: Body) -> Any:
    told = (holder.get(name) for holder in (members, feature) for name in TIMES)
    return next((each for each in told if each not in (None, "")), None)


def _first(members: Body, names: Sequence[str], *, low: float = 0, high: float) -> float | None:
    """Return the first number within low..high among the members of these names."""
    for name in names:
        value = as_number(members.get(name), strings=True)
        if value is not None and low <= value <= high:
            return value
    return None


def _altitude(members: Body, where: Sequence[Any]) -> float | None:
    told = _first(members, ALTITUDES, low=-12_000, high=1e6)
    if told is None and len(where) > 2:
        return _first({"": where[2]}, ("",), low=-12_000, high=1e6)
    return told


def _speed(members: Body, unit: SpeedUnit) -> float | None:
    for name, written_in in SPEEDS.items():
        found = speed_mps(as_number(members.get(name), strings=True), written_in or unit)
        if found is not None:
            return found
    return None


def _battery(members: Body) -> float | None:
    """Return the charge: Overland writes a fraction, all others per cent."""
    level = _first(members, FRACTIONS, high=100)
    if level is not None:
        return percent_of(level) if level <= 1 else level
    return _first(members, PERCENTS, high=100)


def _charging(members: Body) -> bool | None:
    state = members.get("battery_state", members.get("battery_status"))
    return CHARGING.get(state.lower()) if isinstance(state, str) else truth(members.get("charging"))


def _motion(members: Body) -> bool | None:
    """Return whether the device moves; Overland's list can say both, a car at a light, which is unknown."""
    told = members.get("motion")
    if isinstance(told, list):
        moves, stands = any(each in MOVING for each in told if isinstance(each, str)), "stationary" in told
        return moves if moves != stands else None
    return truth(told)


def _network(members: Body) -> dict[str, Any]:
    """Return the network: Overland tells the SSID as `wifi`, Dawarich what OwnTracks told it."""
    ssid = text(members, "wifi", longest=64) or text(members, "ssid", longest=64)
    bssid = text(members, "bssid", longest=64)
    kind = members.get("connection")
    if not isinstance(kind, str) or kind not in CONNECTIONS:
        kind = "wifi" if ssid or bssid else None
    return known(type=kind, ssid=ssid, bssid=bssid)


DIALECT = GeoJson()
