"""A message that waits costs what it is long, refused or not."""

from datetime import UTC, datetime

import pytest

from tracker import registry
from tracker.ingest.arrived import Arrived
from tracker.ingest.prepare import Preparer

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
DIALECTS = registry.load("tracker.ingest.dialects", "DIALECT")


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("tracker/a/a123456789abcdef/position", b"{"),
        ("owntracks/a/a123456789abcdef", b'{"_type": "location", "tst": 1795251500, "lat": "x", "lon": 2}'),
        ("tracker/b/a123456789abcdef/position", b"{}"),
    ],
)
def test_a_refusal_keeps_no_frames_alive(topic: str, payload: bytes) -> None:
    """A soak grew by 90 MB in 40,000 messages: the traces of refusals held the decoders' frames."""
    refused = Preparer(DIALECTS).prepare(Arrived(1, 1, topic, payload, NOW)).refused
    assert refused is not None
    assert refused.__traceback__ is None
    assert refused.__context__ is None
