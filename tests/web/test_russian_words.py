"""The Russian texts call one thing by one word."""

from pathlib import Path

import tracker.web

CATALOGUE = Path(tracker.web.__file__).parent / "translations" / "ru" / "LC_MESSAGES" / "messages.po"


def test_a_topic_of_mqtt_has_one_russian_word() -> None:
    said = CATALOGUE.read_text("utf-8").lower()
    assert 'msgstr "тема"' in said
    assert "топик" not in said
