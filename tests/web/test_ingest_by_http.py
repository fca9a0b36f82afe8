"""Handsets that speak HTTP: who they are, what is handed on, what they are answered."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from tests.kit.clock import StandingClock
from tests.web.callers import Answer, Caller, Household, add_device, add_subject, any_address
from tracker.accounts.senders import WRONG_PER_SENDER
from tracker.domain.errors import Unavailable
from tracker.ingest.origin import Origin, OriginKind
from tracker.store.session import Database
from tracker.web.api.ingest import BODY_LIMIT_BYTES
from tracker.web.app import Application, create_app
from tracker.web.context import Services
from tracker.web.intake import Buckets

OWNTRACKS = "/api/v1/ingest/owntracks"
OSMAND = "/api/v1/ingest/osmand"
OVERLAND = "/api/v1/ingest/overland"


@dataclass
class Notebook:
    """An intake that writes down what it was given; `away` makes it one without a database."""

    away: bool = False
    taken: list[dict[str, Any]] = field(default_factory=list)

    def take(
        self,
        origin: Origin,
        *,
        topic: str,
        payload: bytes,
        query: str,
        headers: Mapping[str, str],
        received_at: datetime,
    ) -> None:
        if self.away:
            raise Unavailable("the database does not answer")
        self.taken.append(
            {
                "origin": origin,
                "topic": topic,
                "payload": payload,
                "query": query,
                "headers": headers,
                "received_at": received_at,
            }
        )


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
def app(services: Services, notebook: Notebook) -> Application:
    return create_app(services, provisioning_wait_s=0, intake=notebook)


@dataclass
class Handset:
    """A device with its credentials, in a network of its own."""

    stranger: Caller
    device_id: str
    password: str
    address: str

    def send(self, path: str, data: bytes = b"", method: str = "POST", **options: Any) -> Answer:
        password = options.pop("password", self.password)
        known = b64encode(f"{options.pop('user', self.device_id)}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {known}", **options.pop("headers", {})}
        return self.bare(path, data, method, headers=headers, **options)

    def bare(self, path: str, data: bytes = b"", method: str = "POST", **options: Any) -> Answer:
        return self.stranger.client.open(
            path, method=method, data=data, environ_base={"REMOTE_ADDR": self.address}, **options
        )

    @property
    def by_path(self) -> str:
        return f"{OSMAND}/{self.device_id}/{self.password}"


@pytest.fixture
def handset(home: Household, stranger: Caller) -> Handset:
    subject_id = add_subject(home.bearer)
    body = {"subject_id": subject_id, "name": "phone", "dialect": "owntracks"}
    made = home.bearer.post("/api/v1/devices", body).json
    return Handset(stranger, made["id"], made["mqtt"]["password"], any_address())


def test_owntracks_is_told_an_empty_array_and_its_message_handed_on(
    handset: Handset, notebook: Notebook, home: Household, clock: StandingClock
) -> None:
    headers = {"X-Limit-U": "jane", "X-Limit-D": "phone", "Cookie": "x=1"}
    answer = handset.send(OWNTRACKS, b'{"_type":"lwt"}', headers=headers, content_type="application/json")
    assert (answer.status_code, answer.json) == (200, [])
    (taken,) = notebook.taken
    assert taken["origin"] == Origin(
        kind=OriginKind.DEVICE,
        account_id=home.account_id,
        origin_id=handset.device_id,
        dialect="owntracks",
    )
    assert (taken["topic"], taken["payload"], taken["received_at"]) == ("", b'{"_type":"lwt"}', clock())
    assert taken["headers"] == {
        "content-type": "application/json",
        "x-limit-u": "jane",
        "x-limit-d": "phone",
    }


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"_type":"location"}', b"\xff\x00"])
def test_a_message_that_will_never_get_better_is_answered_as_taken(
    handset: Handset, notebook: Notebook, body: bytes
) -> None:
    answer = handset.send(OWNTRACKS, body)
    assert (answer.status_code, answer.json) == (200, [])
    assert notebook.taken[0]["payload"] == body


def test_a_body_beyond_the_limit_is_cut_and_answered_as_taken(handset: Handset, notebook: Notebook) -> None:
    answer = handset.send(OWNTRACKS, b"[" * (BODY_LIMIT_BYTES + 9))
    assert answer.status_code == 200
    assert len(notebook.taken[0]["payload"]) == BODY_LIMIT_BYTES + 1


def test_a_body_that_is_cut_short_is_no_message(handset: Handset, notebook: Notebook) -> None:
    answer = handset.send(OWNTRACKS, b'{"_type":', environ_overrides={"CONTENT_LENGTH": "100"})
    assert answer.status_code == 400
    assert notebook.taken == []


def test_while_the_database_is_away_the_phone_keeps_its_message(handset: Handset, notebook: Notebook) -> None:
    notebook.away = True
    answer = handset.send(OWNTRACKS, b"{}")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("dialect", ["osmand", "traccar_client"])
def test_osmand_and_traccar_client_are_told_apart_by_what_they_send(
    handset: Handset, notebook: Notebook, dialect: str
) -> None:
    bodies = {"osmand": b"lat=1&lon=2", "traccar_client": b' {"location":{}}'}
    media = {"osmand": "application/x-www-form-urlencoded", "traccar_client": "application/json"}
    assert handset.send(OSMAND, bodies[dialect], content_type=media[dialect]).status_code == 200
    assert notebook.taken[0]["origin"].dialect == dialect
    assert notebook.taken[0]["payload"] == bodies[dialect]


def test_json_that_is_called_a_form_as_curl_does_is_still_read_as_json(
    handset: Handset, notebook: Notebook
) -> None:
    handset.send(OSMAND, b'{"location":{}}', content_type="application/x-www-form-urlencoded")
    assert notebook.taken[0]["origin"].dialect == "traccar_client"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_app_without_a_user_name_carries_its_credentials_in_the_path(
    handset: Handset, notebook: Notebook, method: str
) -> None:
    answer = handset.bare(f"{handset.by_path}?id=x&lat=1&lon=2", method=method)
    assert (answer.status_code, answer.data) == (200, b"")
    assert notebook.taken[0]["query"] == "id=x&lat=1&lon=2"
    assert notebook.taken[0]["origin"].dialect == "osmand"


def test_overland_is_told_ok(handset: Handset, notebook: Notebook) -> None:
    assert handset.send(OVERLAND, b'{"locations":[]}').json == {"result": "ok"}
    by_path = f"{OVERLAND}/{handset.device_id}/{handset.password}"
    assert handset.bare(by_path, b'{"locations":[]}').json == {"result": "ok"}
    assert [each["origin"].dialect for each in notebook.taken] == ["geojson", "geojson"]


def test_a_wrong_password_an_unknown_device_and_none_at_all_look_alike(
    handset: Handset, notebook: Notebook
) -> None:
    answers = [
        handset.send(OWNTRACKS, password="0" * 32),
        handset.send(OWNTRACKS, user="0" * 16),
        handset.send(OWNTRACKS, user="jane", password="p\u00e4ss"),
        handset.bare(OWNTRACKS),
        handset.bare(OWNTRACKS, headers={"Authorization": "Bearer x"}),
        handset.bare(f"{OSMAND}/{handset.device_id}/{'0' * 32}"),
    ]
    for answer in answers:
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        assert answer.content_type == "application/problem+json"
    assert notebook.taken == []


def test_a_session_of_a_person_is_no_device(home: Household, notebook: Notebook) -> None:
    assert home.bearer.post(OWNTRACKS, {}).status_code == 401
    assert home.cookie.post(OWNTRACKS, {}).status_code == 401
    assert notebook.taken == []


def test_a_removed_device_is_unknown(handset: Handset, home: Household, notebook: Notebook) -> None:
    assert home.bearer.delete(f"/api/v1/devices/{handset.device_id}").status_code == 204
    assert handset.send(OWNTRACKS).status_code == 401


def test_guessing_is_slowed_down_and_the_device_itself_is_not_kept_out(handset: Handset) -> None:
    for _ in range(WRONG_PER_SENDER):
        assert handset.send(OWNTRACKS, password="0" * 32).status_code == 401
    answer = handset.send(OWNTRACKS, password="0" * 32)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert handset.send(OWNTRACKS).status_code == 200


def test_a_device_that_sends_without_end_is_held_back_alone(
    handset: Handset, home: Household, app: Application, clock: StandingClock
) -> None:
    other_id = add_device(home.bearer, add_subject(home.bearer))
    made = home.bearer.post(f"/api/v1/devices/{other_id}/credentials").json
    other = Handset(handset.stranger, other_id, made["mqtt"]["password"], handset.address)
    app.device_buckets = Buckets(rate_per_s=0.5, burst=3)
    assert [handset.send(OWNTRACKS).status_code for _ in range(3)] == [200] * 3
    held = handset.send(OWNTRACKS)
    assert held.status_code == 429
    assert other.send(OWNTRACKS).status_code == 200
    clock.go_on(seconds=int(held.headers["Retry-After"]))
    assert handset.send(OWNTRACKS).status_code == 200


def test_a_secret_in_a_path_is_in_no_log(
    handset: Handset, notebook: Notebook, capfd: pytest.CaptureFixture[str]
) -> None:
    handset.bare(handset.by_path)
    notebook.away = True
    handset.bare(handset.by_path)
    out, err = capfd.readouterr()
    assert handset.password not in out + err


def test_no_transaction_is_held_while_the_intake_works(
    handset: Handset, services: Services, notebook: Notebook
) -> None:
    database: Database = services.database
    seen: list[int] = []
    notebook.take = lambda *_, **__: seen.append(database.engine.pool.checkedout())  # type: ignore[method-assign,attr-defined]
    assert handset.send(OWNTRACKS).status_code == 200
    assert seen == [0]
