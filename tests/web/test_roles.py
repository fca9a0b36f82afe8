"""Who gets what from every route: a stranger, another family, the owner, a token. A new route needs a row."""

import re
from dataclasses import dataclass
from typing import Any

import pytest

from tests.kit.clock import StandingClock
from tests.web.callers import (
    Caller,
    Household,
    add_device,
    add_gateway,
    add_subject,
    any_phone,
    hand_in,
    hear,
    refuse,
)
from tests.web.happenings import Story
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
PLACE = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [24.94, 60.17]},
    "properties": {"name": "School", "radius_m": 120, "all_subjects": True},
}
PLACE_FORM = {"name": "School", "shape": "circle", "lat": "60.17", "lon": "24.94", "radius_m": "120"}
RULE = {"kind": "arrived", "geofence_id": "<id:geofence_id>", "all_subjects": True}
RULE_FORM = {"kind": "arrived", "geofence_id": "<id:geofence_id>", "all_subjects": "true", "act": "save"}
TRIED = {"from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z"}
CONTACT = {"name": "Granny", "phone": "<phone>"}
MUTE = {"geofence_id": "<id:geofence_id>", "until": "2026-11-21T12:00:00Z"}
BROWSER_KEY = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"  # RFC 8291, 5
)
BROWSER = {
    "endpoint": "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
    "keys": {"p256dh": BROWSER_KEY, "auth": "BTBZMqHH6r4Tts7J_aSIgg"},
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
    ("POST", "/api/v1/geofences"): Row(201, 201, PLACE),
    ("GET", "/api/v1/geofences"): Row(200, 200),
    ("GET", "/api/v1/geofences/<id:geofence_id>"): Row(200, 404),
    ("PATCH", "/api/v1/geofences/<id:geofence_id>"): Row(200, 404, {"properties": {"name": "Gymnasium"}}),
    ("DELETE", "/api/v1/geofences/<id:geofence_id>"): Row(204, 404),
    ("POST", "/api/v1/geofences/import"): Row(422, 422),
    ("POST", "/api/v1/rules"): Row(201, 422, RULE),
    ("GET", "/api/v1/rules"): Row(200, 200),
    ("GET", "/api/v1/rules/kinds"): Row(200, 200),
    ("POST", "/api/v1/rules/preview"): Row(200, 422, RULE | TRIED),
    ("GET", "/api/v1/rules/<id:rule_id>"): Row(200, 404),
    ("PATCH", "/api/v1/rules/<id:rule_id>"): Row(200, 404, {"enabled": False}),
    ("DELETE", "/api/v1/rules/<id:rule_id>"): Row(204, 404),
    ("GET", "/api/v1/events"): Row(200, 200),
    ("GET", "/api/v1/events/<id:event_id>/explanation"): Row(200, 404),
    ("GET", "/api/v1/alerts"): Row(200, 200),
    ("GET", "/api/v1/alerts/<id:alert_id>"): Row(200, 404),
    ("POST", "/api/v1/alerts/<id:alert_id>/acknowledge"): Row(200, 404),
    ("POST", "/api/v1/mutes"): Row(201, 201, MUTE),
    ("GET", "/api/v1/mutes"): Row(200, 200),
    ("DELETE", "/api/v1/mutes/<id:mute_id>"): Row(204, 404),
    ("POST", "/api/v1/contacts"): Row(201, 201, CONTACT),
    ("GET", "/api/v1/contacts"): Row(200, 200),
    ("GET", "/api/v1/contacts/<id:contact_id>"): Row(200, 404),
    ("PATCH", "/api/v1/contacts/<id:contact_id>"): Row(200, 404, {"name": "Grandmother"}),
    ("DELETE", "/api/v1/contacts/<id:contact_id>"): Row(204, 404),
    ("POST", "/api/v1/contacts/<id:contact_id>/confirm"): Row(401, 404, {"code": "no code"}),
    ("POST", "/api/v1/contacts/<id:contact_id>/code"): Row(200, 404),
    ("GET", "/api/v1/push/key"): Row(200, 200),
    ("POST", "/api/v1/push/subscriptions"): Row(201, 201, BROWSER),
    ("DELETE", "/api/v1/push/subscriptions/<id:subscription_id>"): Row(204, 404),
    ("GET", "/api/v1/chases/<id:event_id>"): Row(404, 404),
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
    ("GET", "/sw.js"): 200,
    # Whoever holds a link in a message: it opens one alert for a day.
    ("GET", "/a/<string:token>"): 404,
    ("POST", "/a/<string:token>"): 403,  # its form proves that the page of the link was seen
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
    ("GET", "/places"): Row(200, 200),
    ("GET", "/places/new"): Row(200, 200),
    ("POST", "/places/new"): Row(303, 303, {**PLACE_FORM, "all_subjects": "true"}),
    ("GET", "/places/<id:geofence_id>"): Row(200, 404),
    ("POST", "/places/<id:geofence_id>"): Row(303, 404, {**PLACE_FORM, "all_subjects": "true"}),
    ("POST", "/places/<id:geofence_id>/delete"): Row(303, 404),
    ("GET", "/places/import"): Row(200, 200),
    ("POST", "/places/import"): Row(422, 422),
    ("POST", "/places/import/add"): Row(303, 303),
    ("GET", "/places/<id:geofence_id>/rules/new"): Row(200, 404),
    ("GET", "/rules"): Row(200, 200),
    ("GET", "/rules/new"): Row(200, 200),
    ("POST", "/rules/new"): Row(303, 422, RULE_FORM),
    ("GET", "/rules/<id:rule_id>"): Row(200, 404),
    ("POST", "/rules/<id:rule_id>"): Row(303, 404, RULE_FORM),
    ("POST", "/rules/<id:rule_id>/delete"): Row(303, 404),
    ("GET", "/alerts"): Row(200, 200),
    ("GET", "/alerts/<id:alert_id>"): Row(200, 404),
    ("POST", "/alerts/<id:alert_id>/acknowledge"): Row(303, 404),
    ("POST", "/mutes"): Row(303, 404, {"event_id": "<id:event_id>", "what": "rule", "for": "1h"}),
    ("POST", "/mutes/<id:mute_id>/delete"): Row(303, 404),
    ("GET", "/account/contacts"): Row(200, 200),
    ("POST", "/account/contacts"): Row(303, 303, CONTACT),
    ("GET", "/account/contacts/<id:contact_id>"): Row(200, 404),
    ("POST", "/account/contacts/<id:contact_id>"): Row(303, 404, CONTACT | {"channels": "sms"}),
    ("POST", "/account/contacts/<id:contact_id>/move"): Row(303, 404, {"to": "up"}),
    ("POST", "/account/contacts/<id:contact_id>/confirm"): Row(401, 404, {"code": "no code"}),
    ("POST", "/account/contacts/<id:contact_id>/code"): Row(303, 404),
    ("POST", "/account/contacts/<id:contact_id>/delete"): Row(303, 404),
}


class Things:
    """The ids of the first family's things, by the converter that takes them; each is made when asked for."""

    def __init__(self, home: Household, services: Services, clock: StandingClock) -> None:
        self._home, self._services, self._clock = home, services, clock
        self._made: dict[str, Any] = {}

    def __getitem__(self, mark: str) -> str:
        name = mark.strip("<>").removeprefix("id:").removesuffix("_id")
        if name not in self._made:
            self._made[name] = getattr(self, f"_{name}")()
        return str(self._made[name])

    def _add(self, path: str, body: Any) -> str:
        answer = self._home.bearer.post(path, filled(body, self))
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return str(answer.json["id"])

    def _story(self, part: str) -> str:
        if "story" not in self._made:
            self._made["story"] = Story(self._home, self._services, self._clock)
        return str(getattr(self._made["story"], part))

    def _subject(self) -> str:
        return add_subject(self._home.bearer)

    def _device(self) -> str:
        return add_device(self._home.bearer, self["subject"])

    def _gateway(self) -> str:
        gateway_id = add_gateway(self._home.bearer)
        hear(self._services, self._home.account_id, gateway_id, ADOPTION["external_id"])
        return gateway_id

    def _source(self) -> str:
        return self._add("/api/v1/sources", SOURCE)

    def _import(self) -> str:
        return hand_in(self._home.bearer, self["device"])

    def _quarantine(self) -> str:
        return refuse(self._services, self._home.account_id, self["device"])

    def _session(self) -> str:
        return self._home.cookie.session_id

    def _token(self) -> str:
        return self._home.token.session_id

    def _geofence(self) -> str:
        return self._add("/api/v1/geofences", PLACE)

    def _rule(self) -> str:
        return self._add("/api/v1/rules", RULE)

    def _event(self) -> str:
        return self._story("event_id")

    def _alert(self) -> str:
        return self._story("alert_id")

    def _contact(self) -> str:
        return self._add("/api/v1/contacts", CONTACT)

    def _mute(self) -> str:
        return self._add("/api/v1/mutes", MUTE)

    def _subscription(self) -> str:
        return self._add("/api/v1/push/subscriptions", BROWSER)

    def _phone(self) -> str:
        return any_phone()


@pytest.fixture
def ids(home: Household, services: Services, clock: StandingClock) -> Things:
    """The first family's things."""
    made = Things(home, services, clock)
    assert made["subject"]  # some pages are about whoever is first
    return made


MARK = re.compile(r"<(?:id:\w+|phone)>")


def filled(text: Any, ids: Things) -> Any:
    """Put the ids into a rule or a body."""
    if isinstance(text, list):
        return [filled(value, ids) for value in text]
    if isinstance(text, dict):
        return {name: filled(value, ids) for name, value in text.items()}
    return MARK.sub(lambda mark: ids[mark[0]], text) if isinstance(text, str) else text


def routes(app: Application) -> set[tuple[str, str]]:
    """Return every (method, rule) of the application."""
    return {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


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
    method: str, rule: str, home: Household, neighbours: Household, stranger: Caller, ids: Things
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
    path = path.replace("<string:token>", "nothing")
    answer = stranger.call(method, path.replace("<secret:password>", "0" * 32))
    assert answer.status_code == OPEN[method, rule]
    answer.close()


@pytest.mark.parametrize(("method", "rule"), sorted(PAGES))
def test_a_page(
    method: str, rule: str, home: Household, neighbours: Household, stranger: Caller, ids: Things
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
