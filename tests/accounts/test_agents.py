"""Names of browsers."""

import pytest

from tracker.accounts.agents import agent_name

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (WINDOWS + "Chrome/140.0.0.0 Safari/537.36", "Chrome, Windows"),
        (WINDOWS + "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge, Windows"),
        (ANDROID + "Chrome/140.0.0.0 YaBrowser/25.8 Mobile Safari/537.36", "Yandex Browser, Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/18 Safari/604.1", "Safari, iPhone"),
        ("curl/8.14.1", "curl"),
        ("python-httpx/0.28.1", "python-httpx"),
        ("", "?"),
        ("\r\n", "?"),
    ],
)
def test_the_owner_recognises_his_browser(agent: str, name: str) -> None:
    assert agent_name(agent) == name


def test_a_stranger_cannot_put_words_into_the_notice() -> None:
    assert agent_name("call +7 900 000-00-00 now, http://evil.example") == "call"
