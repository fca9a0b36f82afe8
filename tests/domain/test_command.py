"""Commands as they are signed and sent."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey

from tracker.domain.command import Command, canonical, envelope

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
KEY = SigningKey(b"k" * 32)
COMMAND = Command(
    command_id="c" * 16,
    device_id="d" * 16,
    kind="live",
    args={"every_s": 15, "имя": "кот"},
    issued_at=NOW,
    expires_at=NOW + timedelta(minutes=10),
)


def sign(content: bytes) -> str:
    return base64.b64encode(KEY.sign(content).signature).decode()


def test_a_device_can_check_an_envelope_with_nothing_but_json_and_the_public_key() -> None:
    members = json.loads(envelope(COMMAND, sign))
    signature = base64.b64decode(members.pop("sig"))
    plain = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    KEY.verify_key.verify(plain, signature)
    assert members["issued_at"] == "2026-11-21T09:00:00Z"


@pytest.mark.parametrize(
    "change",
    [{"device_id": "e" * 16}, {"kind": "wipe"}, {"args": {}}, {"expires_at": NOW + timedelta(days=9)}],
)
def test_a_changed_envelope_is_not_signed(change: dict[str, object]) -> None:
    signature = base64.b64decode(sign(canonical(COMMAND)))
    with pytest.raises(BadSignatureError):
        KEY.verify_key.verify(canonical(replace(COMMAND, **change)), signature)  # type: ignore[arg-type]
