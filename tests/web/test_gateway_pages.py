"""Pages of gateways and sources."""

import html
import re

import pytest

from tests.web.callers import Caller, Household, add_gateway, add_subject, hear
from tracker.domain.device import MqttAccess
from tracker.web.context import Services
from tracker.web.dialects import gateway_dialects, topics_of
from tracker.web.setting_up import blocks


def text_of(caller: Caller, path: str) -> str:
    answer = caller.client.get(path)
    assert answer.status_code == 200, path
    return html.unescape(answer.get_data(as_text=True))


def test_a_gateway_is_set_up_with_lines_to_copy_shown_once(home: Household) -> None:
    browser = home.cookie
    added = browser.submit("/gateways/new", name="Traccar <b>", dialect="traccar_forward")
    assert added.status_code == 303
    target = added.headers["Location"]
    gateway_id = target.split("/")[2]
    shown = text_of(browser, target)
    password = re.search(r'id="mqtt-password">([a-z2-7]{26})<', shown)[1]  # type: ignore[index]
    prefix = f"gateway/{gateway_id[0]}/{gateway_id}/"
    assert f"<entry key='forward.topic'>{prefix}positions</entry>" in shown
    assert f'topic traccar/positions out 1 "" {prefix}' in shown
    assert password not in added.headers["Location"] + str(added.headers.getlist("Set-Cookie"))
    again = browser.client.get(target)
    assert again.status_code == 303
    assert password not in text_of(browser, again.headers["Location"])
    assert "Traccar <b>" in text_of(browser, "/gateways")
    renewed = browser.submit(f"/gateways/{gateway_id}/credentials")
    assert "mqtt-password" in text_of(browser, renewed.headers["Location"])
    assert browser.submit(f"/gateways/{gateway_id}", name="new").status_code == 303
    assert browser.submit(f"/gateways/{gateway_id}/delete").headers["Location"] == "/gateways"
    assert browser.client.get(f"/gateways/{gateway_id}").status_code == 404


@pytest.mark.parametrize("whose", ["there", "new:vehicle"])
def test_an_unknown_device_is_adopted_by_one_form(home: Household, services: Services, whose: str) -> None:
    browser, gateway_id = home.cookie, add_gateway(home.bearer)
    name = "862095 <i>"
    hear(services, home.account_id, gateway_id, name)
    assert name in text_of(browser, "/gateways")
    subject_id = add_subject(home.bearer) if whose == "there" else whose
    answer = browser.submit("/unclaimed/adopt", origin_id=gateway_id, external_id=name, subject_id=subject_id)
    assert answer.status_code == 303
    page = text_of(browser, answer.headers["Location"])
    assert "is a device now" in page
    subject = re.search(r'role="status">.*?href="(/subjects/[0-9a-f]{16})"', page, re.DOTALL)[1]  # type: ignore[index]
    assert name in text_of(browser, subject)
    assert "Unknown devices </h2>" in re.sub(r"\s+", " ", page)


@pytest.mark.parametrize("whose", ["", "new:dragon", "x"])
def test_adopting_for_nobody_is_refused_and_adds_nobody(
    home: Household, services: Services, whose: str
) -> None:
    gateway_id = add_gateway(home.bearer)
    hear(services, home.account_id, gateway_id, "collar")
    answer = home.cookie.submit(
        "/unclaimed/adopt", origin_id=gateway_id, external_id="collar", subject_id=whose
    )
    assert answer.status_code == 422
    assert "collar" in answer.get_data(as_text=True)
    assert home.bearer.get("/api/v1/subjects").json["items"] == []


def test_adopting_what_another_family_heard_is_not_possible(
    home: Household, neighbours: Household, services: Services
) -> None:
    gateway_id = add_gateway(home.bearer)
    hear(services, home.account_id, gateway_id, "collar")
    answer = neighbours.cookie.submit(
        "/unclaimed/adopt", origin_id=gateway_id, external_id="collar", subject_id="new:pet"
    )
    assert answer.status_code == 404
    assert neighbours.bearer.get("/api/v1/subjects").json["items"] == []
    assert "collar" not in text_of(neighbours.cookie, "/gateways")


def test_a_source_is_added_changed_paused_and_removed(home: Household) -> None:
    browser = home.cookie
    fields = {
        "name": "collars",
        "dialect": "tts_v3",
        "url": "mqtts://eu1.cloud.thethings.network:8883",
        "username": "app@ttn",
        "password": "NNSXS.secret",
        "topics": "",
    }
    added = browser.submit("/sources/new", **fields)
    assert added.status_code == 303
    path = added.headers["Location"]
    page = text_of(browser, path)
    assert 'data-state="waiting"' in page
    assert "v3/+/devices/+/up" in page
    assert "NNSXS" not in page
    assert "app@ttn" not in page
    changed = {
        "name": "dogs",
        "url": fields["url"],
        "username": "",
        "password": "",
        "topics": "v3/a/#\r\nb/+",
    }
    assert browser.submit(path, **changed).status_code == 303
    shown = home.bearer.get(f"/api/v1{path}").json
    assert (shown["name"], shown["topics"], shown["has_credentials"]) == ("dogs", ["v3/a/#", "b/+"], True)
    half = browser.submit(path, **{**changed, "username": "other"})
    assert half.status_code == 422
    assert "Give the password as well." in half.get_data(as_text=True)
    assert browser.submit(f"{path}/pause").status_code == 303
    assert "Go on reading" in text_of(browser, path)
    assert browser.submit(f"{path}/resume").status_code == 303
    assert not home.bearer.get(f"/api/v1{path}").json["paused"]
    assert "dogs" in text_of(browser, "/gateways")
    assert browser.submit(f"{path}/delete").headers["Location"] == "/gateways"
    assert browser.client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"url": "http://x.example"}, "url"),
        ({"url": "mqtt://127.0.0.1"}, "url"),
        ({"topics": "ok/#\na#"}, "topics"),
        ({"topics": "x" * 257}, "topics"),
        ({"dialect": "osmand"}, "topics"),
        ({"name": ""}, "name"),
        ({"username": "", "password": "NNSXS.secret"}, "username"),
    ],
)
def test_a_wrong_field_is_told_and_the_password_is_not_sent_back(
    home: Household, fields: dict[str, str], field: str
) -> None:
    given = {"name": "x", "dialect": "ovms", "url": "mqtts://x.example", "username": "anna", "topics": ""}
    answer = home.cookie.submit("/sources/new", **{**given, "password": "NNSXS.secret", **fields})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in page
    assert "NNSXS" not in page


def test_every_dialect_has_a_name_for_people_and_topics_that_a_source_takes(home: Household) -> None:
    page = text_of(home.cookie, "/gateways/new")
    for dialect in gateway_dialects():
        assert f'value="{dialect}"' in page
        assert f"<span>{dialect}<" not in page, f"{dialect} has no title"
        if topics_of(dialect):
            body = {"name": "x", "dialect": dialect, "url": "mqtts://x.example"}
            assert home.bearer.post("/api/v1/sources", body).status_code == 201, dialect


@pytest.mark.parametrize("tls", [True, False])
def test_what_to_write_where_names_address_user_password_and_own_topics(tls: bool) -> None:
    mqtt = MqttAccess(
        host="mqtt.example",
        port=8883,
        tls=tls,
        username="0123456789abcdef",
        password="p4ss",
        client_id="0123456789abcdef",
        topics=("gateway/0/0123456789abcdef/#",),
    )
    for dialect in gateway_dialects():
        for name, lines in blocks(dialect, mqtt, topics_of(dialect)):
            for known in ("mqtt.example", "8883", "p4ss", "gateway/0/0123456789abcdef/"):
                assert known in lines, (dialect, name)
    (root,) = re.findall(r"mqtt\.root (\S+)", blocks("meshtastic", mqtt, ())[0][1])
    assert len(root) <= 31, "a Meshtastic node keeps 31 characters"


def test_a_device_s_own_number_and_unit_are_set_on_its_page(home: Household) -> None:
    subject_id = add_subject(home.bearer)
    added = home.bearer.post(
        "/api/v1/devices", {"subject_id": subject_id, "name": "collar", "dialect": "tts_v3"}
    ).json
    path = f"/devices/{added['id']}"
    fields = {"name": "tag", "external_id": "A840", "speed_unit": "kmh", "codec": "cayenne"}
    assert home.cookie.submit(path, **fields).status_code == 303
    shown = home.bearer.get(f"/api/v1{path}").json
    assert {name: shown[name] for name in fields} == fields
    assert home.cookie.submit(path, name="only the name").status_code == 303
    assert home.bearer.get(f"/api/v1{path}").json["external_id"] == "A840"
    cleared = {**fields, "external_id": "", "speed_unit": "", "codec": ""}
    assert home.cookie.submit(path, **cleared).status_code == 303
    shown = home.bearer.get(f"/api/v1{path}").json
    assert (shown["external_id"], shown["speed_unit"], shown["codec"]) == (None, None, None)
