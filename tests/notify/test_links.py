"""Links that open one alert."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.notify.links import Links
from tracker.store.seal import Sealer

LINKS = Links(Sealer("a secret of thirty-two characters"), "https://ryadom.example/")
ACCOUNT, DELIVERY = "00000000000000aa", "ffffffffffffff01"
TOKEN = LINKS.token(ACCOUNT, DELIVERY)
IDS = st.binary(min_size=8, max_size=8).map(bytes.hex)


@given(account_id=IDS, delivery_id=IDS)
def test_a_token_names_its_delivery(account_id: str, delivery_id: str) -> None:
    token = LINKS.token(account_id, delivery_id)
    assert len(token) == 38
    assert LINKS.read(token) == (account_id, delivery_id)


@pytest.mark.parametrize("at", range(38))
def test_a_changed_token_opens_nothing(at: int) -> None:
    for other in "Ab0_":
        changed = TOKEN[:at] + other + TOKEN[at + 1 :]
        assert changed == TOKEN or LINKS.read(changed) is None


@pytest.mark.parametrize("text", ["", "x", TOKEN[:-1], TOKEN + "A", TOKEN + "=", "я" * 38, "=" * 38])
def test_what_is_no_token_opens_nothing(text: str) -> None:
    assert LINKS.read(text) is None


@given(st.text(min_size=38, max_size=38))
def test_no_text_makes_it_fail(text: str) -> None:
    LINKS.read(text)


def test_a_token_of_another_secret_key_opens_nothing() -> None:
    assert Links(Sealer("another secret of 32 characters!"), "https://x").read(TOKEN) is None


def test_links_are_under_the_public_address() -> None:
    assert LINKS.of_alert("00000000000000a1") == "https://ryadom.example/alerts/00000000000000a1"
    assert LINKS.of_alerts() == "https://ryadom.example/alerts"
    assert LINKS.of_delivery(ACCOUNT, DELIVERY) == f"https://ryadom.example/a/{TOKEN}"
