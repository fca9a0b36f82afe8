"""PUI trackers of vehicles: JSON reports `hf` and `loc`; all other reports say nothing of a place.

Format: Traccar's PuiProtocolDecoder. The speed is cm/s. Topics are taken to be `dt/<device>/<report>`.
"""

from collections.abc import Mapping
from typing import Any

from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import Position, Report
from tracker.ingest.dialects._fields import (
    PAYLOAD_BYTES,
    course_deg,
    extras,
    fact_time,
    fix_time,
    identity,
    known,
    number,
    own_or_named,
    place,
    scaled,
    speed_mps,
    telemetry,
    truth,
)
from tracker.ingest.dialects._message import NOTHING, Decoded, Message, one
from tracker.ingest.dialects._values import from_json

Body = Mapping[str, Any]

MPS_PER_CMS = 0.01
_REPORTS = frozenset({"hf", "loc"})
_COLUMNS = frozenset({"id", "ts", "location", "bear", "spd", "ign"})


class Pui:
    """The dialect of PUI trackers."""

    name = "pui"
    root = None
    topics = ("dt/+/+",)

    def decode(self, message: Message) -> Decoded:
        """Return what a message says; a report that is neither `hf` nor `loc` says nothing.

        Raises:
            Malformed: it cannot be read or cannot be true, or does not say which device it is from.
        """
        if not message.payload.strip():
            return NOTHING
        body = from_json(message.payload, PAYLOAD_BYTES)
        if not isinstance(body, dict):
            raise Malformed(Reason.WRONG_SHAPE, "not an object")
        kind = body.get("rpt")
        return _report(body, message) if isinstance(kind, str) and kind in _REPORTS else NOTHING


def _whose(body: Body, message: Message) -> str | None:
    match message.topic.strip("/").split("/"):
        case ["dt", device, _]:
            return own_or_named(identity(device), message)
        case _:
            return own_or_named(identity(body.get("id")), message)


def _report(body: Body, message: Message) -> Decoded:
    external_id = _whose(body, message)
    ignition = truth(body.get("ign"))
    location = body.get("location")
    if not isinstance(location, dict):
        raise Malformed(Reason.WRONG_SHAPE, "location")
    at = place(location.get("lat"), location.get("lon"))
    if at is None:
        moment = fact_time(body.get("ts"), message.received_at)
        return telemetry(external_id, moment, known(ignition=ignition))
    unit = message.settings_of(external_id).speed_unit
    speed = number(body, "spd", high=1e7)
    return one(
        Report(
            external_id=external_id,
            position=Position(
                recorded_at=fix_time(body.get("ts"), message.received_at),
                at=at,
                speed_mps=scaled(speed, MPS_PER_CMS) if unit is None else speed_mps(speed, unit),
                course_deg=course_deg(number(body, "bear")),
                ignition=ignition,
                trigger=body["rpt"],
                attrs=extras(body, _COLUMNS),
            ),
        )
    )


DIALECT = Pui()
