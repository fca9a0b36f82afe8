"""The reader's time zone: his browser tells it by a cookie, since no header does; UTC until then."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import get_timezone_location
from flask import request

ZONE_COOKIE = "ryadom_tz"


def zone() -> tuple[tzinfo, str]:
    """Return the reader's zone and its name by the IANA database; UTC if he told none that exists."""
    name = request.cookies.get(ZONE_COOKIE, "")
    if 0 < len(name) <= 64:
        try:
            return ZoneInfo(name), name
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    return UTC, "UTC"


def told_name() -> str | None:
    """Return the name of the zone that the reader's browser told, None if it told none."""
    name = zone()[1]
    return name if request.cookies.get(ZONE_COOKIE) == name else None


def told_apart(name: str, moment: datetime, locale: str) -> str:
    """Return the city of a zone whose clocks show another time than the reader's at a moment; else ""."""
    there = moment.astimezone(ZoneInfo(name)).utcoffset()
    if there == moment.astimezone(zone()[0]).utcoffset():
        return ""
    return city(name, locale)


def city(name: str, locale: str) -> str:
    """Return the city after which a zone is called, in a language."""
    return str(get_timezone_location(name, locale=locale, return_city=True))


def day_bounds(day: date, at: tzinfo) -> tuple[datetime, datetime]:
    """Return when a local day begins and ends, in UTC: 23 or 25 hours apart where the clocks change."""
    begin = datetime.combine(day, time(), at)
    end = datetime.combine(day + timedelta(days=1), time(), at)
    return begin.astimezone(UTC), end.astimezone(UTC)
