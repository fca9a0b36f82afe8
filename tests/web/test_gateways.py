"""Gateways, sources and unknown devices by the API."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.web.callers import Caller, Household, add_device, add_gateway, add_subject, hear
from tracker.domain.source import SourceDetail, SourceState
from tracker.store import sources
from tracker.web.context import Services

SOURCE = {
    "name": "collars",
    "dialect": "tts_v3",
    "url": "mqtts://eu1.cloud.thethings.network:8883",
    "username": "app@ttn",
    "password": "NNSXS.secret",
}


def test_a_gateway_s_credentials_are_shown_once(owner: Caller) -> None:
    added = owner.post("/api/v1/gateways", {"name": "Traccar", "dialect": "traccar_forward"})
    assert added.status_code == 201
    gateway_id, mqtt = added.json["id"], added.json["mqtt"]
    prefix = f"gateway/{gateway_id[0]}/{gateway_id}/"
    assert mqtt["username"] == mqtt["client_id"] == gateway_id
    assert added.json["topic_prefix"] == prefix
    assert mqtt["topics"] == [f"{prefix}#"]
    shown = owner.get(f"/api/v1/gateways/{gateway_id}")
    assert shown.json == {name: value for name, value in added.json.items() if name != "mqtt"}
    assert owner.get("/api/v1/gateways").json == {"items": [shown.json], "next": None}
    rotated = owner.post(f"/api/v1/gateways/{gateway_id}/credentials")
    assert rotated.json["mqtt"]["password"] not in {"", mqtt["password"]}
    renamed = owner.patch(f"/api/v1/gateways/{gateway_id}", {"name": "at home"})
    assert renamed.json["name"] == "at home"
    assert owner.delete(f"/api/v1/gateways/{gateway_id}").status_code == 204
    assert owner.get(f"/api/v1/gateways/{gateway_id}").status_code == 404


def test_lists_go_on_behind_their_cursor(owner: Caller, home: Household, services: Services) -> None:
    gateway_id = add_gateway(owner)
    add_gateway(owner)
    for name in ("a|b", "c", "ü" * 128):
        hear(services, home.account_id, gateway_id, name)
    for path, count in (("/api/v1/gateways", 2), ("/api/v1/unclaimed", 3)):
        seen: list[Any] = []
        after: str | None = ""
        while after is not None:
            answer = owner.get(path, query_string={"limit": 1, **({"after": after} if after else {})})
            seen += answer.json["items"]
            after = answer.json["next"]
        assert len(seen) == count
        assert owner.get(path, query_string={"after": "bm9uZQ"}).status_code == 422
    assert owner.get(f"/api/v1/unclaimed?origin_id={'0' * 16}").json["items"] == []


def test_a_source_s_password_never_comes_back(owner: Caller, services: Services) -> None:
    added = owner.post("/api/v1/sources", SOURCE)
    assert added.status_code == 201
    path = f"/api/v1/sources/{added.json['id']}"
    assert added.json["state"] == "waiting"
    assert added.json["has_credentials"]
    assert "v3/+/devices/+/up" in added.json["topics"]
    answers = [
        added,
        owner.get(path),
        owner.get("/api/v1/sources"),
        owner.patch(path, {"name": "x"}),
        owner.patch(path, {"password": "other", "username": "b"}),
        owner.patch(path, {"url": "mqtt://elsewhere.example"}),
    ]
    assert [each.status_code for each in answers] == [201, 200, 200, 200, 200, 422]
    for each in answers:
        assert "NNSXS" not in each.get_data(as_text=True)
        assert "app@ttn" not in each.get_data(as_text=True)
    with services.database.begin() as session:
        rows = session.execute(text("SELECT s::text FROM sources AS s")).scalars().all()
    assert not any("NNSXS" in row for row in rows)


def test_a_user_name_alone_does_not_wipe_a_source_s_password(owner: Caller) -> None:
    path = f"/api/v1/sources/{owner.post('/api/v1/sources', SOURCE).json['id']}"
    answer = owner.patch(path, {"username": "other"}, headers={"Accept-Language": "en"})
    assert answer.status_code == 422
    assert answer.json["errors"] == [{"field": "password", "message": "Give the password as well."}]
    assert owner.patch(path, {"username": "token", "password": ""}).json["has_credentials"]


def test_a_source_s_state_is_shown(owner: Caller, services: Services) -> None:
    source_id = owner.post("/api/v1/sources", SOURCE).json["id"]
    now = services.clock()
    with services.database.begin() as session:
        sources.lease(session, "me", most=1000, now=now)
        refused = SourceState.REFUSED, SourceDetail.LOGIN_REFUSED
        sources.note_state(session, "me", source_id, *refused, now)
        sources.count(session, source_id, 3, now)
    shown = owner.get(f"/api/v1/sources/{source_id}").json
    assert (shown["state"], shown["detail"], shown["messages"]) == ("refused", "login_refused", 3)
    paused = owner.patch(f"/api/v1/sources/{source_id}", {"paused": True}).json
    assert (paused["paused"], paused["state"], paused["detail"]) == (True, "waiting", "paused")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "mqtt://10.0.0.1"}, "url"),
        ({"url": "mqtt://a:b@host.example"}, "url"),
        ({"dialect": "native"}, "dialect"),
        ({"dialect": "klingon"}, "dialect"),
        ({"topics": ["a#"]}, "topics"),
        ({"topics": [""]}, "topics.0"),
        ({"topics": "v3/#"}, "topics"),
        ({"password": 5}, "password"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_wrong_source_is_refused_by_field(owner: Caller, body: dict[str, Any], field: str) -> None:
    answer = owner.post("/api/v1/sources", SOURCE | body)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json["errors"]] == [field]
    assert "NNSXS" not in answer.get_data(as_text=True)


def test_an_unknown_device_becomes_a_device(owner: Caller, home: Household, services: Services) -> None:
    gateway_id, subject_id = add_gateway(owner), add_subject(owner)
    hear(services, home.account_id, gateway_id, "862095050000000")
    (heard,) = owner.get("/api/v1/unclaimed").json["items"]
    assert (heard["origin_id"], heard["messages"]) == (gateway_id, 1)
    body = {"origin_id": gateway_id, "external_id": "862095050000000", "subject_id": subject_id}
    adopted = owner.post("/api/v1/unclaimed/adopt", {**body, "name": "van"})
    assert adopted.status_code == 201
    assert adopted.json["external_id"] == "862095050000000"
    assert adopted.json["dialect"] == "traccar_forward"
    assert owner.get("/api/v1/unclaimed").json["items"] == []
    assert owner.post("/api/v1/unclaimed/adopt", body).status_code == 404


def test_how_a_device_speaks_can_be_set(owner: Caller) -> None:
    subject_id = add_subject(owner)
    body = {"subject_id": subject_id, "name": "collar", "dialect": "tts_v3", "codec": "cayenne"}
    added = owner.post("/api/v1/devices", body)
    assert (added.json["codec"], added.json["speed_unit"]) == ("cayenne", None)
    path = f"/api/v1/devices/{added.json['id']}"
    assert owner.patch(path, {"speed_unit": "knots"}).json["codec"] == "cayenne"
    assert owner.patch(path, {"codec": None}).json["speed_unit"] == "knots"
    assert owner.patch(path, {"codec": "morse"}).json["errors"][0]["field"] == "codec"
    assert owner.patch(path, {"speed_unit": "lightyears"}).status_code == 422
    assert owner.get(path).json["codec"] is None


def test_an_external_id_is_unique_in_any_case(owner: Caller) -> None:
    subject_id = add_subject(owner)
    device_id = add_device(owner, subject_id)
    assert owner.patch(f"/api/v1/devices/{device_id}", {"external_id": "A840"}).status_code == 200
    body = {"subject_id": subject_id, "name": "b", "dialect": "tts_v3", "external_id": "a840"}
    refused = owner.post("/api/v1/devices", body)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["field"] == "external_id"
