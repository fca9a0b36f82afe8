"""What a codec makes of one object."""

from collections.abc import Mapping
from typing import Any

from tracker import registry
from tracker.ingest.codecs._reading import Codec, Reading

CODECS: Mapping[str, Codec] = registry.load("tracker.ingest.codecs", "CODEC")


def readings(name: str, fields: Mapping[str, Any]) -> tuple[Reading, ...]:
    found = CODECS[name].read(fields)
    assert found is not None
    return found


def reading(name: str, fields: Mapping[str, Any]) -> Reading:
    (found,) = readings(name, fields)
    return found


def place(found: Reading) -> tuple[float, float] | None:
    return None if found.place is None else (found.place.lat, found.place.lon)


def of_bytes(name: str, payload: bytes, port: int = 1) -> Mapping[str, Any]:
    """What a codec that knows the bytes of its trackers makes of them."""
    codec: Any = CODECS[name]
    fields: Mapping[str, Any] = codec.decode(payload, port)
    return fields
