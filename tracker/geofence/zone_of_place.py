"""A first guess of the time zone of a place, which its owner may change."""

import math
import re
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from tracker.domain.geo import LatLon, distance_m


class _City(NamedTuple):
    countries: frozenset[str]
    zone: str
    at: LatLon


_LIKELY = 0.25
"""From Saint Petersburg, Tallinn is half as far as Moscow."""
_DEGREES = re.compile(r"([+-])(\d{2})(\d{2})(\d{2})?([+-])(\d{3})(\d{2})(\d{2})?")


@lru_cache(maxsize=1)
def _cities() -> tuple[_City, ...]:
    """Return the principal place of each zone (tz database, zone.tab: country, ISO 6709 place, name)."""
    text = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return tuple(_City(frozenset(row[0].split(",")), row[2], _place(row[1])) for row in rows)


def _place(text: str) -> LatLon:
    """Return the place of "+DDMM+DDDMM" or "+DDMMSS+DDDMMSS"."""
    found = _DEGREES.fullmatch(text)
    if found is None:
        raise ValueError("the tz database tells a place in another form")
    parts = found.groups(default="0")
    lat, lon = (
        math.copysign(int(degrees) + int(minutes) / 60 + int(seconds) / 3600, float(f"{sign}1"))
        for sign, degrees, minutes, seconds in (parts[:4], parts[4:])
    )
    return LatLon(lat=lat, lon=lon)


def nearest_zone(place: LatLon, *, country: str | None, known: str | None) -> str:
    """Return the IANA zone whose principal place is nearest; those that are likelier count as nearer.

    Likelier are the zones of `country` (ISO 3166 alpha-2) and `known`, where the one who asks is. Near the
    borders of zones it may still be the neighbour's.
    """

    def weighed(city: _City) -> float:
        likely = country in city.countries or city.zone == known
        return distance_m(city.at, place) * (_LIKELY if likely else 1)

    return min(_cities(), key=weighed).zone
