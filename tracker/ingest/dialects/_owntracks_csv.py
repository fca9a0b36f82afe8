"""The comma-separated form of OwnTracks Greenwich trackers, as the members of a location.

`TID,tst,t,lat,lon,cog,vel,alt,dist,trip`: tst in hexadecimal seconds, lat and lon in millionths of a degree,
cog in tens of degrees, alt in tens of metres, dist in metres, trip in kilometres (OwnTracks Recorder).
"""

import re
from typing import Any

_INTEGER = r"(-?\d{1,10})"
_LINE = re.compile(
    rf"([^,\s]{{1,2}}),([0-9A-Fa-f]{{8}}),([^,\s]?),{','.join([_INTEGER] * 7)}\s*".encode(), re.ASCII
)


def members(payload: bytes) -> dict[str, Any] | None:
    """Return a line as the members of a location, in their units; None if it is no such line."""
    line = _LINE.fullmatch(payload)
    if line is None:
        return None
    try:
        tid, trigger = line[1].decode(), line[3].decode()
    except UnicodeDecodeError:
        return None
    lat, lon, cog, vel, alt, dist, trip = (int(each) for each in line.groups()[3:])
    return {
        "_type": "location",
        "tid": tid,
        "tst": int(line[2], 16),
        **({"t": trigger} if trigger else {}),
        "lat": lat / 1e6,
        "lon": lon / 1e6,
        "cog": cog * 10,
        "vel": vel,
        "alt": alt * 10,
        "dist": dist,
        "trip": trip * 1000,
    }
