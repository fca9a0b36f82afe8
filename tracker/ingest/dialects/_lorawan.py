"""What The Things Stack and ChirpStack have in common: a tracker's uplink, read by its family's codec."""

import base64
import binascii
import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from tracker import registry
from tracker.domain.errors import Malformed
from tracker.domain.geo import LatLon
from tracker.domain.position import EARLIEST, Fact, Position, Report, plausible_time
from tracker.ingest.codecs._reading import Codec, FromBytes, Reading, accuracy_m, altitude_m, told_place
from tracker.ingest.dialects._fields import as_number, known, moment_of, speed_mps, storable
from tracker.ingest.dialects._message import NOTHING, Decoded, Message, Problem, one, problem

CODECS = "tracker.ingest.codecs"
LAST = "generic"
"""The codec that takes every object, asked after all others."""

GATEWAY_CLOCK_OFF = timedelta(days=1)
"""How far a gateway's clock may differ from its server's: some never set theirs and live in 1970."""

ASIDE = ("errors", "warnings")
"""What formatters return beside their object."""

STATIC = "SOURCE_REGISTRY"
"""The source of a place that somebody typed in when he registered the device."""

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Uplink:
    """One message of a tracker as its network server heard it.

    `fields` is the decoded object, None if the server has no formatter; `payload` the bytes on `port`.
    `heard_at` is when it was heard. `solved` is a place that the server derived from the same bytes.
    """

    external_id: str | None
    fields: Body | None
    payload: bytes | None
    port: int
    heard_at: datetime | None
    solved: Reading | None = None


@functools.cache
def codecs() -> Mapping[str, Codec]:
    """Return all codecs by name; they never change."""
    return cast(Mapping[str, Codec], registry.load(CODECS, "CODEC"))


def base64_bytes(value: Any) -> bytes | None:
    """Return the bytes of a base64 text; None if it is none or empty."""
    if not isinstance(value, str):
        return None
    try:
        return base64.b64decode(value, validate=True) or None
    except (binascii.Error, ValueError):
        return None


def heard(gateways: Iterable[Any], server: Iterable[Any]) -> datetime | None:
    """Return when an uplink was heard: the first gateway's time that fits the server's, else the server's.

    Times before 2000 are no times. Without a server's time every other gateway's time counts.
    """
    told = next(_usable(server), None)
    for each in _usable(gateways):
        if told is None or abs(each - told) <= GATEWAY_CLOCK_OFF:
            return each
    return told


def _usable(values: Iterable[Any]) -> Iterator[datetime]:
    for each in values:
        try:
            found = moment_of(each)
        except Malformed:
            continue
        if found >= EARLIEST:
            yield found


def solved(location: Any) -> Reading | None:
    """Return the place that a network server worked out; None if it is none, or was typed in.

    These come from protocol buffers, which leave out what is zero: a latitude alone lies on the meridian.

    Raises:
        Malformed: OUT_OF_RANGE.
    """
    if not isinstance(location, dict) or location.get("source") == STATIC:
        return None
    lat, lon = location.get("latitude"), location.get("longitude")
    if lat is None and lon is None:
        return None
    found = told_place(0.0 if lat is None else lat, 0.0 if lon is None else lon)
    source = location.get("source")
    return Reading(
        place=found,
        accuracy_m=accuracy_m(location, "accuracy"),
        altitude_m=altitude_m(location, "altitude"),
        attrs=known(location_source=storable(source[:64]) if isinstance(source, str) else None),
    )


def uplink(told: Uplink, message: Message) -> Decoded:
    """Return the fixes of an uplink, or what it tells besides; nothing if nobody can read it.

    Raises:
        Malformed: it has a place or a time that cannot be one.
    """
    reports: list[Report] = []
    problems: list[Problem] = []
    for reading in _readings(told, message):
        try:
            report = _report(reading, told, message)
        except Malformed as error:
            problems.append(problem(error))
        else:
            reports += [] if report is None else [report]
    if problems and not reports:
        raise Malformed(problems[0].reason, problems[0].detail)
    return Decoded(reports=tuple(reports), problems=tuple(problems)) if reports else NOTHING


def _readings(told: Uplink, message: Message) -> tuple[Reading, ...]:
    readings = _codec_readings(told, message.settings_of(told.external_id).codec)
    settled = any(each.place is not None or each.no_fix for each in readings)
    if settled or told.solved is None or told.solved.place is None:
        return readings
    # What else the object tells belongs to the place that the server took from it.
    return (_merged(readings[0], told.solved), *readings[1:]) if readings else (told.solved,)


def _codec_readings(told: Uplink, chosen: str | None) -> tuple[Reading, ...]:
    named = codecs().get(chosen or "")
    fields = told.fields
    if fields is None:
        reader: object = named
        if not isinstance(reader, FromBytes) or told.payload is None:
            return ()
        fields = reader.decode(told.payload, told.port)
    fields = _unwrapped(fields)
    if not fields:
        return ()
    order = [named] if named is not None else []
    order += [each for name, each in codecs().items() if name != LAST]
    for codec in (*order, codecs()[LAST]):
        found = codec.read(fields)
        if found is not None:
            return found
    return ()


def _unwrapped(fields: Body) -> Body:
    """Return the object inside: formatters written for another server return theirs as `data`."""
    inner = fields.get("data")
    return inner if isinstance(inner, dict) and fields.keys() <= {"data", *ASIDE} else fields


def _merged(reading: Reading, place: Reading) -> Reading:
    return Reading(
        place=place.place,
        recorded_at=reading.recorded_at,
        age_s=reading.age_s,
        accuracy_m=place.accuracy_m or reading.accuracy_m,
        altitude_m=reading.altitude_m if place.altitude_m is None else place.altitude_m,
        speed=reading.speed,
        speed_unit=reading.speed_unit,
        course_deg=reading.course_deg,
        battery_pct=reading.battery_pct,
        charging=reading.charging,
        motion=reading.motion,
        trigger=reading.trigger,
        satellites=reading.satellites,
        hdop=reading.hdop,
        attrs={**reading.attrs, **place.attrs},
    )


def _report(reading: Reading, told: Uplink, message: Message) -> Report | None:
    if reading.place is not None:
        moment = _moment(reading, told.heard_at, message)
        if moment is None:
            return None
        found = plausible_time(moment, message.received_at)
        return Report(
            external_id=told.external_id,
            position=_position(reading, reading.place, found, message, told.external_id),
        )
    data = known(
        battery_pct=reading.battery_pct,
        charging=reading.charging,
        motion=reading.motion,
        trigger=reading.trigger,
    )
    if not data:
        return None
    moment = fact_moment(reading.recorded_at or told.heard_at, message)
    return Report(external_id=told.external_id, fact=Fact(kind="telemetry", recorded_at=moment, data=data))


def _moment(reading: Reading, heard_at: datetime | None, message: Message) -> datetime | None:
    """Return when the fix was; None for a replay of unknown age.

    The tracker's own time goes first, unless its clock was never set; an age is counted back from when the
    network heard it.
    """
    if reading.recorded_at is not None and reading.recorded_at >= EARLIEST:
        return reading.recorded_at
    if heard_at is None and message.retained:
        return None
    return (heard_at or message.received_at) - timedelta(seconds=reading.age_s or 0)


def fact_moment(moment: datetime | None, message: Message) -> datetime:
    """Return when a fact was, if it can have been then, else the time of receipt."""
    try:
        return plausible_time(moment or message.received_at, message.received_at)
    except Malformed:
        return message.received_at


def _position(
    reading: Reading, place: LatLon, recorded_at: datetime, message: Message, external_id: str | None
) -> Position:
    unit = message.settings_of(external_id).speed_unit or reading.speed_unit
    return Position(
        recorded_at=recorded_at.astimezone(UTC),
        at=place,
        accuracy_m=reading.accuracy_m,
        altitude_m=reading.altitude_m,
        speed_mps=None if unit is None else speed_mps(reading.speed, unit),
        course_deg=reading.course_deg,
        battery_pct=reading.battery_pct,
        charging=reading.charging,
        motion=reading.motion,
        trigger=reading.trigger,
        satellites=reading.satellites,
        hdop=reading.hdop,
        attrs=reading.attrs,
    )


def event(external_id: str | None, name: str, moment: datetime | None, message: Message) -> Decoded:
    """Return what happened to a device in its network, such as a join."""
    fact = Fact(kind="event", recorded_at=fact_moment(moment, message), data={"event": name})
    return one(Report(external_id=external_id, fact=fact))


def port_of(value: Any) -> int:
    """Return the port of an uplink; servers leave out port 0."""
    found = as_number(value, strings=True)
    return int(found) if found is not None and 0 <= found <= 255 else 0
