"""Our own dialect: positions as JSON or CBOR, presence, results of commands (docs/devices.md)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from tracker.domain.errors import Malformed, Reason
from tracker.domain.geo import LatLon
from tracker.domain.position import Fact, Position, Report, StreamMark, plausible_time
from tracker.ingest.dialects._message import NOTHING, Decoded, Message, Problem, one, problem
from tracker.ingest.dialects._values import (
    check_plain,
    check_text,
    epoch_time,
    from_cbor,
    from_json,
    refusal,
    size_bytes,
)

PAYLOAD_BYTES = 16 * 1024
POSITIONS = 1000
ATTRS_KEYS = 32
ATTRS_BYTES = 4 * 1024
DETAIL_BYTES = 4 * 1024
LARGEST_SEQ = 2**53

Shape = TypeVar("Shape")
Text64 = Annotated[str, Meta(min_length=1, max_length=64)]


class Wire(msgspec.Struct, frozen=True, gc=False):
    """One position as it is on the wire; members that are not here are ignored."""

    time: Annotated[datetime, Meta(tz=True)] | int | float
    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]
    accuracy_m: Annotated[float, Meta(ge=0, le=1e7)] | None = None
    altitude_m: Annotated[float, Meta(ge=-12_000, le=1e6)] | None = None
    speed_mps: Annotated[float, Meta(ge=0, le=1e5)] | None = None
    course_deg: Annotated[float, Meta(ge=0, le=360)] | None = None
    battery_pct: Annotated[float, Meta(ge=0, le=100)] | None = None
    charging: bool | None = None
    ignition: bool | None = None
    motion: bool | None = None
    trigger: Annotated[str, Meta(max_length=64)] | None = None
    # Many encoders write whole numbers as 7.0.
    sat: Annotated[float, Meta(ge=0, le=1000, multiple_of=1)] | None = None
    satellites: Annotated[float, Meta(ge=0, le=1000, multiple_of=1)] | None = None
    hdop: Annotated[float, Meta(ge=0, le=1000)] | None = None
    odometer_m: Annotated[float, Meta(ge=0, le=1e12)] | None = None
    sim: Annotated[str, Meta(max_length=64)] | None = None
    attrs: dict[str, Any] | None = None
    boot: Text64 | None = None
    seq: Annotated[int, Meta(ge=0, le=LARGEST_SEQ)] | None = None


class WireResult(msgspec.Struct, frozen=True, gc=False):
    """What a device says became of a command."""

    id: Text64
    state: Annotated[str, Meta(min_length=1, max_length=32)]
    detail: Annotated[str, Meta(max_length=500)] | None = None
    data: dict[str, Any] | None = None


class Native:
    """The dialect of the contract."""

    name = "native"
    root = "tracker"
    topics = (
        "tracker/+/+/position",
        "tracker/+/+/position/cbor",
        "tracker/+/+/status",
        "tracker/+/+/result",
    )

    def decode(self, message: Message) -> Decoded:
        """Return what a message says; of an array the good positions beside the refused ones.

        Raises:
            Malformed: nothing of it can be used.
        """
        match message.topic.split("/")[3:]:
            case ["position"]:
                return _positions(from_json(message.payload, PAYLOAD_BYTES), message)
            case ["position", "cbor"]:
                return _positions(from_cbor(message.payload, PAYLOAD_BYTES), message)
            case ["status"]:
                return _status(message)
            case ["result"]:
                return _result(from_json(message.payload, PAYLOAD_BYTES), message)
        raise Malformed(Reason.BAD_TOPIC, "topic")


def _positions(value: Any, message: Message) -> Decoded:
    elements = value if isinstance(value, list) else [value]
    if len(elements) > POSITIONS:
        raise Malformed(Reason.TOO_LARGE, f"more than {POSITIONS} positions")
    reports: list[Report] = []
    problems: list[Problem] = []
    for element in elements:
        try:
            reports.append(_report(element, message))
        except Malformed as error:
            problems.append(problem(error, _mark_of_refused(element)))
    return Decoded(reports=tuple(reports), problems=tuple(problems))


def _report(element: Any, message: Message) -> Report:
    wire = _convert(element, Wire)
    if wire.lat == 0 and wire.lon == 0:
        raise Malformed(Reason.NULL_ISLAND, "lat, lon")
    boot, seq, attrs = wire.boot, wire.seq, wire.attrs
    if (boot is None) != (seq is None):
        raise Malformed(Reason.WRONG_SHAPE, "boot and seq go together")
    for field, told in (("trigger", wire.trigger), ("sim", wire.sim), ("boot", boot)):
        if told is not None:
            check_text(told, field)
    time, course = wire.time, wire.course_deg
    moment = time if isinstance(time, datetime) else epoch_time(time)
    return Report(
        position=Position(
            recorded_at=plausible_time(moment, message.received_at),
            at=LatLon(lat=wire.lat, lon=wire.lon),
            accuracy_m=wire.accuracy_m or None,
            altitude_m=wire.altitude_m,
            speed_mps=wire.speed_mps,
            course_deg=None if course is None else course % 360,
            battery_pct=wire.battery_pct,
            charging=wire.charging,
            ignition=wire.ignition,
            motion=wire.motion,
            trigger=wire.trigger,
            satellites=_whole(wire.sat if wire.satellites is None else wire.satellites),
            hdop=wire.hdop,
            odometer_m=wire.odometer_m,
            network={} if wire.sim is None else {"sim": wire.sim},
            attrs=_attrs(attrs) if attrs else {},
        ),
        mark=None if boot is None or seq is None else StreamMark(boot=boot, seq=seq),
    )


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)


def _attrs(attrs: dict[str, Any]) -> Mapping[str, Any]:
    if len(attrs) > ATTRS_KEYS:
        raise Malformed(Reason.WRONG_SHAPE, f"attrs: more than {ATTRS_KEYS} keys")
    check_plain(attrs, "attrs")
    if size_bytes(attrs) > ATTRS_BYTES:
        raise Malformed(Reason.TOO_LARGE, f"attrs: more than {ATTRS_BYTES} bytes")
    return attrs


def _mark_of_refused(element: Any) -> StreamMark | None:
    """Return where a refused position stands in its stream, so that the device need not send it for ever."""
    if not isinstance(element, dict):
        return None
    try:
        boot = msgspec.convert(element.get("boot"), Text64)
        seq = msgspec.convert(element.get("seq"), Annotated[int, Meta(ge=0, le=LARGEST_SEQ)])
        check_text(boot, "boot")
    except (msgspec.ValidationError, Malformed):
        return None
    return StreamMark(boot=boot, seq=seq)


def _status(message: Message) -> Decoded:
    if message.payload not in {b"online", b"offline"}:
        raise Malformed(Reason.WRONG_SHAPE, "online or offline")
    if message.retained:
        return NOTHING
    data = {"online": message.payload == b"online"}
    return one(
        Report(
            fact=Fact(kind="presence", recorded_at=message.received_at, data=data),
        )
    )


def _result(value: Any, message: Message) -> Decoded:
    wire = _convert(value, WireResult)
    data = {name: each for name, each in msgspec.structs.asdict(wire).items() if each is not None}
    check_plain(data, "result")
    if size_bytes(data) > DETAIL_BYTES:
        raise Malformed(Reason.TOO_LARGE, f"more than {DETAIL_BYTES} bytes")
    return one(
        Report(
            fact=Fact(kind="result", recorded_at=message.received_at, data=data),
        )
    )


def _convert(value: Any, shape: type[Shape]) -> Shape:
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise refusal(error) from None
    except RecursionError:
        raise Malformed(Reason.WRONG_SHAPE, "too deep") from None


DIALECT = Native()
