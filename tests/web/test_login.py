"""Signing in by the API: ask for a code, enter it, three wrong entries."""

import pytest

from tests.web.callers import Answer, Caller, any_address, any_phone, sent_code
from tracker.domain.ids import new_id
from tracker.web.app import Application
from tracker.web.context import Services

LOGIN = "/api/v1/login"


@pytest.fixture
def visitor(app: Application) -> Caller:
    """A stranger from a network of his own."""
    caller = Caller(app)
    caller.client.environ_base["REMOTE_ADDR"] = any_address()
    return caller


def ask(visitor: Caller, phone: str) -> str:
    answer = visitor.post(f"{LOGIN}/code", {"phone": phone})
    assert answer.status_code == 202
    return str(answer.json["login_id"])


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**8:08d}"


def enter(visitor: Caller, phone: str, code: str, login_id: str | None, **more: object) -> Answer:
    body = {"phone": phone, "code": code, "accept_terms": True, **more}
    if login_id:
        body["login_id"] = login_id
    return visitor.post(LOGIN, body)


def test_a_code_by_sms_opens_the_account(visitor: Caller, services: Services) -> None:
    phone = any_phone()
    asked = visitor.post(f"{LOGIN}/code", {"phone": phone, "region": "RU-MOW", "locale": "ru"})
    assert asked.status_code == 202
    assert {"sender": "3339", "expires_in": 600, "resend_in": 60}.items() <= asked.json.items()
    answer = enter(visitor, phone, sent_code(services, phone), asked.json["login_id"])
    assert answer.status_code == 200
    assert answer.json["account"]["phone"] == phone
    assert "Set-Cookie" not in answer.headers
    signed_in = Caller(visitor.app, bearer=answer.json["token"])
    assert signed_in.get("/api/v1/account").json == answer.json["account"]


def test_a_national_number_is_read_in_the_region(visitor: Caller, services: Services) -> None:
    phone = any_phone()
    asked = visitor.post(f"{LOGIN}/code", {"phone": f"8 {phone[2:]}", "region": "RU"}).json
    assert (
        enter(visitor, phone, sent_code(services, phone), asked["login_id"]).json["account"]["phone"] == phone
    )


def test_the_terms_come_before_everything_else(visitor: Caller, services: Services) -> None:
    phone = any_phone()
    login_id = ask(visitor, phone)
    code = sent_code(services, phone)
    for _ in range(4):
        answer = enter(visitor, phone, code, login_id, accept_terms=False)
        assert answer.status_code == 422
        assert [each["field"] for each in answer.json["errors"]] == ["accept_terms"]
    assert enter(visitor, phone, code, login_id).status_code == 200


def test_three_wrong_entries_block_until_a_new_code(visitor: Caller, services: Services) -> None:
    phone = any_phone()
    login_id = ask(visitor, phone)
    code = sent_code(services, phone)
    for left in (2, 1):
        answer = enter(visitor, phone, wrong(code), login_id)
        assert (answer.status_code, answer.json["attempts_left"]) == (401, left)
        assert answer.content_type == "application/problem+json"
    for entry in (wrong(code), code):
        answer = enter(visitor, phone, entry, login_id)
        assert (answer.status_code, answer.json["attempts_left"]) == (423, 0)
    services.clock.go_on(minutes=2)  # type: ignore[attr-defined]
    login_id = ask(visitor, phone)
    assert enter(visitor, phone, sent_code(services, phone), login_id).status_code == 200


def test_a_code_by_sms_is_nothing_without_its_login_id(visitor: Caller, services: Services) -> None:
    phone = any_phone()
    ask(visitor, phone)
    code = sent_code(services, phone)
    assert enter(visitor, phone, code, None).status_code == 401
    assert enter(visitor, phone, code, new_id()).status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "phone"),
        ({"phone": "hello"}, "phone"),
        ({"phone": 79990000001}, "phone"),
        ({"phone": "+79990000001", "region": "Russia"}, "region"),
        ({"phone": "+79990000001", "locale": "de"}, "locale"),
    ],
)
def test_a_wrong_field_is_named(visitor: Caller, body: dict[str, object], field: str) -> None:
    answer = visitor.post(f"{LOGIN}/code", body)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json["errors"]] == [field]


def test_too_many_requests_are_told_when_to_come_back(visitor: Caller) -> None:
    phone = any_phone()
    for _ in range(1001):
        answer = visitor.post(LOGIN, {"phone": phone, "code": "00000000", "accept_terms": True})
        if answer.status_code == 429:
            break
    assert answer.status_code == 429
    assert answer.json["type"].endswith("/too-many")
    assert 1 <= int(answer.headers["Retry-After"]) <= 600


def test_messages_are_in_the_readers_language(visitor: Caller) -> None:
    told = [
        visitor.post(LOGIN, {}, headers={"Accept-Language": language}).json["errors"][0]["message"]
        for language in ("en", "ru")
    ]
    assert told[0] == "this field is required"
    assert told[1] != told[0]
