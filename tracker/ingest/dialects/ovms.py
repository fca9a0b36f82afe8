"""Open Vehicle Monitoring System, version 3: one metric a topic, below `ovms/{user}/{vehicle id}/`.

Its server-v3 component publishes `metric/v/p/latitude` and the like as plain text, retained, and only what
changed (its user guide, metrics); a window of one second makes one position of them. Logs that the vehicle
kept while it was out of reach come whole, below `notify/data/`. The vehicle is `user/vehicle id`.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tracker.domain.device import SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.domain.geo import LatLon
from tracker.domain.position import Fact, Position, Report, plausible_time
from tracker.ingest.dialects._fields import (
    as_number,
    course_deg,
    identity,
    moment_of,
    place,
    speed_mps,
)
from tracker.ingest.dialects._message import NOTHING, Decoded, Message, Part, one
from tracker.ingest.dialects._one_value import Reader, course, degrees, plain, speed, switch, within

WINDOW = timedelta(seconds=1)
METRES_PER_TENTH_MILE = 160.9344
SHORTEST_LOG = 9
"""Fields of a log of the Twizy or the smart: up to the one that says whether there was a fix."""
SHORTEST_NIU_LOG = 5

_BRANCHES = frozenset({"metric", "notify", "event", "client"})
_AGE = re.compile(r"-?(\d{1,9})", re.ASCII)


def _gps_time(value: str, _: SpeedUnit | None) -> float | None:
    moment = moment_of(value)
    # What a receiver says that never had the time.
    return None if moment.year < 2000 else moment.timestamp()


METRICS: Mapping[str, tuple[str, Reader]] = {
    "v/p/latitude": ("lat", degrees(90)),
    "v/p/longitude": ("lon", degrees(180)),
    "v/p/gpslock": ("gps_lock", switch),
    "v/p/gpstime": ("gps_time_s", _gps_time),
    "v/p/speed": ("speed_mps", speed),
    "v/p/gpsspeed": ("gps_speed_mps", speed),
    "v/p/direction": ("course_deg", course),
    "v/p/altitude": ("altitude_m", within(-12_000, 1e6)),
    "v/p/gpshdop": ("hdop", within(0, 1000)),
    "v/p/satcount": ("satellites", within(0, 1000)),
    "v/p/gpssq": ("gps_quality_pct", within(0, 100)),
    "v/p/odometer": ("odometer_m", within(0, 1e9, 1000)),
    "v/p/trip": ("trip_m", within(0, 1e9, 1000)),
    "v/b/soc": ("battery_pct", within(0, 100)),
    "v/c/charging": ("charging", switch),
    "v/e/on": ("ignition", switch),
    "v/e/parktime": ("parked_s", within(0, 1e10)),
}
"""What each metric is called here and how it is read."""


class Ovms:
    """The dialect of OVMS modules."""

    name = "ovms"
    root = None
    topics = (
        *(f"ovms/+/+/metric/{metric}" for metric in METRICS),
        "ovms/+/+/metric/s/v3/connected",
        "ovms/+/+/notify/data/+/+/+",
    )
    window = WINDOW

    def decode(self, message: Message) -> Decoded:
        """Return the part that a metric is, the fix that a log holds, or whether the module is connected.

        Raises:
            Malformed: the value cannot be read or cannot be true.
        """
        vehicle, rest = _address(message.topic)
        match rest:
            case ["metric", "s", "v3", "connected"]:
                return _presence(message, _claimed(vehicle, message))
            case ["metric", *path] if (found := METRICS.get("/".join(path))) is not None:
                return _metric(message, _claimed(vehicle, message), *found)
            case ["notify", "data", *_, age]:
                return _log(message, vehicle, age)
        return NOTHING

    def assemble(
        self, values: Mapping[str, Any], fresh: frozenset[str], received_at: datetime
    ) -> Position | None:
        """Return where the vehicle is, if this window tells it: by a new coordinate or a new time of a fix.

        Without time of its own, only what came live is of now; what a broker replayed counts with
        `gpstime` alone. 0, 0 and a receiver without lock tell no place.
        """
        lat, lon = values.get("lat"), values.get("lon")
        if lat is None or lon is None or values.get("gps_lock") is False or (lat == 0 and lon == 0):
            return None
        moment = _moment(values, fresh, received_at)
        if moment is None:
            return None
        satellites = values.get("satellites")
        return Position(
            recorded_at=moment,
            at=LatLon(lat=lat, lon=lon),
            speed_mps=values.get("speed_mps", values.get("gps_speed_mps")),
            course_deg=values.get("course_deg"),
            altitude_m=values.get("altitude_m"),
            hdop=values.get("hdop"),
            satellites=None if satellites is None else int(satellites),
            odometer_m=values.get("odometer_m"),
            battery_pct=values.get("battery_pct"),
            charging=values.get("charging"),
            ignition=values.get("ignition"),
            attrs={
                name: values[name] for name in ("gps_quality_pct", "trip_m", "parked_s") if name in values
            },
        )


def _moment(values: Mapping[str, Any], fresh: frozenset[str], received_at: datetime) -> datetime | None:
    seconds = values.get("gps_time_s")
    if seconds is not None and ("gps_time_s" in fresh or not fresh):
        return datetime.fromtimestamp(seconds, UTC)
    return received_at if fresh & {"lat", "lon"} else None


def _address(topic: str) -> tuple[str | None, list[str]]:
    """Return the vehicle and what is below it; the prefix can be configured, so the last two levels count."""
    levels = topic.removeprefix("/").split("/")
    if levels[0] == "ovms" and len(levels) > 3:
        return identity("/".join(levels[1:3])), levels[3:]
    at = next((number for number, level in enumerate(levels) if level in _BRANCHES), len(levels))
    return identity("/".join(levels[max(0, at - 2) : at])), levels[at:]


def _claimed(vehicle: str | None, message: Message) -> str | None:
    if vehicle is None and "" not in message.devices:
        raise Malformed(Reason.NO_IDENTITY, "topic")
    return vehicle


def _presence(message: Message, vehicle: str | None) -> Decoded:
    value = plain(message.payload)
    if value is None or message.retained:
        return NOTHING
    data = {"online": switch(value, None)}
    fact = Fact(kind="presence", recorded_at=message.received_at, data=data)
    return one(Report(external_id=vehicle, fact=fact))


def _metric(message: Message, vehicle: str | None, name: str, read: Reader) -> Decoded:
    text = plain(message.payload)
    value = None if text is None else read(text, message.settings_of(vehicle).speed_unit)
    if name == "gps_time_s" and isinstance(value, float):
        plausible_time(datetime.fromtimestamp(value, UTC), message.received_at)
    return Decoded(parts=(Part(external_id=vehicle, name=name, value=value),))


def _log(message: Message, vehicle: str | None, age: str) -> Decoded:
    """Return the fix of a log: of the Renault Twizy (RT), the smart EQ (XSQ) or the NIU GT (XNE).

    The topic ends with how many seconds old the log is, as a negative number. A log of another kind says
    nothing of a place.
    """
    fields = (plain(message.payload) or "").splitlines()[:1]
    values = fields[0].split(",") if fields else []
    match values[:1]:
        case ["RT-GPS-Log"] | ["XSQ-GPS-Log"] if message.retained:
            return NOTHING
        case ["RT-GPS-Log"] | ["XSQ-GPS-Log"]:
            position = _car_log(values, _log_time(message, age))
        case ["XNE-GPS-Log"]:
            position = _niu_log(values, message.received_at)
        case _:
            return NOTHING
    if position is None:
        return NOTHING
    return one(Report(external_id=_claimed(vehicle, message), position=position))


def _log_time(message: Message, age: str) -> datetime:
    written = _AGE.fullmatch(age)
    if written is None:
        raise Malformed(Reason.NO_TIME, "topic")
    return message.received_at - timedelta(seconds=int(written[1]))


def _car_log(values: Sequence[str], logged_at: datetime) -> Position | None:
    """Fields: type, odometer in 0.1 miles, expiry, lat, lon, altitude, course, km/h, lock, age of the fix."""
    if len(values) < SHORTEST_LOG:
        raise Malformed(Reason.WRONG_SHAPE, "fields")
    at = place(values[3], values[4], strings=True)
    if at is None or _field(values, 8) != 1:
        return None
    # The Twizy's tenth field is the same counter, but not in seconds.
    age_s = _field(values, 9, high=1e9) if values[0] == "XSQ-GPS-Log" else None
    course_sent, kmh = _field(values, 6, high=360), _field(values, 7)
    tenth_miles = _field(values, 1, high=1e8)
    moment = logged_at - timedelta(seconds=age_s or 0)
    return Position(
        recorded_at=plausible_time(moment, logged_at),
        at=at,
        altitude_m=_field(values, 5, low=-12_000, high=1e6),
        course_deg=course_deg(course_sent),
        speed_mps=speed_mps(kmh, SpeedUnit.KMH),
        odometer_m=None if tenth_miles is None else tenth_miles * METRES_PER_TENTH_MILE,
    )


def _niu_log(values: Sequence[str], received_at: datetime) -> Position | None:
    """Fields: type, Unix time, expiry, lat, lon, km/h by GPS, course, HDOP, satellites, km/h, km, charge."""
    if len(values) < SHORTEST_NIU_LOG:
        raise Malformed(Reason.WRONG_SHAPE, "fields")
    moment = plausible_time(moment_of(values[1]), received_at)
    at = place(values[3], values[4], strings=True)
    if at is None:
        return None
    by_wheel, by_gps = _field(values, 9), _field(values, 5)
    satellites, km = _field(values, 8, high=1000), _field(values, 10, high=1e9)
    return Position(
        recorded_at=moment,
        at=at,
        speed_mps=speed_mps(by_gps if by_wheel is None else by_wheel, SpeedUnit.KMH),
        course_deg=course_deg(_field(values, 6, high=360)),
        hdop=_field(values, 7, high=1000),
        satellites=None if satellites is None else int(satellites),
        odometer_m=None if km is None else km * 1000,
        # The module writes 0 while it sees no battery.
        battery_pct=_field(values, 11, high=100) or None,
    )


def _field(values: Sequence[str], index: int, *, low: float = 0, high: float = 1e5) -> float | None:
    number = as_number(values[index], strings=True) if index < len(values) else None
    return number if number is not None and low <= number <= high else None


DIALECT = Ovms()
