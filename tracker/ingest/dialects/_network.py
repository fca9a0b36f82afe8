"""What a device saw of radio networks: the cell it is in, those around it, access points it hears."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from tracker.ingest.dialects._fields import as_number, known, storable

LISTED = 16
"""How many cells and how many access points of one report are kept."""


def code(value: Any) -> int | str | None:
    """Return a code of a network as it was written, a number or at most 16 characters; else None."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value < 2**63 else None
    return storable(value) if isinstance(value, str) and len(value) <= 16 else None


def cell(mcc: Any, mnc: Any, lac: Any, cid: Any, signal: Any = None) -> dict[str, Any]:
    """Return a cell: mcc, mnc, lac, cid and, as the device counts it, signal; each only if it is known."""
    strength = as_number(signal, strings=True)
    return known(mcc=code(mcc), mnc=code(mnc), lac=code(lac), cid=code(cid), signal=strength)


def access_point(bssid: Any, signal: Any = None, ssid: Any = None) -> dict[str, Any]:
    """Return an access point: bssid with colons in lower case, signal and ssid; empty without a bssid."""
    if not isinstance(bssid, str) or not 0 < len(bssid) <= 64 or storable(bssid) is None:
        return {}
    name = storable(ssid) if isinstance(ssid, str) and len(ssid) <= 64 else None
    return known(bssid=bssid.replace("-", ":").lower(), signal=as_number(signal, strings=True), ssid=name)


def surroundings(cells: Iterable[dict[str, Any]], points: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the first cell's codes, and `cells` and `wifi` as lists of at most 16; empty ones are left out.

    The first cell is the one that the device is in.
    """
    heard = list(islice((each for each in cells if each), LISTED))
    seen = list(islice((each for each in points if each), LISTED))
    own = {name: value for name, value in heard[0].items() if name != "signal"} if heard else {}
    return own | known(cells=heard or None, wifi=seen or None)
