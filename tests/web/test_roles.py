"""Who gets what from every route: a stranger, another family, the owner, a token. A new route needs a row."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.web.callers import (
    Caller,
    Household,
    add_device,
    add_gateway,
    add_subject,
    hand_in,
    hear,
    refuse,
)
from tracker.web.app import Application
from tracker.web.context import Services
from tracker.web.guards import is_open


@dataclass(frozen=True)
class Row:
    """One call: what it sends, and the status for the owner and for another family with the owner's ids."""

    owner: int
    other: int
    body: Any = None


OWN = 200
PAGE_TO_LOGIN = 303

ADOPTION = {
    "origin_id": "<id:gateway_id>",
    "external_id": "862095050000000",
    "subject_id": "<id:subject_id>",
}
SOURCE = {"name": "car", "dialect": "ovms", "url": "mqtts://ovms.example"}

API: dict[tuple[str, str], Row] = {
    ("POST", "/api/v1/login/code"): Row(202, 202, {"phone": "+79990000003"}),
    ("POST", "/api/v1/login"): Row(422, 422, {"phone": "+79990000003", "code": "x"}),
    ("GET", "/api/v1/account"): Row(200, 200),
    ("PATCH", "/api/v1/account"): Row(200, 200, {"locale": "ru"}),
    ("PUT", "/api/v1/account/code"): Row(204, 204, {"code": "verblyud42gorby"}),
    ("POST", "/api/v1/step-up"): Row(401, 401, {"code": "not the code"}),
    ("GET", "/api/v1/sessions"): Row(200, 200),
    ("DELETE", "/api/v1/sessions/<id:session_id>"): Row(204, 404),
    ("DELETE", "/api/v1/session"): Row(204, 204),
    ("POST", "/api/v1/tokens"): Row(201, 201, {"name": "home automation"}),
    ("GET", "/api/v1/tokens"): Row(200, 200),
    ("DELETE", "/api/v1/tokens/<id:token_id>"): Row(204, 404),
    ("POST", "/api/v1/subjects"): Row(201, 201, {"kind": "pet", "name": "Rex"}),
    ("GET", "/api/v1/subjects"): Row(200, 200),
    ("GET", "/api/v1/subjects/<id:subject_id>"): Row(200, 404),
    ("PATCH", "/api/v1/subjects/<id:subject_id>"): Row(200, 404, {"name": "Max"}),
    ("DELETE", "/api/v1/subjects/<id:subject_id>"): Row(204, 404),
    ("POST", "/api/v1/devices"): Row(
        201, 404, {"subject_id": "<id:subject_id>", "name": "collar", "dialect": "native"}
    ),
    ("GET", "/api/v1/devices"): Row(200, 200),
    ("GET", "/api/v1/devices/<id:device_id>"): Row(200, 404),
    ("PATCH", "/api/v1/devices/<id:device_id>"): Row(200, 404, {"name": "tag"}),
    ("DELETE", "/api/v1/devices/<id:device_id>"): Row(204, 404),
    ("POST", "/api/v1/devices/<id:device_id>/credentials"): Row(201, 404),
    ("POST", "/api/v1/gateways"): Row(201, 201, {"name": "Traccar", "dialect": "traccar_forward"}),
    ("GET", "/api/v1/gateways"): Row(200, 200),
    ("GET", "/api/v1/gateways/<id:gateway_id>"): Row(200, 404),
    ("PATCH", "/api/v1/gateways/<id:gateway_id>"): Row(200, 404, {"name": "Traccar 2"}),
    ("DELETE", "/api/v1/gateways/<id:gateway_id>"): Row(204, 404),
    ("POST", "/api/v1/gateways/<id:gateway_id>/credentials"): Row(201, 404),
    ("GET", "/api/v1/unclaimed"): Row(200, 200),
    ("POST", "/api/v1/unclaimed/adopt"): Row(201, 404, ADOPTION),
    ("POST", "/api/v1/sources"): Row(201, 201, SOURCE),
    ("GET", "/api/v1/sources"): Row(200, 200),
    ("GET", "/api/v1/sources/<id:source_id>"): Row(200, 404),
    ("PATCH", "/api/v1/sources/<id:source_id>"): Row(200, 404, {"paused": True}),
    ("DELETE", "/api/v1/sources/<id:source_id>"): Row(204, 404),
    ("GET", "/api/v1/positions"): Row(422, 422),
    ("GET", "/api/v1/trips"): Row(422, 422),
    ("GET", "/api/v1/stops"): Row(422, 422),
    ("GET", "/api/v1/gaps"): Row(422, 422),
    ("GET", "/api/v1/days"): Row(422, 422),
    ("GET", "/api/v1/live"): Row(200, 200),
    ("POST", "/api/v1/imports"): Row(422, 422),
    ("GET", "/api/v1/imports"): Row(200, 200),
    ("GET", "/api/v1/imports/<id:import_id>"): Row(200, 404),
    ("DELETE", "/api/v1/imports/<id:import_id>"): Row(204, 404),
    ("GET", "/api/v1/quarantine"): Row(200, 200),
    ("GET", "/api/v1/quarantine/<id:quarantine_id>"): Row(200, 404),
    ("POST", "/api/v1/quarantine/replay"): Row(202, 202, {"ids": ["<id:quarantine_id>"]}),
    ("DELETE", "/api/v1/quarantine/<id:quarantine_id>"): Row(204, 404),
}
OPEN: dict[tuple[str, str], int] = {
    ("GET", "/api/v1/openapi.json"): 200,
    ("GET", "/healthz"): 200,
    ("GET", "/readyz"): 503,  # no broker runs here
    ("GET", "/metrics"): 200,
    ("GET", "/"): 200,
    ("GET", "/terms"): 200,
    ("GET", "/login"): 200,
    ("GET", "/login/code"): 303,
    ("GET", "/manifest.webmanifest"): 200,
    ("GET", "/static/<path:filename>"): 404,
    # Devices call these, by credentials of their own.
    ("POST", "/api/v1/ingest/owntracks"): 401,
    ("GET", "/api/v1/ingest/osmand"): 401,
    ("POST", "/api/v1/ingest/osmand"): 401,
    ("GET", "/api/v1/ingest/osmand/<id:device_id>/<secret:password>"): 401,
    ("POST", "/api/v1/ingest/osmand/<id:device_id>/<secret:password>"): 401,
    ("POST", "/api/v1/ingest/overland"): 401,
    ("POST", "/api/v1/ingest/overland/<id:device_id>/<secret:password>"): 401,
}
OPEN_FORMS = {("POST", "/login"), ("POST", "/login/code")}
PAGES: dict[tuple[str, str], Row] = {
    ("GET", "/quarantine"): Row(200, 200),
    ("POST", "/quarantine/replay"): Row(303, 303, {"reason": "not_json"}),
    ("POST", "/quarantine/delete"): Row(303, 303, {"reason": "not_json"}),
    ("GET", "/quarantine/<id:quarantine_id>"): Row(200, 404),
    ("POST", "/quarantine/<id:quarantine_id>/replay"): Row(303, 404),
    ("POST", "/quarantine/<id:quarantine_id>/delete"): Row(303, 404),
    ("GET", "/map"): Row(200, 200),
    ("GET", "/imports"): Row(200, 200),
    ("POST", "/imports"): Row(422, 422),
    ("POST", "/imports/<id:import_id>/cancel"): Row(303, 404),
    ("GET", "/history"): Row(200, 200),
    ("GET", "/history/geojson"): Row(200, 404),
    ("GET", "/account"): Row(200, 200),
    ("POST", "/account/locale"): Row(303, 303, {"locale": "ru"}),
    ("POST", "/account/code"): Row(303, 303, {"code": "verblyud42gorby"}),
    ("POST", "/account/step-up"): Row(401, 401, {"code": "not the code"}),
    ("POST", "/account/step-up/code"): Row(303, 303),
    ("POST", "/sessions/<id:session_id>/delete"): Row(303, 404),
    ("POST", "/tokens"): Row(303, 303, {"name": "home automation"}),
    ("POST", "/tokens/<id:token_id>/delete"): Row(303, 404),
    ("POST", "/logout"): Row(303, 303),
    ("GET", "/subjects/new"): Row(200, 200),
    ("POST", "/subjects/new"): Row(303, 303, {"kind": "pet", "name": "Rex"}),
    ("GET", "/subjects/<id:subject_id>"): Row(200, 404),
    ("POST", "/subjects/<id:subject_id>"): Row(303, 404, {"name": "Max"}),
    ("POST", "/subjects/<id:subject_id>/delete"): Row(303, 404),
    ("GET", "/subjects/<id:subject_id>/devices/new"): Row(200, 404),
    ("POST", "/subjects/<id:subject_id>/devices/new"): Row(303, 404, {"name": "tag", "dialect": "native"}),
    ("GET", "/devices/<id:device_id>"): Row(200, 404),
    ("POST", "/devices/<id:device_id>"): Row(303, 404, {"name": "tag"}),
    ("GET", "/devices/<id:device_id>/credentials"): Row(303, 404),
    ("POST", "/devices/<id:device_id>/credentials"): Row(303, 404),
    ("POST", "/devices/<id:device_id>/delete"): Row(303, 404),
    ("GET", "/gateways"): Row(200, 200),
    ("GET", "/gateways/new"): Row(200, 200),
    ("POST", "/gateways/new"): Row(303, 303, {"name": "Traccar", "dialect": "traccar_forward"}),
    ("GET", "/gateways/<id:gateway_id>"): Row(200, 404),
    ("POST", "/gateways/<id:gateway_id>"): Row(303, 404, {"name": "Traccar 2"}),
    ("GET", "/gateways/<id:gateway_id>/credentials"): Row(303, 404),
    ("POST", "/gateways/<id:gateway_id>/credentials"): Row(303, 404),
    ("POST", "/gateways/<id:gateway_id>/delete"): Row(303, 404),
    ("POST", "/unclaimed/adopt"): Row(303, 404, ADOPTION),
    ("GET", "/sources/new"): Row(200, 200),
    ("POST", "/sources/new"): Row(303, 303, SOURCE),
    ("GET", "/sources/<id:source_id>"): Row(200, 404),
    ("POST", "/sources/<id:source_id>"): Row(303, 404, {"name": "car", "url": "mqtts://ovms.example"}),
    ("POST", "/sources/<id:source_id>/pause"): Row(303, 404),
    ("POST", "/sources/<id:source_id>/resume"): Row(303, 404),
    ("POST", "/sources/<id:source_id>/delete"): Row(303, 404),
}


def routes(app: Application) -> set[tuple[str, str]]:
    """Return every (method, rule) of the application."""
    return {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


@pytest.fixture
def ids(home: Household, services: Services) -> dict[str, str]:
    """The ids of the first family's things, by the converter that takes them."""
    subject_id = add_subject(home.bearer)
    device_id = add_device(home.bearer, subject_id)
    gateway_id = add_gateway(home.bearer)
    hear(services, home.account_id, gateway_id, ADOPTION["external_id"])
    return {
        "<id:subject_id>": subject_id,
        "<id:device_id>": device_id,
        "<id:gateway_id>": gateway_id,
        "<id:source_id>": home.bearer.post("/api/v1/sources", SOURCE).json["id"],
        "<id:import_id>": hand_in(home.bearer, device_id),
        "<id:quarantine_id>": refuse(services, home.account_id, device_id),
        "<id:session_id>": home.cookie.session_id,
        "<id:token_id>": home.token.session_id,
    }


def filled(text: Any, ids: dict[str, str]) -> Any:
    """Put the ids into a rule or a body."""
    if isinstance(text, list):
        return [filled(value, ids) for value in text]
    if isinstance(text, dict):
        return {name: filled(value, ids) for name, value in text.items()}
    for mark, identity in ids.items():
        text = text.replace(mark, identity) if isinstance(text, str) else text
    return text


def test_every_route_has_a_row(app: Application) -> None:
    assert routes(app) == set(API) | set(OPEN) | OPEN_FORMS | set(PAGES)


def test_only_these_routes_are_open(app: Application) -> None:
    opened = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if is_open(app, rule.endpoint)
    }
    assert opened == set(OPEN) | OPEN_FORMS | {("POST", "/api/v1/login"), ("POST", "/api/v1/login/code")}


@pytest.mark.parametrize(("method", "rule"), sorted(API))
def test_a_call_of_the_api(
    method: str, rule: str, home: Household, neighbours: Household, stranger: Caller, ids: dict[str, str]
) -> None:
    row = API[method, rule]
    path, body = filled(rule, ids), filled(row.body, ids)
    if not rule.startswith("/api/v1/login"):
        refused = stranger.call(method, path, body)
        assert refused.status_code == 401
        assert refused.content_type == "application/problem+json"
        assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert neighbours.bearer.call(method, path, body).status_code == row.other
    answer = home.bearer.call(method, path, body)
    assert answer.status_code == row.owner, answer.get_data(as_text=True)
    answer.close()


@pytest.mark.parametrize(("method", "rule"), sorted(OPEN))
def test_an_open_route(method: str, rule: str, stranger: Caller) -> None:
    path = rule.replace("<path:filename>", "nothing").replace("<id:device_id>", "0" * 16)
    answer = stranger.call(method, path.replace("<secret:password>", "0" * 32))
    assert answer.status_code == OPEN[method, rule]
    answer.close()


@pytest.mark.parametrize(("method", "rule"), sorted(PAGES))
def test_a_page(
    method: str, rule: str, home: Household, neighbours: Household, stranger: Caller, ids: dict[str, str]
) -> None:
    row = PAGES[method, rule]
    path = filled(rule, ids)

    def visit(caller: Caller) -> Any:
        if method == "GET":
            return caller.client.get(path).status_code
        return caller.submit(path, **filled(row.body or {}, ids)).status_code

    assert visit(stranger) == PAGE_TO_LOGIN
    assert visit(neighbours.cookie) == row.other
    # A bearer is no way into pages: it has no CSRF protection to lean on.
    assert home.bearer.client.open(path, method=method, headers=home.bearer.headers).status_code == 303
    assert visit(home.cookie) == row.owner


def test_a_token_may_read_and_add_but_not_change_the_ways_in(home: Household) -> None:
    assert home.token.get("/api/v1/subjects").status_code == 200
    add_subject(home.token)
    for method, path, body in (
        ("PUT", "/api/v1/account/code", {"code": "verblyud42gorby"}),
        ("POST", "/api/v1/tokens", {"name": "another"}),
        ("POST", "/api/v1/step-up", {"code": "whatever"}),
    ):
        answer = home.token.call(method, path, body)
        assert answer.status_code == 403
        assert answer.json["type"].endswith("/step-up-required")
