"""`/api/v1/openapi.json` describes every call, who may make it and every problem it may answer with."""

import re
from typing import Any

import pytest

from tests.web.callers import Caller, Household, add_device, add_subject
from tests.web.test_roles import API, routes
from tracker.web.app import Application

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def described(stranger: Caller) -> dict[str, Any]:
    """The description."""
    answer = stranger.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json
    return document


def calls(described: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): call
        for path, methods in described["paths"].items()
        for method, call in methods.items()
        if method in METHODS
    }


def test_every_call_is_described_and_nothing_else(app: Application, described: dict[str, Any]) -> None:
    expected = {
        (method, re.sub(r"<(?:id|secret):(\w+)>", r"{\1}", rule))
        for method, rule in routes(app)
        if rule.startswith("/api/v1/") or rule in {"/healthz", "/readyz", "/metrics"}
    } - {("GET", "/api/v1/openapi.json")}
    assert set(calls(described)) == expected
    assert described["openapi"].startswith("3.1")


def test_every_call_says_who_may_make_it(described: dict[str, Any]) -> None:
    assert described["components"]["securitySchemes"]["bearer"] == {"type": "http", "scheme": "bearer"}
    for (_, path), call in calls(described).items():
        if path.startswith("/api/v1/ingest/"):
            assert call.get("security", []) == ([] if "{password}" in path else [{"device": []}]), path
            assert "401" in call["responses"]
        elif path.startswith("/api/v1/") and not path.startswith("/api/v1/login"):
            assert call["security"] == [{"bearer": []}, {"cookie": []}], path
            assert "401" in call["responses"]
        else:
            assert "security" not in call, path


def test_every_problem_is_a_problem_document(described: dict[str, Any]) -> None:
    for (method, path), call in calls(described).items():
        assert any(code.startswith("2") for code in call["responses"]), (method, path)
        for code, response in call["responses"].items():
            if code >= "400":
                assert set(response["content"]) == {"application/problem+json"}, (method, path, code)


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    def references(node: Any) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return own.union(*(references(value) for value in node.values()))
        if isinstance(node, list):
            return set().union(*(references(value) for value in node))
        return set()

    for reference in references(described):
        target: Any = described
        for step in reference.removeprefix("#/").split("/"):
            assert step in target, reference
            target = target[step]


def test_what_is_answered_was_described(
    home: Household, neighbours: Household, stranger: Caller, described: dict[str, Any]
) -> None:
    subject_id = add_subject(home.bearer)
    marks = {
        "<id:subject_id>": subject_id,
        "<id:device_id>": add_device(home.bearer, subject_id),
        "<id:session_id>": home.cookie.session_id,
        "<id:token_id>": home.token.session_id,
        "<id:quarantine_id>": "0" * 16,
        "<id:import_id>": "0" * 16,
        **{
            f"<id:{name}_id>": "0" * 16
            for name in ("geofence", "rule", "event", "alert", "contact", "mute", "subscription")
        },
    }
    for (method, rule), row in sorted(API.items()):
        path = rule
        for mark, identity in marks.items():
            path = path.replace(mark, identity)
        documented = calls(described)[method, re.sub(r"<id:(\w+)>", r"{\1}", rule)]["responses"]
        for caller in (stranger, neighbours.bearer):
            bodies: tuple[Any, ...] = (None, {}, row.body)
            for body in bodies:
                if rule.endswith(("/session", "/live")) and caller is not stranger:
                    continue
                answer = caller.call(method, path, body)
                assert str(answer.status_code) in documented, (method, rule, answer.status_code)


def test_the_live_stream_names_its_events_and_is_never_refused_for_being_one_too_many(
    described: dict[str, Any],
) -> None:
    stream = calls(described)["GET", "/api/v1/live"]
    for event in ("position", "gone", "unplaced", "event"):
        assert f"`{event}`" in stream["description"]
    assert "429" not in stream["responses"]
