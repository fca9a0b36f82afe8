"""The time zones that people may name."""

from functools import lru_cache
from zoneinfo import available_timezones

_NO_PLACES = frozenset({"localtime", "Factory"})
"""Files beside the database's own: the machine's zone, and that of a machine which nobody has set up."""


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Return the names of the IANA database's time zones, as this machine has them."""
    return frozenset(available_timezones()) - _NO_PLACES
