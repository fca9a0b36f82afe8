"""Devices by the API: add with credentials, rotate, change, list, remove."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.web.callers import Answer, Caller, Household, add_device, add_subject
from tracker.domain.command import SIGNED_FOR
from tracker.web.app import create_app
from tracker.web.context import Services

DEVICES = "/api/v1/devices"


def test_a_new_device_gets_credentials_once(owner: Caller) -> None:
    subject_id = add_subject(owner)
    answer = owner.post(DEVICES, {"subject_id": subject_id, "name": "collar", "dialect": "native"})
    assert answer.status_code == 201
    mqtt = answer.json["mqtt"]
    device_id = answer.json["id"]
    assert mqtt["username"] == mqtt["client_id"] == device_id
    assert len(mqtt["password"]) == 32
    assert f"tracker/{device_id[0]}/{device_id}/position" in mqtt["topics"]
    assert answer.json["config_url"] is None
    shown = owner.get(f"{DEVICES}/{device_id}")
    assert "mqtt" not in shown.json
    assert mqtt["password"] not in shown.get_data(as_text=True)


def test_a_device_can_check_commands_by_what_it_was_given(owner: Caller, services: Services) -> None:
    subject_id = add_subject(owner)
    given = owner.post(DEVICES, {"subject_id": subject_id, "name": "collar", "dialect": "native"}).json
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(given["command_key"]))
    key.verify(base64.b64decode(services.sealer.sign(b"live", purpose=SIGNED_FOR)), b"live")


def test_an_owntracks_device_gets_a_link_that_configures_it(owner: Caller) -> None:
    subject_id = add_subject(owner)
    body = {"subject_id": subject_id, "name": "телефон", "dialect": "owntracks", "payload_key": "geheim"}
    answer = owner.post(DEVICES, body)
    assert answer.json["config_url"].startswith("owntracks:///config?inline=")


def test_new_credentials_differ_from_the_old(owner: Caller) -> None:
    subject_id = add_subject(owner)
    first = owner.post(DEVICES, {"subject_id": subject_id, "name": "collar", "dialect": "native"}).json
    answer = owner.post(f"{DEVICES}/{first['id']}/credentials")
    assert answer.status_code == 201
    assert answer.json["mqtt"]["username"] == first["mqtt"]["username"]
    assert answer.json["mqtt"]["password"] != first["mqtt"]["password"]


def test_the_answer_leaves_though_no_broker_ever_knows_the_device(
    services: Services, home: Household
) -> None:
    patient = Caller(create_app(services, provisioning_wait_s=0.2), bearer=home.bearer.bearer)
    assert owner_device(patient).json["provisioned_at"] is None


def owner_device(caller: Caller) -> Answer:
    answer = caller.post(DEVICES, {"subject_id": add_subject(caller), "name": "collar", "dialect": "native"})
    assert answer.status_code == 201
    return answer


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"subject_id": "nonsense"}, "subject_id"),
        ({"dialect": "klingon"}, "dialect"),
        ({"name": ""}, "name"),
        ({"external_id": ""}, "external_id"),
        ({"external_id": "x" * 129}, "external_id"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_field_is_named(owner: Caller, wrong: dict[str, str], field: str) -> None:
    body = {"subject_id": add_subject(owner), "name": "collar", "dialect": "native"} | wrong
    answer = owner.post(DEVICES, body)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json["errors"]] == [field]


def test_an_external_id_twice_is_refused_and_nothing_is_added(owner: Caller) -> None:
    subject_id = add_subject(owner)
    body = {"subject_id": subject_id, "name": "box", "dialect": "native", "external_id": "356938035643809"}
    assert owner.post(DEVICES, body).status_code == 201
    answer = owner.post(DEVICES, body)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "external_id"
    assert len(owner.get(DEVICES).json["items"]) == 1


def test_a_device_moves_to_another_subject_and_loses_its_external_id(owner: Caller) -> None:
    first, second = add_subject(owner, "Rex"), add_subject(owner, "Max")
    body = {"subject_id": first, "name": "collar", "dialect": "native", "external_id": "A1"}
    device_id = owner.post(DEVICES, body).json["id"]
    changed = owner.patch(f"{DEVICES}/{device_id}", {"subject_id": second, "external_id": None}).json
    assert (changed["subject_id"], changed["external_id"], changed["name"]) == (second, None, "collar")
    assert owner.get(f"{DEVICES}?subject_id={first}").json["items"] == []
    assert [each["id"] for each in owner.get(f"{DEVICES}?subject_id={second}").json["items"]] == [device_id]


def test_pages_hold_every_device_once(owner: Caller) -> None:
    subject_id = add_subject(owner)
    made = {add_device(owner, subject_id, f"tag {number}") for number in range(3)}
    first = owner.get(f"{DEVICES}?limit=2").json
    second = owner.get(f"{DEVICES}?limit=2&after={first['next']}").json
    assert {each["id"] for each in first["items"] + second["items"]} == made
    assert second["next"] is None


def test_a_removed_device_is_gone(owner: Caller) -> None:
    device_id = add_device(owner, add_subject(owner))
    assert owner.delete(f"{DEVICES}/{device_id}").status_code == 204
    assert owner.get(f"{DEVICES}/{device_id}").status_code == 404


def test_a_foreign_device_or_subject_is_missing(owner: Caller, neighbours: Household) -> None:
    their_subject = add_subject(neighbours.bearer)
    theirs = add_device(neighbours.bearer, their_subject)
    own = add_device(owner, add_subject(owner))
    body = {"subject_id": their_subject, "name": "spy", "dialect": "native"}
    assert owner.post(DEVICES, body).status_code == 404
    assert owner.patch(f"{DEVICES}/{own}", {"subject_id": their_subject}).status_code == 404
    assert owner.get(f"{DEVICES}?subject_id={their_subject}").status_code == 404
    for method, path, change in (
        ("GET", theirs, None),
        ("PATCH", theirs, {"name": "mine"}),
        ("DELETE", theirs, None),
        ("POST", f"{theirs}/credentials", None),
    ):
        assert owner.call(method, f"{DEVICES}/{path}", change).status_code == 404
    assert neighbours.bearer.get(f"{DEVICES}/{theirs}").json["name"] == "collar"
