"""Whatever a device sends, a dialect answers with reports, parts, problems or Malformed, and nothing else.

All that it answers the database can hold. `script/soak-decoders` asks the same of a million messages.
"""

import base64
import json
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks._mutants import PORTS, RADIO, Mutants, recorded
from benchmarks._storable import faults
from tests.ingest.messages import RECEIVED
from tracker import registry
from tracker.domain.device import DeviceSettings, SpeedUnit
from tracker.domain.errors import Malformed
from tracker.ingest.dialects._message import Assembling, Decoded, Dialect, Message
from tracker.ingest.rehearsal import Rehearsal

DIALECTS = registry.load("tracker.ingest.dialects", "DIALECT")
CODECS = tuple(registry.load("tracker.ingest.codecs", "CODEC"))
SEEDS = recorded()
QUERY_NAMES = (
    *("id", "deviceid", "lat", "lon", "location", "timestamp", "speed", "bearing", "heading", "altitude"),
    *("hdop", "batt", "charge", "valid", "cell", "wifi", "accuracy", "odometer", "x"),
)
LEVELS = ("a", "a123456789abcdef", "jane", "123456789012345", "0101010101010101", "1", "-30", "up", "é/x")


def names_in(value: Any) -> set[str]:
    """Every key of a JSON value, however deep."""
    if isinstance(value, dict):
        return set(value).union(*map(names_in, value.values()))
    return set().union(*map(names_in, value)) if isinstance(value, list) else set()


def words_in(value: Any) -> set[str]:
    """Every short text of a JSON value, however deep."""
    if isinstance(value, str):
        return {value} if len(value) < 40 else set()
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return set().union(*map(words_in, inner))


def bodies(name: str) -> list[Any]:
    found = []
    for dialect, message in SEEDS:
        if dialect == name and message.payload.lstrip()[:1] in (b"{", b"["):
            try:
                found.append(json.loads(message.payload))
            except ValueError:
                continue
    return found


def topics_of(dialect: Dialect) -> st.SearchStrategy[str]:
    """Topics as its devices write them, some that they do not, and none."""

    def filled(told: tuple[str, list[str]]) -> str:
        filter_, levels = told
        return "/".join(
            levels[number % len(levels)] if level == "+" else level
            for number, level in enumerate(filter_.split("/"))
        )

    sent = st.tuples(
        st.sampled_from(dialect.topics or ("",)), st.lists(st.sampled_from(LEVELS), min_size=1, max_size=4)
    ).map(filled)
    return (
        sent | st.sampled_from(["", "tracker/a/a123456789abcdef/unheard/of", "/", "+"]) | st.text(max_size=30)
    )


def bodies_of(name: str) -> st.SearchStrategy[Any]:
    """JSON made of the words that this dialect knows, in any shape."""
    known = bodies(name)
    keys = st.sampled_from(sorted(set().union(*map(names_in, known)) or {"lat", "lon", "time"}))
    words = st.sampled_from(sorted(set().union(*map(words_in, known)) or {"position"}))
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | words
    return st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(keys | st.text(max_size=5), inner, max_size=8)
        ),
        max_leaves=20,
    )


DEVICES = st.sampled_from(
    [{}, {"": DeviceSettings()}, *({"": DeviceSettings(speed_unit=unit)} for unit in SpeedUnit)]
    + [{"": DeviceSettings(codec=codec)} for codec in (*CODECS, "unheard of")]
)


@pytest.fixture(params=DIALECTS.values(), ids=list(DIALECTS))
def dialect(request: pytest.FixtureRequest) -> Dialect:
    found: Dialect = request.param
    return found


def check(dialect: Dialect, message: Message) -> None:
    rehearsal = Rehearsal()
    try:
        decoded = rehearsal.hear(dialect, message)
    except Malformed:
        return
    assert not list(faults(dialect.name, decoded, message.received_at))
    assert not decoded.parts or isinstance(dialect, Assembling)
    assert not list(faults(dialect.name, Decoded(reports=tuple(rehearsal.flush())), message.received_at))


def test_it_is_called_as_its_file() -> None:
    assert list(DIALECTS) == list(registry.names("tracker.ingest.dialects"))


def test_its_subscriptions_are_filters_of_its_own_topics(dialect: Dialect) -> None:
    for each in dialect.topics:
        levels = each.split("/")
        assert all(level in ("+", "#") or not {"+", "#"} & set(level) for level in levels)
        assert "#" not in levels[:-1]
        assert levels[0] not in ("+", "#") or len(levels) > 1
        assert not each.startswith("$") or each.startswith("$aws/")
    assert len(set(dialect.topics)) == len(dialect.topics)


def test_below_our_own_root_it_asks_for_every_shard(dialect: Dialect) -> None:
    if dialect.root is not None:
        assert dialect.topics
        assert all(each.startswith(f"{dialect.root}/+/+") and "#" not in each for each in dialect.topics)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_bytes_are_decoded_or_refused(data: st.DataObject) -> None:
    payload = data.draw(st.binary(max_size=200))
    retained, devices = data.draw(st.booleans()), data.draw(DEVICES)
    for dialect in DIALECTS.values():
        topic = data.draw(topics_of(dialect))
        query = data.draw(st.text(max_size=20))
        check(
            dialect,
            Message(
                topic=topic,
                payload=payload,
                received_at=RECEIVED,
                retained=retained,
                query=query,
                devices=devices,
            ),
        )


@settings(max_examples=30, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("name", DIALECTS)
def test_any_json_of_its_own_words_is_decoded_or_refused(name: str, data: st.DataObject) -> None:
    payload = json.dumps(data.draw(BODIES[name])).encode()
    topic, devices = data.draw(TOPICS[name]), data.draw(DEVICES)
    check(
        DIALECTS[name],
        Message(topic=topic, payload=payload, received_at=RECEIVED, query="event=up", devices=devices),
    )


@settings(max_examples=50, deadline=None)
@given(value=bodies_of("native"))
def test_any_cbor_is_decoded_or_refused(value: Any) -> None:
    topic = "tracker/a/a123456789abcdef/position/cbor"
    check(DIALECTS["native"], Message(topic=topic, payload=cbor2.dumps(value), received_at=RECEIVED))


@settings(max_examples=60, deadline=None)
@given(
    pairs=st.lists(
        st.tuples(
            st.sampled_from(QUERY_NAMES),
            st.text(max_size=12) | st.integers().map(str) | st.floats().map(str) | st.just("1795251500"),
        ),
        max_size=8,
    )
)
def test_any_query_is_decoded_or_refused(pairs: list[tuple[str, str]]) -> None:
    query = "&".join(f"{name}={value}" for name, value in pairs)
    check(DIALECTS["osmand"], Message(topic="", payload=b"", received_at=RECEIVED, query=query))


@settings(max_examples=40, deadline=None)
@given(payload=st.binary(max_size=60), port=st.sampled_from(PORTS), envelope=st.sampled_from(RADIO))
@pytest.mark.parametrize("codec", CODECS)
def test_any_radio_payload_is_decoded_or_refused(
    codec: str, payload: bytes, port: int, envelope: tuple[str, str, str]
) -> None:
    name, topic, text = envelope
    body = (text % (port, base64.b64encode(payload).decode())).encode()
    devices = {"": DeviceSettings(codec=codec)}
    check(DIALECTS[name], Message(topic=topic, payload=body, received_at=RECEIVED, devices=devices))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_any_changed_recording_is_decoded_or_refused(seed: int) -> None:
    mutants = Mutants(SEEDS, CODECS, seed)
    for _ in range(20):
        name, message = mutants.next()
        check(DIALECTS[name], message)


TOPICS = {name: topics_of(dialect) for name, dialect in DIALECTS.items()}
BODIES = {name: bodies_of(name) for name in DIALECTS}
