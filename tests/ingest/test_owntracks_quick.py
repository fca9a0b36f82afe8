"""The short way for common OwnTracks locations says exactly what the long way says."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.domain.device import DeviceSettings
from tracker.domain.errors import Malformed
from tracker.ingest.dialects import _owntracks_quick
from tracker.ingest.dialects._message import Decoded, Message
from tracker.ingest.dialects.owntracks import DIALECT

RECEIVED = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
LONG_WAY = {"": DeviceSettings()}
"""Settings of its own send a message the long way."""
PAYLOADS = [
    json.loads(line)["payload"].encode()
    for line in (Path(__file__).parents[1] / "corpus" / "owntracks.jsonl").read_text().splitlines()
]
NUMBERS = st.none() | st.integers(-3, 400) | st.floats(-2, 400) | st.sampled_from([-1, 0, 1, 1e300, 2**70])
TEXTS = st.none() | st.sampled_from(
    ["u", "i", "E", "2", "w", "m", "o", "", "a:b", "\u0000", "ab\n", "x" * 17]
)
COMMON = st.fixed_dictionaries(
    {"_type": st.just("location"), "lat": st.floats(-91, 91), "lon": st.floats(-181, 181)},
    optional={
        "tst": st.integers(1_700_000_000, 1_800_000_000) | st.just(1_700_000_000.5),
        **dict.fromkeys(("acc", "alt", "vel", "cog", "batt", "bs", "m", "vac", "p", "created_at"), NUMBERS),
        **dict.fromkeys(("t", "conn", "tid"), TEXTS),
        "poi": TEXTS,
    },
)


def said(payload: bytes, **members: Any) -> Decoded | str:
    message = Message(topic="owntracks/jane/phone", payload=payload, received_at=RECEIVED, **members)
    try:
        return DIALECT.decode(message)
    except Malformed as error:
        return error.reason


@pytest.mark.parametrize("payload", PAYLOADS)
def test_recorded_messages_come_out_alike(payload: bytes) -> None:
    assert said(payload) == said(payload, devices=LONG_WAY)


@settings(max_examples=500, deadline=None)
@given(COMMON)
def test_any_common_message_comes_out_alike(body: dict[str, Any]) -> None:
    payload = json.dumps(body).encode()
    assert said(payload) == said(payload, devices=LONG_WAY)


@pytest.mark.parametrize("twice", ["lat", "acc", "tid"])
def test_a_name_that_is_there_twice_is_refused_by_either(twice: str) -> None:
    members = {"_type": "location", "lat": 1, "lon": 2, "tst": 1_700_000_000, "acc": 3, "tid": "ab"}
    payload = json.dumps(members).replace("}", f', "{twice}": 5}}').encode()
    assert said(payload) == said(payload, devices=LONG_WAY) == "not_json"


def test_the_usual_message_takes_the_short_way() -> None:
    body = {"_type": "location", "lat": 1.5, "lon": 2, "tst": 1_700_000_000, "acc": 3, "tid": "ab", "m": 1}
    assert _owntracks_quick.position(json.dumps(body).encode(), RECEIVED) is not None


def test_a_message_whose_topic_the_broker_checked_claims_nothing() -> None:
    body = {"_type": "location", "lat": 1.5, "lon": 2, "tst": 1_700_000_000}
    decoded = said(json.dumps(body).encode(), known=True)
    assert isinstance(decoded, Decoded)
    assert decoded.reports[0].external_id is None
