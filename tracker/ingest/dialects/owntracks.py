"""OwnTracks on iOS and Android: JSON over MQTT or HTTP, in clear or encrypted (its booklet, tech/).

Locations become positions; what else the apps tell becomes facts. Nothing of a `configuration` is kept: it
holds passwords. A friend's or our own commands below `/cmd` say nothing about the device.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from tracker.domain.device import SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.domain.geo import LatLon
from tracker.domain.position import Position, Report, plausible_time
from tracker.ingest.dialects._fields import MPS_PER_UNIT, PAYLOAD_BYTES, collected, flag, scaled
from tracker.ingest.dialects._message import NOTHING, Decoded, Message, one
from tracker.ingest.dialects._owntracks_csv import members
from tracker.ingest.dialects._owntracks_facts import fact
from tracker.ingest.dialects._owntracks_identity import claimed, is_command
from tracker.ingest.dialects._owntracks_members import attrs, charging, ignition, location, network, trigger
from tracker.ingest.dialects._owntracks_quick import position
from tracker.ingest.dialects._values import check_size, epoch_time, from_json

KMH = MPS_PER_UNIT[SpeedUnit.KMH]
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

        A body over HTTP may hold several messages.

        Raises:
            Malformed: it cannot be read or cannot be true.
        """
        check_size(message.payload, PAYLOAD_BYTES)
        if not message.payload or is_command(message.topic):
            return NOTHING
        if not message.devices and (quick := position(message.payload, message.received_at)) is not None:
            return Decoded(reports=(Report(None if message.known else claimed(message, {}), quick),))
        if message.payload.isspace():
            return NOTHING
        if message.payload[:1] not in (b"{", b"[") and (written := members(message.payload)) is not None:
            return _location(written, message)
        body = from_json(message.payload, PAYLOAD_BYTES)
        if isinstance(body, list):
            return collected(body, lambda each: _said(each, message))
        return _said(body, message)


def _said(body: Any, message: Message) -> Decoded:
    if isinstance(body, dict) and body.get("_type") == "encrypted":
        around = body
        body = from_json(_open(body.get("data"), message.key_of(claimed(message, body))), PAYLOAD_BYTES)
        if isinstance(body, dict):
            if body.get("_type") == "encrypted":
                raise Malformed(Reason.WRONG_SHAPE, "_type: encrypted twice")
            body.setdefault("topic", around.get("topic"))
    if not isinstance(body, dict):
        raise Malformed(Reason.WRONG_SHAPE, "not an object")
    if body.get("_type") == "location":
        return _location(body, message)
    return fact(body, claimed(message, body), message)


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
    moment = plausible_time(epoch_time(wire.tst), message.received_at)
    if wire.lat == 0 and wire.lon == 0:
        # What a phone without a fix sends; it is legal and says nothing.
        return NOTHING
    external_id = claimed(message, body)
    unit = message.settings_of(external_id).speed_unit if message.devices else None
    course = scaled(wire.cog, 1)
    return one(
        Report(
            external_id=external_id,
            position=Position(
                recorded_at=moment,
                at=LatLon(lat=wire.lat, lon=wire.lon),
                accuracy_m=scaled(wire.acc, 1) or None,
                altitude_m=wire.alt,
                speed_mps=scaled(wire.vel, KMH if unit is None else MPS_PER_UNIT[unit]),
                course_deg=None if course is None else course % 360,
                battery_pct=scaled(wire.batt, 1),
                charging=charging(wire),
                ignition=ignition(wire),
                motion=flag(wire.motion),
                trigger=trigger(wire),
                satellites=wire.sat,
                hdop=wire.hdop,
                odometer_m=scaled(wire.odometer, 1000),
                network=network(wire),
                attrs=attrs(body),
            ),
        )
    )


DIALECT = OwnTracks()
