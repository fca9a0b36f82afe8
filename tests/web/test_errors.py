"""Every refusal of the API is a problem document; nothing odd is a fault of ours."""

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.web.callers import Answer, Caller, Household
from tracker.store.session import Database
from tracker.web.app import create_app
from tracker.wiring import Services

SUBJECTS = "/api/v1/subjects"


def send(caller: Caller, data: bytes | str, content_type: str = "application/json") -> Answer:
    return caller.call("POST", SUBJECTS, data=data, content_type=content_type)


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"kind": NaN}', "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b"kind=pet", "application/x-www-form-urlencoded", 415),
        (b'{"kind":"pet"}', "text/plain", 415),
        (b'{"name":"' + b"x" * 70_000 + b'"}', "application/json", 413),
    ],
)
def test_a_body_that_cannot_be_read(owner: Caller, data: bytes, content_type: str, status: int) -> None:
    answer = send(owner, data, content_type)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["type"].startswith("/problems/")
    assert answer.json["instance"] == SUBJECTS


def test_an_unknown_address_and_a_wrong_method(owner: Caller) -> None:
    assert owner.get("/api/v1/nothing").json["type"] == "/problems/not-found"
    answer = owner.put(SUBJECTS, {})
    assert answer.status_code == 405
    assert answer.content_type == "application/problem+json"
    assert "POST" in answer.headers["Allow"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["kind", "name", "subject_id", "dialect", "external_id", "payload_key", "phone", "code", "expires_at"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["subjects", "devices", "tokens", "login/code", "login", "step-up"]),
    body=st.dictionaries(FIELDS, JSON, max_size=5) | JSON,
)
def test_no_body_whatever_is_a_fault_of_ours(owner: Caller, path: str, body: object) -> None:
    answer = owner.call("POST", f"/api/v1/{path}", data=json.dumps(body), content_type="application/json")
    assert answer.status_code < 500, answer.get_data(as_text=True)
    if answer.status_code >= 400:
        assert answer.content_type == "application/problem+json"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["subjects", "devices", "positions", "sessions", "tokens"]),
    query=st.dictionaries(
        st.sampled_from(["limit", "after", "subject_id", "from", "to", "format"]), st.text(), max_size=4
    ),
)
def test_no_question_whatever_is_a_fault_of_ours(owner: Caller, path: str, query: dict[str, str]) -> None:
    answer = owner.get(f"/api/v1/{path}", query_string=query)
    assert answer.status_code in {200, 404, 422}, answer.get_data(as_text=True)


def test_a_database_that_is_away_is_503_with_a_time_to_wait(services: Services, home: Household) -> None:
    cut = replace(services, database=Database("postgresql://tracker@127.0.0.1:1/none", pool_size=1))

    caller = Caller(create_app(cut, provisioning_wait_s=0), bearer=home.bearer.bearer)
    for path in (SUBJECTS, "/readyz"):
        answer = caller.get(path)
        assert answer.status_code == 503
        assert answer.content_type == "application/problem+json"
        assert int(answer.headers["Retry-After"]) > 0
    assert caller.get("/healthz").status_code == 200
    page = Caller(caller.app, cookie=home.cookie.cookie).client.get("/map")
    assert (page.status_code, page.content_type) == (503, "text/html; charset=utf-8")


def test_a_page_that_does_not_exist_is_a_page(stranger: Caller) -> None:
    answer = stranger.client.get("/nothing", headers={"Accept-Language": "ru"})
    assert answer.status_code == 404
    assert '<html lang="ru"' in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"kind":"pet","name":"Rex","name":"Max"}', "name"),
        (b'{"kind":"pet","kind":"pet","name":"Rex"}', "kind"),
        (b'{"kind":"pet","name":{"a":1,"a":2}}', "a"),
    ],
)
def test_a_field_given_twice_is_refused_by_name_and_not_taken_from_the_last(
    owner: Caller, body: bytes, field: str
) -> None:
    answer = send(owner, body)
    assert answer.status_code == 422
    assert answer.json["errors"] == [{"field": field, "message": "is given twice"}]
    assert owner.get(SUBJECTS).json["items"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (rb'{"\ud800":1}', 400),
        (rb'{"kind":"pet","name":"\ud800"}', 422),
        (rb'{"kind":["\udfff"],"name":"Rex"}', 422),
        (rb'["\udfff"]', 422),
    ],
)
def test_half_a_character_is_no_text(owner: Caller, body: bytes, status: int) -> None:
    assert send(owner, body).status_code == status
