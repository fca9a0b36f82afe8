"""Objects of home-made and unlisted formatters, by the names that most of them give their members.

The names are those that TTN Mapper and Traccar accept. The unit of a plain `speed` is open, that of a plain
`battery` too (volts, millivolts, per cent or a code), so neither is guessed.
"""

import re
from collections.abc import Mapping
from typing import Any

from tracker.domain.device import SpeedUnit
from tracker.domain.geo import LatLon
from tracker.ingest.codecs._reading import (
    Fields,
    Reading,
    accuracy_m,
    altitude_m,
    first,
    first_number,
    first_whole,
    told_place,
    told_time,
)
from tracker.ingest.dialects._fields import course_deg, extras, text, truth

LAT = ("latitude", "lat", "Latitude", "Lat", "gps_lat", "gps_latitude", "latitudeDeg")
LON = (
    *("longitude", "lon", "lng", "long", "Longitude", "Lon", "Lng", "Long"),
    *("gps_lon", "gps_lng", "gps_long", "gps_longitude", "longitudeDeg"),
)
ALTITUDE = ("altitude", "alt", "height", "Altitude", "gps_alt", "gpsalt", "gps_altitude", "altitude_m")
ACCURACY = ("accuracy", "acc", "hacc", "hAcc", "accuracy_m", "horizontal_accuracy", "horizontalAccuracy")
HDOP = ("hdop", "HDOP", "gps_hdop")
SATELLITES = (
    *("sats", "satellites", "sat", "numsat", "numsats", "Satellites", "gps_sats", "gps_satellites"),
    *("satelliteCount", "num_sats"),
)
COURSE = ("heading", "course", "cog", "bearing", "headingDeg", "course_deg", "gps_course", "gps_heading")
BATTERY_PCT = (
    *("battery_pct", "battery_percent", "batteryPercent", "battery_percentage", "batteryPercentage"),
    *("battery_level", "batteryLevel", "bat_pct", "batt_pct", "battery%"),
)
SPEEDS: Mapping[str, SpeedUnit | None] = {
    **dict.fromkeys(("speedKmph", "speedKmh", "speed_kmh", "speed_kmph", "speed_kph"), SpeedUnit.KMH),
    **dict.fromkeys(("speed_mps", "speedMps", "speed_ms"), SpeedUnit.MPS),
    **dict.fromkeys(("speed_knots", "speed_kn", "speed_kt"), SpeedUnit.KNOTS),
    "speed_mph": SpeedUnit.MPH,
    **dict.fromkeys(("speed", "Speed", "gps_speed", "ground_speed", "groundSpeed"), None),
}
TIME = ("time", "timestamp", "datetime", "dateTime", "gps_time", "gpsTime", "fix_time", "fixTime", "utc")
AGE_S = ("age", "fix_age", "fixAge", "gps_age", "age_s")
MOVING = ("moving", "motion", "inTrip", "in_motion", "isMoving", "movement")
MOVES = {"move": True, "moving": True, "still": False, "static": False, "stationary": False}
GOOD = (
    *("valid", "fix", "gps_fix", "gnss_fix", "gpsFix", "gnssFix", "fix_valid", "gps_valid", "gpsValid"),
    *("hasFix", "has_fix", "fixed", "position_valid"),
)
BAD = ("fixFailed", "fix_failed", "no_fix", "noFix", "cached", "stale", "NoGNSSFix")
INSIDE = ("gps", "location", "position", "gnss", "GPS", "coordinates", "Location", "Position")
TAKEN = frozenset(
    (
        *(*LAT, *LON, *ALTITUDE, *ACCURACY, *HDOP, *SATELLITES, *COURSE, *BATTERY_PCT, *TIME, *AGE_S),
        *("trigger", "charging"),
    )
)
_UNFIXED = re.compile(r"\s*(no|none|invalid|lost|searching)\b.*", re.IGNORECASE)


class Generic:
    """The codec of last resort; it takes every object."""

    name = "generic"

    def read(self, fields: Fields) -> tuple[Reading, ...] | None:
        """Return what the object tells by common names, at the top or in one object `gps`, `location`, ...

        Raises:
            Malformed: it has one coordinate without the other, or one out of range.
        """
        own = _owner(fields)
        if own is None:
            return (common(fields, None),)
        told = {**fields, **own} if own is not fields else fields
        if no_fix(told):
            return (common(told, None, no_fix=True),)
        place = told_place(first(told, LAT), first(told, LON))
        return (common(told, place, no_fix=place is None),)


def _owner(fields: Fields) -> Fields | None:
    """Return the object that holds the coordinates: this one, or one of its own."""
    candidates = [fields, *(fields[name] for name in INSIDE if isinstance(fields.get(name), dict))]
    return next((each for each in candidates if first(each, (*LAT, *LON)) is not None), None)


def no_fix(fields: Fields) -> bool:
    """Tell whether a member says that the place is none, old or repeated."""
    if any(truth(fields.get(name)) is False or _says_no(fields.get(name)) for name in GOOD):
        return True
    return any(truth(fields.get(name)) is True for name in BAD)


def _says_no(value: Any) -> bool:
    return isinstance(value, str) and _UNFIXED.fullmatch(value) is not None


def _moves(value: Any) -> bool | None:
    return MOVES.get(value.strip().lower(), truth(value)) if isinstance(value, str) else truth(value)


def common(
    fields: Fields, place: LatLon | None, *, no_fix: bool = False, taken: tuple[str, ...] = ()
) -> Reading:
    """Return a reading of this place with the members of common names."""
    speed = next((name for name in SPEEDS if first_number(fields, (name,), low=0) is not None), None)
    unit = None if speed is None else SPEEDS[speed]
    skipped = TAKEN | set(taken) | (set() if speed is None or unit is None else {speed})
    return Reading(
        place=place,
        no_fix=no_fix,
        recorded_at=told_time(first(fields, TIME)),
        age_s=first_number(fields, AGE_S, low=0, high=1e7),
        accuracy_m=accuracy_m(fields, *ACCURACY),
        altitude_m=altitude_m(fields, *ALTITUDE),
        speed=None if speed is None else first_number(fields, (speed,), low=0),
        speed_unit=unit,
        course_deg=course_deg(first_number(fields, COURSE, low=0, high=360)),
        battery_pct=first_number(fields, BATTERY_PCT, low=0, high=100),
        charging=truth(fields.get("charging")),
        motion=next((told for name in MOVING if (told := _moves(fields.get(name))) is not None), None),
        trigger=text(fields, "trigger", longest=64),
        satellites=first_whole(fields, SATELLITES),
        hdop=first_number(fields, HDOP, low=0, high=1000),
        attrs=extras(fields, skipped | set(INSIDE)),
    )


CODEC = Generic()
