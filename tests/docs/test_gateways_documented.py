"""docs/gateways.md says what the code does."""

import re
from pathlib import Path

import pytest

from tracker.accounts.gateways import GATEWAYS_PER_ACCOUNT, SOURCES_PER_ACCOUNT, TOPICS_PER_SOURCE
from tracker.domain.device import MqttAccess
from tracker.domain.source import SourceDetail, SourceState
from tracker.ingest.foreign import WAITING_MESSAGES
from tracker.ingest.foreign_client import PACKET_BYTES
from tracker.store.unclaimed import KEEP_FOR, UNCLAIMED_PER_ORIGIN
from tracker.web.dialects import topics_of
from tracker.web.setting_up import blocks

PAGE = (Path(__file__).parents[2] / "docs" / "gateways.md").read_text()
SETTING = re.compile(r"(?:config set|--set|--ch-set|key='|^)\s*([a-z_]+(?:[. ][a-z_.0-9]+)?)", re.MULTILINE)


@pytest.mark.parametrize("word", [*SourceState, *(each for each in SourceDetail if each)])
def test_every_state_and_detail_is_explained(word: str) -> None:
    assert f"`{word}`" in PAGE


@pytest.mark.parametrize("dialect", ["traccar_forward", "chirpstack_v4", "meshtastic", "ovms"])
def test_the_page_names_the_settings_that_are_shown_filled_in(dialect: str) -> None:
    mqtt = MqttAccess(
        host="HOST",
        port=1883,
        tls=False,
        username="ID",
        password="PASSWORD",
        client_id="ID",
        topics=("gateway/0/0123456789abcdef/#",),
    )
    for _, lines in blocks(dialect, mqtt, topics_of(dialect)):
        named = {name for name in SETTING.findall(lines) if not name.startswith("topic ")}
        assert named
        assert [name for name in named if name not in PAGE] == []


def test_the_limits_are_the_codes() -> None:
    assert f"{GATEWAYS_PER_ACCOUNT} gateways and {SOURCES_PER_ACCOUNT} sources an account" in PAGE
    assert f"{TOPICS_PER_SOURCE} topic filters a source" in PAGE
    assert f"{WAITING_MESSAGES:,} messages" in PAGE
    assert f"Packets above {PACKET_BYTES // 1024} KiB" in PAGE
    assert f"up to {UNCLAIMED_PER_ORIGIN} a\ngateway" in PAGE
    assert f"not heard of for {KEEP_FOR.days} days" in PAGE
