"""Messages that no device should send: recorded ones (tests/corpus), changed at random, and random bytes."""

import base64
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cbor2
import msgspec

from tracker.domain.device import DeviceSettings, SpeedUnit
from tracker.ingest.dialects._message import Message
from tracker.ingest.rehearsal import corpus_dialect, corpus_message

CORPUS = Path(__file__).parents[1] / "tests" / "corpus"

Seed = tuple[str, Message]
"""A dialect's name and a message of it."""

FIX = {
    "time": 1795251500,
    "lat": 55.7,
    "lon": 37.6,
    "accuracy_m": 5,
    "boot": "b1",
    "seq": 7,
    "attrs": {"a": 1},
}
NATIVE: Sequence[tuple[str, bytes]] = (
    ("position", json.dumps([FIX, FIX]).encode()),
    ("position", json.dumps(FIX | {"time": "2026-11-01T10:00:00Z"}).encode()),
    ("position/cbor", cbor2.dumps([FIX])),
    ("status", b"online"),
    ("result", b'{"id":"1","state":"done","detail":"x","data":{"a":1}}'),
)
RADIO: Sequence[tuple[str, str, str]] = (
    (
        "tts_v3",
        "v3/app@ttn/devices/dog/up",
        '{"end_device_ids":{"device_id":"dog"},"uplink_message":{"f_port":%d,"frm_payload":"%s"}}',
    ),
    (
        "chirpstack_v4",
        "application/1/device/0101010101010101/event/up",
        '{"deviceInfo":{"devEui":"0101010101010101"},"time":"2026-11-01T10:00:00Z","fPort":%d,"data":"%s"}',
    ),
)
"""Envelopes of radio payloads for codecs: dialect, topic, text with a port and bytes to fill in."""
PORTS = (1, 2, 3, 4, 5, 8, 10, 11, 17, 18, 83, 85, 99, 136, 192, 199, 200)

NASTY: Sequence[Any] = (
    *(None, True, False, 0, -0.0, -1, 1, 90, 91, 180, 181, 360, 1e308, -1e308, 5e-324, 2**15, 2**31, 2**63),
    *(2**64, 10**30, -(10**30), float("nan"), float("inf"), 253402300799, 253402300800, -62135596801, 1e18),
    *(
        "",
        " ",
        "0",
        "-1",
        "nan",
        "inf",
        "1e999",
        "1_000",
        "١٢",
        "0x10",
        "true",
        "yes",
        "\0",
        "\ud800",
        "é" * 70,
    ),
    *(
        "A" * 5000,
        "9" * 5000,
        "2026-11-01T10:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
    ),
    *("2026-02-30T10:00:00Z", "2016-12-31T23:59:60Z", "55.7,37.6", "0,0", ",", "AAAA", "==", "$GPRMC,,V*00"),
    *([], {}, [[]], [{}], [None], {"": None}, {"a": {"b": [1, "x"]}}, [1, 2], [1e999, "2"], ["a"] * 50),
)
CHECKSUM = re.compile(rb"\*[0-9A-Fa-f]{2}")
DEEP = json.loads("[" * 400 + "]" * 400)


def recorded() -> list[Seed]:
    """Return every recorded message, and some of our own dialect, which the corpus does not hold."""
    lines = [
        json.loads(line) for file in sorted(CORPUS.glob("*.jsonl")) for line in file.read_text().splitlines()
    ]
    found = [(corpus_dialect(line), corpus_message(line)) for line in lines]
    now = datetime(2027, 1, 1, tzinfo=UTC)
    for rest, payload in NATIVE:
        topic = f"tracker/a/a123456789abcdef/{rest}"
        found.append(("native", Message(topic=topic, payload=payload, received_at=now)))
    return found


class Mutants:
    """Gives one changed message after another; the same `seed` gives the same ones."""

    def __init__(self, seeds: Sequence[Seed], codecs: Sequence[str], seed: int) -> None:
        self._by_dialect: dict[str, list[Message]] = {}
        for name, message in seeds:
            self._by_dialect.setdefault(name, []).append(message)
        self._names = sorted(self._by_dialect)
        self._codecs = codecs
        self._random = random.Random(seed)

    def __iter__(self) -> Iterator[Seed]:
        while True:
            yield self.next()

    def next(self) -> Seed:
        """Return the next message, of every dialect as often."""
        choose = self._random
        name = choose.choice(self._names)
        message = choose.choice(self._by_dialect[name])
        kind = choose.random()
        if kind < 0.1:
            message = msgspec.structs.replace(message, payload=choose.randbytes(choose.randrange(300)))
        elif kind < 0.5 and (body := _body(message.payload)) is not None:
            for _ in range(choose.choice((1, 1, 1, 2, 5))):
                body = self._changed(body)
            message = msgspec.structs.replace(message, payload=json.dumps(body).encode())
        elif kind < 0.6 and self._codecs:
            name, message = self._radio(message)
        elif message.query:
            query = self._scrambled(message.query.encode()).decode("utf-8", "replace")
            message = msgspec.structs.replace(message, query=query)
        else:
            payload = message.payload
            if choose.random() < 0.5:
                # A sentence without checksum is taken too, and gets further than one with a wrong checksum.
                payload = CHECKSUM.sub(b"", payload)
            message = msgspec.structs.replace(message, payload=self._scrambled(payload))
        return name, self._addressed(message)

    def _changed(self, value: Any) -> Any:
        """Return a JSON value with one of its parts replaced, dropped or doubled."""
        choose = self._random
        if isinstance(value, int | float) and choose.random() < 0.3:
            return value * choose.choice((-1, 0.1, 2, 1000, choose.random()))
        if not isinstance(value, dict | list) or not value or choose.random() < 0.1:
            return DEEP if choose.random() < 0.01 else choose.choice(NASTY)
        if isinstance(value, list):
            at = choose.randrange(len(value))
            return [*value[:at], self._changed(value[at]), *value[at + choose.randrange(2) :]]
        key = choose.choice(list(value))
        if choose.random() < 0.15:
            return {name: each for name, each in value.items() if name != key}
        return value | {key: self._changed(value[key])}

    def _scrambled(self, text: bytes) -> bytes:
        choose = self._random
        for _ in range(choose.randrange(1, 4)):
            at, end = sorted((choose.randrange(len(text) + 1), choose.randrange(len(text) + 1)))
            end = min(end, at + 8)
            insert = choose.choice(
                (
                    b"",
                    choose.randbytes(end - at),
                    text[at:end] * 2,
                    b"0",
                    b"-",
                    b"9" * 30,
                    b",",
                    b"*00",
                    b"\0",
                    b"%00",
                )
            )
            text = text[:at] + insert + text[end:]
        return text

    def _radio(self, message: Message) -> Seed:
        choose = self._random
        name, topic, envelope = choose.choice(RADIO)
        data = base64.b64encode(choose.randbytes(choose.randrange(60))).decode()
        payload = (envelope % (choose.choice(PORTS), data)).encode()
        return name, msgspec.structs.replace(message, topic=topic, payload=payload, query="")

    def _addressed(self, message: Message) -> Message:
        choose = self._random
        devices: Mapping[str, DeviceSettings] = {}
        if choose.random() < 0.6:
            own = DeviceSettings(
                speed_unit=choose.choice((None, *SpeedUnit)), codec=choose.choice((None, *self._codecs))
            )
            devices = {"": own}
        topic = message.topic
        if choose.random() < 0.1:
            levels = topic.split("/")
            levels[choose.randrange(len(levels))] = choose.choice(
                ("", "x", "a/b", "é" * 200, "\ud800", "1", "cmd")
            )
            topic = "/".join(levels)
        return msgspec.structs.replace(message, topic=topic, retained=choose.random() < 0.1, devices=devices)


def _body(payload: bytes) -> Any:
    try:
        body = json.loads(payload)
    except ValueError:
        return None
    return body if isinstance(body, dict | list) else None
