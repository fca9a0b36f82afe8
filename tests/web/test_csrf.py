"""Unsafe requests by cookie need this browser's token; a bearer needs none and is judged alone."""

from tests.web.callers import Answer, Caller, Household, add_subject
from tracker.web.app import Application
from tracker.web.guards import SESSION_COOKIE

NEW = {"kind": "pet", "name": "Rex"}


def test_the_api_by_cookie_refuses_without_the_token(home: Household) -> None:
    answer: Answer = home.cookie.client.post("/api/v1/subjects", json=NEW)
    assert answer.status_code == 403
    assert answer.content_type == "application/problem+json"
    assert answer.json["type"].endswith("/csrf")
    assert home.bearer.get("/api/v1/subjects").json["items"] == []


def test_the_api_by_cookie_takes_the_token(home: Household) -> None:
    assert home.cookie.post("/api/v1/subjects", NEW).status_code == 201


def test_a_token_of_another_browser_is_refused(home: Household, neighbours: Household) -> None:
    headers = {"X-CSRF-Token": neighbours.cookie.csrf()}
    assert home.cookie.post("/api/v1/subjects", NEW, headers=headers).status_code == 403


def test_a_form_without_its_token_is_refused_with_a_page(home: Household, stranger: Caller) -> None:
    for caller, path in ((home.cookie, "/subjects/new"), (stranger, "/login"), (stranger, "/login/code")):
        answer = caller.client.post(path, data={"name": "Rex", "kind": "pet", "phone": "+79990000001"})
        assert answer.status_code == 403
        assert answer.content_type.startswith("text/html")


def test_a_wrong_bearer_is_not_helped_by_a_good_cookie(home: Household) -> None:
    answer = home.cookie.get("/api/v1/account", headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401


def test_a_session_is_good_only_the_way_it_was_made(app: Application, home: Household) -> None:
    assert Caller(app, bearer=home.cookie.cookie).get("/api/v1/account").status_code == 401
    browser = app.test_client()
    browser.set_cookie(SESSION_COOKIE, str(home.bearer.bearer))
    assert browser.get("/api/v1/account").status_code == 401


def test_a_bearer_needs_no_token(home: Household) -> None:
    add_subject(home.bearer)
