"""The account by the API: language, own code, step-up, sessions, tokens."""

import pytest

from tests.kit.clock import StandingClock
from tests.web.callers import Caller, Household, any_address, sent_code
from tracker.web.app import Application
from tracker.web.context import Services

OWN_CODE = "Верблюд-42-горба"


def test_the_account_shows_its_owner(home: Household) -> None:
    shown = home.bearer.get("/api/v1/account").json
    assert shown["phone"] == home.phone
    assert shown["has_own_code"] is False
    assert shown["created_at"].endswith("Z")


def test_the_language_is_chosen_and_used(home: Household) -> None:
    assert home.bearer.patch("/api/v1/account", {"locale": "ru"}).json["locale"] == "ru"
    page = home.cookie.client.get("/account", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert '<html lang="ru"' in page
    assert home.bearer.patch("/api/v1/account", {"locale": "de"}).status_code == 422


def test_an_own_code_opens_the_account_without_sms(app: Application, home: Household) -> None:
    assert home.bearer.put("/api/v1/account/code", {"code": OWN_CODE}).status_code == 204
    assert home.bearer.get("/api/v1/account").json["has_own_code"] is True
    visitor = Caller(app)
    visitor.client.environ_base["REMOTE_ADDR"] = any_address()
    body = {"phone": home.phone, "code": OWN_CODE, "accept_terms": True}
    answer = visitor.post("/api/v1/login", body)
    assert answer.status_code == 200
    assert answer.json["account"]["id"] == home.account_id


@pytest.mark.parametrize("code", ["short1", "12345678", "password"])
def test_a_weak_own_code_is_refused_with_the_reason(owner: Caller, code: str) -> None:
    answer = owner.put("/api/v1/account/code", {"code": code})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "code"


def test_what_is_sensitive_needs_a_code_of_the_last_five_minutes(
    home: Household, services: Services, clock: StandingClock
) -> None:
    clock.go_on(minutes=6)
    for method, path, body in (
        ("PUT", "/api/v1/account/code", {"code": OWN_CODE}),
        ("POST", "/api/v1/tokens", {"name": "x"}),
    ):
        refused = home.bearer.call(method, path, body)
        assert (refused.status_code, refused.json["type"]) == (403, "/problems/step-up-required")
    home.bearer.client.environ_base["REMOTE_ADDR"] = any_address()
    login_id = home.bearer.post("/api/v1/login/code", {"phone": home.phone}).json["login_id"]
    proof = {"code": sent_code(services, home.phone), "login_id": login_id}
    wrong = home.bearer.post("/api/v1/step-up", proof | {"code": "00000000"})
    assert (wrong.status_code, wrong.json["attempts_left"]) == (401, 2)
    assert home.bearer.post("/api/v1/step-up", proof).status_code == 204
    assert home.bearer.put("/api/v1/account/code", {"code": OWN_CODE}).status_code == 204


def test_a_token_is_shown_once_and_works_until_it_is_ended(app: Application, home: Household) -> None:
    made = home.bearer.post("/api/v1/tokens", {"name": "home automation"})
    assert made.status_code == 201
    program = Caller(app, bearer=made.json["token"])
    assert program.get("/api/v1/account").status_code == 200
    listed = home.bearer.get("/api/v1/tokens")
    assert made.json["token"] not in listed.get_data(as_text=True)
    assert made.json["id"] in {each["id"] for each in listed.json["items"]}
    assert home.bearer.delete(f"/api/v1/tokens/{made.json['id']}").status_code == 204
    assert program.get("/api/v1/account").status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "x", "expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "x", "expires_at": "2999-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "x", "expires_at": "2030-01-01T00:00:00"}, "expires_at"),
        ({"name": "x", "expires_at": 1800000000}, "expires_at"),
    ],
)
def test_a_wrong_token_names_its_field(owner: Caller, body: dict[str, object], field: str) -> None:
    answer = owner.post("/api/v1/tokens", body)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == field


def test_sessions_and_tokens_are_listed_apart(home: Household) -> None:
    sessions = home.bearer.get("/api/v1/sessions").json["items"]
    assert {each["kind"] for each in sessions} == {"bearer", "cookie"}
    assert [each["id"] for each in sessions if each["current"]] == [home.bearer.session_id]
    assert home.bearer.delete(f"/api/v1/sessions/{home.token.session_id}").status_code == 404
    assert home.bearer.delete(f"/api/v1/tokens/{home.cookie.session_id}").status_code == 404


def test_pages_hold_every_session_once(home: Household) -> None:
    first = home.bearer.get("/api/v1/sessions?limit=1").json
    second = home.bearer.get(f"/api/v1/sessions?limit=1&after={first['next']}").json
    assert {first["items"][0]["kind"], second["items"][0]["kind"]} == {"bearer", "cookie"}
    assert second["next"] is None


def test_an_ended_session_is_out_at_once(home: Household) -> None:
    assert home.bearer.delete(f"/api/v1/sessions/{home.cookie.session_id}").status_code == 204
    assert home.cookie.client.get("/api/v1/account").status_code == 401
    assert home.bearer.delete("/api/v1/session").status_code == 204
    assert home.bearer.get("/api/v1/account").status_code == 401


def test_a_stolen_token_ends_no_session_and_no_token_but_itself(app: Application, home: Household) -> None:
    thief = home.token
    other = home.bearer.post("/api/v1/tokens", {"name": "home automation"}).json
    for path in (
        f"sessions/{home.cookie.session_id}",
        f"sessions/{home.bearer.session_id}",
        f"tokens/{other['id']}",
    ):
        refused = thief.delete(f"/api/v1/{path}")
        assert (refused.status_code, refused.json["type"]) == (403, "/problems/step-up-required")
    assert home.cookie.get("/api/v1/account").status_code == 200
    assert Caller(app, bearer=other["token"]).get("/api/v1/account").status_code == 200
    assert thief.delete(f"/api/v1/tokens/{thief.session_id}").status_code == 204
    assert thief.get("/api/v1/account").status_code == 401


def test_a_token_signs_itself_out(home: Household) -> None:
    assert home.token.delete("/api/v1/session").status_code == 204
    assert home.token.get("/api/v1/account").status_code == 401
