"""OwnTracks on iOS and Android: JSON below `owntracks/`, in clear or encrypted (its booklet, tech/json).

Locations become positions; what else the apps tell becomes facts. Nothing of a `configuration` is kept: it
holds passwords. A friend's or our own commands below `/cmd` say nothing about the device.
"""

import base64
import binascii
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from tracker.domain.errors import Malformed, Reason
from tracker.domain.geo import LatLon
from tracker.domain.position import Fact, Position, Report, plausible_time
from tracker.ingest.dialects._message import NOTHING, Decoded, Message, one
from tracker.ingest.dialects._owntracks_members import (
    ON_POWER,
    extras,
    flag,
    ignition,
    location,
    network,
    number,
    scaled,
    storable,
    text,
)
from tracker.ingest.dialects._values import check_plain, check_size, epoch_time, from_json, size_bytes

PAYLOAD_BYTES = 64 * 1024
FACT_BYTES = 16 * 1024
KMH = 1 / 3.6
KEY_BYTES = SecretBox.KEY_SIZE
SHORTEST_CIPHERTEXT = SecretBox.NONCE_SIZE + SecretBox.MACBYTES

Body = Mapping[str, Any]


class OwnTracks:
    """The dialect of the OwnTracks apps, and of what speaks like them."""

    name = "owntracks"
    root = "owntracks"
    topics = (
        "owntracks/+/+",
        *(
            f"owntracks/+/+/{suffix}"
            for suffix in (
                *("event", "waypoint", "waypoints", "step", "status", "info"),
                *("beacon", "dump", "request", "lwt"),
            )
        ),
    )

    def decode(self, message: Message) -> Decoded:
        """Return what a message says; an empty one, an unknown type and a command say nothing.

        Raises:
            Malformed: it cannot be read or cannot be true.
        """
        check_size(message.payload, PAYLOAD_BYTES)
        if not message.payload or message.topic.split("/")[3:4] == ["cmd"]:
            return NOTHING
        body = from_json(message.payload, PAYLOAD_BYTES)
        if isinstance(body, dict) and body.get("_type") == "encrypted":
            body = from_json(_open(body.get("data"), message.payload_key), PAYLOAD_BYTES)
            if isinstance(body, dict) and body.get("_type") == "encrypted":
                raise Malformed(Reason.WRONG_SHAPE, "_type: encrypted twice")
        if not isinstance(body, dict):
            raise Malformed(Reason.WRONG_SHAPE, "not an object")
        kind = body.get("_type")
        if kind == "location":
            return _location(body, message)
        read = _FACTS.get(kind) if isinstance(kind, str) else None
        return NOTHING if read is None else _fact(str(kind), read(body), body, message)


def _open(data: Any, secret: bytes | None) -> bytes:
    if not isinstance(data, str):
        raise Malformed(Reason.WRONG_SHAPE, "data")
    try:
        sealed = base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Malformed(Reason.BAD_CIPHERTEXT, "base64") from None
    if len(sealed) < SHORTEST_CIPHERTEXT:
        raise Malformed(Reason.BAD_CIPHERTEXT, "too short")
    if secret is None:
        raise Malformed(Reason.NO_KEY, "the device has no key here")
    # The apps pad a shorter secret with zeros and cut a longer one (booklet, features/encrypt).
    key = secret[:KEY_BYTES].ljust(KEY_BYTES, b"\0")
    try:
        return SecretBox(key).decrypt(sealed)
    except CryptoError:
        raise Malformed(Reason.BAD_CIPHERTEXT, "wrong key, or changed on the way") from None


def _location(body: Body, message: Message) -> Decoded:
    wire = location(body)
    if isinstance(wire.tst, str):
        moment = _moment(body, message.received_at)
    else:
        moment = plausible_time(epoch_time(wire.tst), message.received_at)
    if wire.lat == 0 and wire.lon == 0:
        # What a phone without a fix sends; it is legal and says nothing.
        return NOTHING
    course = scaled(wire.cog, 1)
    return one(
        Report(
            position=Position(
                recorded_at=moment,
                at=LatLon(lat=wire.lat, lon=wire.lon),
                accuracy_m=scaled(wire.acc, 1) or None,
                altitude_m=wire.alt,
                speed_mps=scaled(wire.vel, KMH),
                course_deg=None if course is None else course % 360,
                battery_pct=scaled(wire.batt, 1),
                charging=None if wire.bs is None else ON_POWER.get(wire.bs),
                ignition=ignition(wire),
                motion=flag(wire.motion),
                trigger=storable(wire.t),
                satellites=wire.sat,
                hdop=wire.hdop,
                odometer_m=scaled(wire.odometer, 1000),
                network=network(wire),
                attrs=extras(body),
            ),
        )
    )


def _moment(body: Body, received_at: datetime) -> datetime:
    seconds = number(body, "tst", strings=True)
    if seconds is None:
        raise Malformed(Reason.NO_TIME, "tst")
    return plausible_time(epoch_time(seconds), received_at)


def _fact(kind: str, data: dict[str, Any] | None, body: Body, message: Message) -> Decoded:
    if data is None:
        return NOTHING
    check_plain(data, kind)
    if size_bytes(data) > FACT_BYTES:
        raise Malformed(Reason.TOO_LARGE, f"{kind}: more than {FACT_BYTES} bytes")
    name = "presence" if kind == "lwt" else kind
    if name == "presence" and message.retained:
        return NOTHING
    fact = Fact(kind=name, recorded_at=_fact_moment(name, data, body, message.received_at), data=data)
    return one(Report(fact=fact))


def _fact_moment(kind: str, data: Body, body: Body, received_at: datetime) -> datetime:
    """Return when a fact was, its sub-second part taken from what it says.

    The apps count whole seconds, and a child who leaves one place and enters another within a second makes
    two facts; a fact that comes twice stays one.
    """
    if kind == "presence":
        return received_at
    try:
        moment = _moment(body, received_at)
    except Malformed:
        return received_at
    digits = zlib.crc32(repr(sorted(data.items(), key=lambda item: item[0])).encode("utf-8", "replace"))
    return moment.replace(microsecond=0) + timedelta(microseconds=digits % 1_000_000)


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
    return {name: each for name, each in (members | as_they_are).items() if each is not None}


def _steps(body: Body) -> dict[str, Any]:
    names = ("steps", "from", "to")
    return {name: each for name in names if (each := number(body, name, low=0, high=1e12)) is not None}


def _beacon(body: Body) -> dict[str, Any]:
    names = ("desc", "uuid", "major", "minor", "prox", "acc", "rssi")
    return {name: body[name] for name in names if name in body}


def _whole(body: Body) -> dict[str, Any]:
    return {name: each for name, each in body.items() if name != "_type"}


def _card(body: Body) -> dict[str, Any]:
    # The face is a picture of a person, of no use here.
    return {name: each for name in ("name", "tid") if (each := text(body, name, longest=200)) is not None}


_FACTS: Mapping[str, Callable[[Body], dict[str, Any] | None]] = {
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

DIALECT = OwnTracks()
