"""What every codec takes and gives: a tracker's decoded object in, readings out.

A network server decodes a tracker's bytes with the vendor's formatter and publishes the object; each vendor
names and scales its members in its own way. Where a server has no formatter, some codecs read the bytes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from tracker.domain.device import SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.domain.geo import LatLon
from tracker.ingest.dialects._fields import as_number, moment_of, place

Fields = Mapping[str, Any]

ALL_BITS_SET = (-1e-6, -1e-6)
"""What some trackers without a fix send in place of zeros, in millionths of a degree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One thing that a tracker told; None is unknown.

    `place` None: it told no fix; `no_fix`: it even said that it has none, so no other source is to be asked.
    `recorded_at` is the tracker's own time of the fix, `age_s` how old the fix was when it was sent.
    `speed` is in `speed_unit`; a unit of None is open. `attrs` hold JSON values only.
    """

    place: LatLon | None = None
    no_fix: bool = False
    recorded_at: datetime | None = None
    age_s: float | None = None
    accuracy_m: float | None = None
    altitude_m: float | None = None
    speed: float | None = None
    speed_unit: SpeedUnit | None = None
    course_deg: float | None = None
    battery_pct: float | None = None
    charging: bool | None = None
    motion: bool | None = None
    trigger: str | None = None
    satellites: int | None = None
    hdop: float | None = None
    attrs: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class Codec(Protocol):
    """Reads the decoded objects of one family of trackers."""

    @property
    def name(self) -> str: ...

    def read(self, fields: Fields) -> tuple[Reading, ...] | None:
        """Return what the object tells; None: it is not of this family.

        Raises:
            Malformed: it has a place that cannot be one.
        """
        ...


@runtime_checkable
class FromBytes(Protocol):
    """A codec that also knows the bytes of its trackers."""

    def decode(self, payload: bytes, port: int) -> Fields:
        """Return the object that `read` takes, of what a tracker sent on a port; empty: nothing of interest.

        Raises:
            Malformed: WRONG_SHAPE: the bytes are not of this format.
        """
        ...


def first(fields: Fields, names: Iterable[str]) -> Any:
    """Return the first member of these names that is there and not null; else None."""
    return next((fields[name] for name in names if fields.get(name) is not None), None)


def first_number(
    fields: Fields, names: Iterable[str], *, low: float = float("-inf"), high: float = float("inf")
) -> float | None:
    """Return the first finite number within low..high, also one in quotes; else None."""
    for name in names:
        value = as_number(fields.get(name), strings=True)
        if value is not None and low <= value <= high:
            return value
    return None


def first_whole(fields: Fields, names: Iterable[str], *, high: int = 1000) -> int | None:
    """Return the first whole number within 0..high, also one written 6.0 or in quotes; else None."""
    value = first_number(fields, names, low=0, high=high)
    return int(value) if value is not None and value == int(value) else None


def altitude_m(fields: Fields, *names: str) -> float | None:
    """Return an altitude that can be one, metres; else None."""
    return first_number(fields, names, low=-12_000, high=1e6)


def accuracy_m(fields: Fields, *names: str) -> float | None:
    """Return a radius above 0 m; 0 and negative ones are unknown."""
    return first_number(fields, names, low=0, high=1e7) or None


def told_place(lat: Any, lon: Any) -> LatLon | None:
    """Return the place; None where both are null or texts, or are what trackers send without a fix.

    Raises:
        Malformed: WRONG_SHAPE: only one of the two is there; OUT_OF_RANGE.
    """
    north, east = as_number(lat, strings=True), as_number(lon, strings=True)
    if north is None and east is None and not isinstance(lat, bool):
        return None
    if north is not None and east is not None and (round(north, 6), round(east, 6)) == ALL_BITS_SET:
        return None
    return place(north, east)


def told_time(value: Any) -> datetime | None:
    """Return the moment that a member tells; None if it tells none."""
    if value is None:
        return None
    try:
        return moment_of(value)
    except Malformed:
        return None


def need(payload: bytes, length: int) -> None:
    """Pass if the payload has at least `length` bytes.

    Raises:
        Malformed: WRONG_SHAPE.
    """
    if len(payload) < length:
        raise Malformed(Reason.WRONG_SHAPE, f"payload: less than {length} bytes")


def signed(data: bytes, *, little: bool = False) -> int:
    """Return the two's complement number of these bytes."""
    return int.from_bytes(data, "little" if little else "big", signed=True)


def unsigned(data: bytes, *, little: bool = False) -> int:
    """Return the natural number of these bytes."""
    return int.from_bytes(data, "little" if little else "big")
