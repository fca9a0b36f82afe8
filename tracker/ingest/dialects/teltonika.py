"""Teltonika trackers that publish Codec JSON, and converters from their TCP codecs to the same JSON.

`{"state":{"reported":{...}}}` with AVL numbers as keys (`_avl`). The device is the topic level of 15 digits,
its IMEI: the body has none. Converters write numbers in quotes.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tracker.domain.device import SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.domain.geo import LatLon
from tracker.domain.position import Fact, Position, Report, plausible_time
from tracker.ingest.dialects import _avl
from tracker.ingest.dialects._fields import (
    PAYLOAD_BYTES,
    as_number,
    course_deg,
    fact_time,
    known,
    moment_of,
    number,
    own_or_named,
    place,
    speed_mps,
    telemetry,
    text,
    whole,
)
from tracker.ingest.dialects._message import NOTHING, Decoded, Message, one
from tracker.ingest.dialects._values import from_json

Body = Mapping[str, Any]

CLOCK_SET_FROM = datetime(2004, 1, 2, tzinfo=UTC)
"""A clock that was never set counts from the end of 2003."""
HAS_FIX = 1
_IMEI = re.compile(r"\d{15}", re.ASCII)


class Teltonika:
    """The dialect of Teltonika trackers."""

    name = "teltonika"
    root = None
    topics = ("+/data", "+/+/teltonika/+/data", "$aws/things/+/shadow/update")

    def decode(self, message: Message) -> Decoded:
        """Return what a message says; a record without a fix tells the device's state.

        Raises:
            Malformed: it cannot be read or cannot be true, or its topic does not say which device it is from.
        """
        if not message.payload.strip() or message.topic.rpartition("/")[2] == "commands":
            return NOTHING
        body = from_json(message.payload, PAYLOAD_BYTES)
        if not isinstance(body, dict):
            raise Malformed(Reason.WRONG_SHAPE, "not an object")
        if "RSP" in body:
            return _answer(body, "RSP", message.received_at, message)
        state = body.get("state")
        if not isinstance(state, dict) or state.get("reported") is None:
            return NOTHING
        record = state["reported"]
        if not isinstance(record, dict):
            raise Malformed(Reason.WRONG_SHAPE, "state.reported")
        if "command_response" in record:
            return _answer(record, "command_response", _time_or(record, message.received_at), message)
        return _record(record, message)


def _imei(message: Message) -> str | None:
    levels = [level for level in message.topic.split("/") if _IMEI.fullmatch(level)]
    return own_or_named(levels[-1] if levels else None, message)


def _answer(body: Body, name: str, recorded_at: datetime, message: Message) -> Decoded:
    answer = text(body, name, longest=1000)
    if answer is None or message.retained:
        return NOTHING
    fact = Fact(kind="event", recorded_at=recorded_at, data={"type": "command_response", "text": answer})
    return one(Report(external_id=_imei(message), fact=fact))


def _record(record: Body, message: Message) -> Decoded:
    external_id = _imei(message)
    event = _event(record, message.received_at)
    at = _place(record)
    if at is None:
        return _without_fix(record, event, external_id, message)
    unit = message.settings_of(external_id).speed_unit or SpeedUnit.KMH
    # Some profiles send the speed as an element only.
    speed = number(record, "sp" if "sp" in record else "24", strings=True)
    cause = _cause(record)
    return one(
        Report(
            external_id=external_id,
            position=Position(
                recorded_at=_time(record, message.received_at),
                at=at,
                altitude_m=number(record, "alt", low=-12_000, high=1e6, strings=True),
                speed_mps=speed_mps(speed, unit),
                course_deg=course_deg(number(record, "ang", strings=True)),
                trigger=str(cause) if cause else None,
                satellites=whole(record, "sat", low=0, high=1000, strings=True),
                hdop=_avl.hdop(record),
                network=_avl.network(record),
                attrs=_avl.attrs(record),
                **_avl.state(record),
            ),
            fact=event,
        )
    )


def _without_fix(record: Body, event: Fact | None, external_id: str | None, message: Message) -> Decoded:
    if message.retained and "ts" not in record:
        return NOTHING
    found = _avl.attrs(record)
    data = _avl.state(record) | known(
        external_voltage_v=found.get("external_voltage_v"), battery_voltage_v=found.get("battery_voltage_v")
    )
    told = telemetry(external_id, _time_or(record, message.received_at), data)
    if event is None:
        return told
    return Decoded(reports=(*told.reports, Report(external_id=external_id, fact=event)))


def _place(record: Body) -> LatLon | None:
    """Return the place of a record with a fix; None without one, although it may repeat the last place.

    Raises:
        Malformed: WRONG_SHAPE: there is a fix, but no place; OUT_OF_RANGE.
    """
    gnss = as_number(record.get("69"), strings=True)
    seen = number(record, "sat", low=0, strings=True)
    if not (gnss == HAS_FIX if gnss is not None else seen):
        return None
    written = record.get("latlng")
    lat, _, lon = written.partition(",") if isinstance(written, str) else (None, None, None)
    return place(lat, lon, strings=True)


def _time(record: Body, received_at: datetime) -> datetime:
    moment = moment_of(record.get("ts"))
    if moment < CLOCK_SET_FROM:
        raise Malformed(Reason.NO_TIME, "the clock was not set")
    return plausible_time(moment, received_at)


def _time_or(record: Body, received_at: datetime) -> datetime:
    moment = fact_time(record.get("ts"), received_at)
    return moment if moment >= CLOCK_SET_FROM else received_at


def _cause(record: Body) -> int | None:
    """Return the number of the element that caused the record; 0 if it was time for one."""
    return whole(record, "evt", low=0, high=2**16, strings=True)


def _event(record: Body, received_at: datetime) -> Fact | None:
    key = str(_cause(record))
    value = as_number(record.get(key), strings=True)
    if key not in _avl.EVENTS or not value:
        return None
    data = {"type": _avl.EVENTS[key], "value": value}
    return Fact(kind="event", recorded_at=_time_or(record, received_at), data=data)


DIALECT = Teltonika()
