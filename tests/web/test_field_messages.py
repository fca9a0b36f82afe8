"""Every wrong field is named with a plain sentence that says the limit, in both languages."""

from typing import Any

import pytest

from tests.web.callers import Caller

SUBJECTS, DEVICES, CODES, TOKENS, LOGIN, SOURCES = (
    f"/api/v1/{path}" for path in ("subjects", "devices", "login/code", "tokens", "login", "sources")
)
PET = {"kind": "pet", "name": "Rex"}
SOURCE = {"name": "car", "dialect": "ovms", "url": "mqtts://ovms.example"}
DEVICE = {"subject_id": "0" * 16, "name": "collar", "dialect": "native"}

WRONG: tuple[tuple[str, dict[str, Any], str, str, str], ...] = (
    (SUBJECTS, PET | {"name": ""}, "name", "must not be empty", "не может быть пустым"),
    (SUBJECTS, PET | {"name": "x" * 81}, "name", "at most 80 characters", "не длиннее 80 знаков"),
    (SUBJECTS, PET | {"name": 3}, "name", "must be text", "должен быть текст"),
    (SUBJECTS, PET | {"more": 1}, "more", "there is no such field", "такого поля нет"),
    (SUBJECTS, {"kind": "pet"}, "name", "this field is required", "это поле обязательно"),
    (CODES, {"phone": "1" * 41}, "phone", "at most 40 characters", "не длиннее 40 знаков"),
    (CODES, {"phone": ""}, "phone", "must not be empty", "не может быть пустым"),
    (
        CODES,
        {"phone": "1", "locale": "fr"},
        "locale",
        "must be one of 'ru', 'en'",
        "должно быть одно из: 'ru', 'en'",
    ),
    (
        DEVICES,
        DEVICE | {"payload_key": "k" * 33},
        "payload_key",
        "at most 32 characters",
        "не длиннее 32 знаков",
    ),
    (DEVICES, DEVICE | {"external_id": ""}, "external_id", "must not be empty", "не может быть пустым"),
    (LOGIN, {"phone": "1", "code": "1" * 257}, "code", "at most 256 characters", "не длиннее 256 знаков"),
    (SOURCES, SOURCE | {"topics": ["a"] * 31}, "topics", "at most 30 entries", "не больше 30 записей"),
    (
        SOURCES,
        SOURCE | {"topics": ["a" * 257]},
        "topics.0",
        "at most 256 characters",
        "не длиннее 256 знаков",
    ),
    (LOGIN, {"phone": "1", "code": ""}, "code", "must not be empty", "не может быть пустым"),
)


@pytest.mark.parametrize(("path", "body", "field", "english", "russian"), WRONG)
def test_a_wrong_length_or_type_says_the_limit(
    owner: Caller, path: str, body: dict[str, Any], field: str, english: str, russian: str
) -> None:
    for locale, text in (("en", english), ("ru", russian)):
        owner.patch("/api/v1/account", {"locale": locale})
        answer = owner.post(path, body, headers={"Accept-Language": locale})
        assert answer.status_code == 422
        assert {"field": field, "message": text} in answer.json["errors"]


def test_a_list_that_is_too_long_counts_its_entries_and_not_characters(owner: Caller) -> None:
    answer = owner.post(SOURCES, SOURCE | {"topics": ["a"] * 31}, headers={"Accept-Language": "en"})
    assert [each["message"] for each in answer.json["errors"]] == ["at most 30 entries"]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("limit=0", "at least 1"),
        ("limit=1001", "at most 1000"),
        ("limit=x", "must be a whole number"),
        ("limit=" + "9" * 5000, "must be a whole number"),
        ("limit=1.5", "must be a whole number"),
        ("after=" + "a" * 201, "at most 200 characters"),
    ],
    ids=range(6),
)
def test_a_wrong_question_says_the_limit(owner: Caller, query: str, text: str) -> None:
    assert owner.get(f"{SUBJECTS}?{query}").json["errors"][0]["message"] == text


@pytest.mark.parametrize("moment", [3, "2026-13-01T00:00:00Z", "T", "tomorrow", "2026-01-01T25:00:00Z"])
def test_what_is_no_moment_says_so(owner: Caller, moment: object) -> None:
    answer = owner.post(TOKENS, {"name": "a", "expires_at": moment})
    assert answer.json["errors"] == [{"field": "expires_at", "message": "must be a moment by RFC 3339"}]
