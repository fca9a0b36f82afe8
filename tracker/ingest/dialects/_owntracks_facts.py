"""What OwnTracks apps tell besides locations: crossings, places of their own, steps, their status."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import Fact, Report
from tracker.ingest.dialects._fields import fix_time, known, number, text, told_apart
from tracker.ingest.dialects._message import NOTHING, Decoded, Message, one
from tracker.ingest.dialects._values import check_plain, size_bytes

Body = Mapping[str, Any]

FACT_BYTES = 16 * 1024
SECOND_US = 1_000_000


def fact(body: Body, external_id: str | None, message: Message) -> Decoded:
    """Return what a message other than a location says; an unknown type says nothing.

    Raises:
        Malformed: it cannot be read, or is larger than 16 KiB.
    """
    kind = body.get("_type")
    read = _FACTS.get(kind) if isinstance(kind, str) else None
    if read is None:
        return NOTHING
    name = "presence" if kind == "lwt" else str(kind)
    data = read(body)
    check_plain(data, name)
    if size_bytes(data) > FACT_BYTES:
        raise Malformed(Reason.TOO_LARGE, f"{name}: more than {FACT_BYTES} bytes")
    if name == "presence" and message.retained:
        return NOTHING
    recorded_at = _moment(name, data, body, message.received_at)
    return one(Report(external_id=external_id, fact=Fact(kind=name, recorded_at=recorded_at, data=data)))


def _moment(kind: str, data: Body, body: Body, received_at: datetime) -> datetime:
    """Return when a fact was.

    The apps count whole seconds, and a child who leaves one place and enters another within a second makes
    two facts.
    """
    if kind == "presence":
        return received_at
    try:
        return told_apart(fix_time(body.get("tst"), received_at), data, step_us=SECOND_US)
    except Malformed:
        return received_at


def _transition(body: Body) -> dict[str, Any]:
    event = body.get("event")
    if event not in ("enter", "leave"):
        raise Malformed(Reason.WRONG_SHAPE, "event")
    return _chosen(
        body, event=event, **_region(body, "acc", "accuracy_m"), trigger=text(body, "t", longest=16)
    )


def _waypoint(body: Body) -> dict[str, Any]:
    return _chosen(body, **_region(body, "rad", "radius_m"))


def _waypoints(body: Body) -> dict[str, Any]:
    listed = body.get("waypoints")
    if not isinstance(listed, list):
        raise Malformed(Reason.WRONG_SHAPE, "waypoints")
    return {"waypoints": [_waypoint(each) for each in listed if isinstance(each, dict)]}


def _region(body: Body, metres: str, name: str) -> dict[str, Any]:
    return {
        "name": text(body, "desc", longest=200),
        "rid": text(body, "rid", longest=64),
        "lat": number(body, "lat", low=-90, high=90, strings=True),
        "lon": number(body, "lon", low=-180, high=180, strings=True),
        name: number(body, metres, low=0, high=1e7, strings=True),
    }


def _chosen(body: Body, **members: Any) -> dict[str, Any]:
    as_they_are = {name: body.get(name) for name in ("wtst", "uuid", "major", "minor")}
    return known(**members, **as_they_are)


def _steps(body: Body) -> dict[str, Any]:
    return known(**{name: number(body, name, low=0, high=1e12) for name in ("steps", "from", "to")})


def _beacon(body: Body) -> dict[str, Any]:
    names = ("desc", "uuid", "major", "minor", "prox", "acc", "rssi")
    return {name: body[name] for name in names if name in body}


def _whole(body: Body) -> dict[str, Any]:
    return {name: each for name, each in body.items() if name not in ("_type", "topic")}


def _card(body: Body) -> dict[str, Any]:
    # The face is a picture of a person, of no use here.
    return known(**{name: text(body, name, longest=200) for name in ("name", "tid")})


_FACTS: Mapping[str, Callable[[Body], dict[str, Any]]] = {
    # Its tst is when the phone connected, not when it went.
    "lwt": lambda _: {"online": False},
    "transition": _transition,
    "waypoint": _waypoint,
    "waypoints": _waypoints,
    "steps": _steps,
    "beacon": _beacon,
    "status": _whole,
    "request": _whole,
    "card": _card,
}
