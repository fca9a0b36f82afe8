"""The words of notifications."""

from dataclasses import replace

import pytest

from tests.notify.conftest import NOW
from tracker.domain.errors import Refused
from tracker.domain.notification import Notification
from tracker.notify.compose import KINDS, compose

ARGS = {"code": "01234567", "minutes": 10, "host": "ryadom.example", "device": "Firefox, Windows"}
CODE = Notification(
    channel="sms", kind="login_code", to="+79161234567", locale="ru", expires_at=NOW, args=ARGS
)


def test_a_code_is_told_in_russian() -> None:
    assert compose(CODE).body == (
        "Рядом: код 01234567, действует 10 мин. Никому его не говорите, мы его не спрашиваем."
        "\n\n@ryadom.example #01234567"
    )


def test_a_code_is_told_in_english() -> None:
    assert compose(replace(CODE, locale="en")).body == (
        "Ryadom: code 01234567, valid for 10 min. Tell nobody: we never ask for it."
        "\n\n@ryadom.example #01234567"
    )


def test_the_line_for_browsers_is_the_last_one_and_only_with_a_host() -> None:
    assert compose(CODE).body.splitlines()[-1] == "@ryadom.example #01234567"
    assert "@" not in compose(replace(CODE, args={**ARGS, "host": ""})).body


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("locale", ["ru", "en", "fi", ""])
def test_every_kind_fits_in_two_messages_in_every_language(kind: str, locale: str) -> None:
    body = compose(replace(CODE, kind=kind, locale=locale)).body
    assert 40 < len(body) <= (134 if any(ord(each) > 127 for each in body) else 306)
    assert "{" not in body


@pytest.mark.parametrize("kind", KINDS)
def test_the_languages_differ(kind: str) -> None:
    assert compose(replace(CODE, kind=kind)).body != compose(replace(CODE, kind=kind, locale="en")).body


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(Refused, match="no words for pigeon"):
        compose(replace(CODE, kind="pigeon"))


def test_a_missing_argument_is_refused_by_name_without_the_code() -> None:
    with pytest.raises(Refused) as refused:
        compose(replace(CODE, args={"code": "01234567"}))
    assert "minutes" in str(refused.value)
    assert "01234567" not in str(refused.value)
