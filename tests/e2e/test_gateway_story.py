"""Many devices by one connection: a Traccar server behind a Mosquitto at home, and a broker that we read."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import House
from tests.kit.foreign_broker import ForeignMosquitto
from tests.kit.places import new_folder
from tests.kit.service import RunningService
from tests.kit.waiting import until
from tracker.domain.clock import utc_now
from tracker.domain.device import MqttAccess
from tracker.web.dialects import topics_of
from tracker.web.setting_up import blocks

PHONE = "+79161234520"
IMEI = "862095050000000"


@pytest.fixture
def api() -> Iterator[httpx.Client]:
    """The API of a service that may read sources on this machine, in the name of one family."""
    with new_folder("house-") as folder:
        service = RunningService(folder, settings={"TRACKER_PRIVATE_SOURCES": "1"})
        try:
            service.wait_ready()
            with httpx.Client(base_url=f"{service.url}/api/v1", timeout=20) as client:
                asked = client.post("/login/code", json={"phone": PHONE}).json()
                code = House(service).last_code(PHONE)
                login = {"phone": PHONE, "code": code, "login_id": asked["login_id"], "accept_terms": True}
                client.headers["Authorization"] = (
                    f"Bearer {client.post('/login', json=login).json()['token']}"
                )
                yield client
            assert service.stop() == 0, service.log[-4000:]
        finally:
            service.close()


@contextmanager
def mosquitto(*more: str) -> Iterator[ForeignMosquitto]:
    with new_folder("foreign-") as folder:
        broker = ForeignMosquitto(folder, more=more)
        try:
            yield broker
        finally:
            broker.close()


def forwarded(at: datetime, lat: float) -> str:
    """Return a position as a Traccar server forwards it."""
    moment = at.isoformat()
    position = {"fixTime": moment, "deviceTime": moment, "latitude": lat, "longitude": 24.94, "valid": True}
    return json.dumps({"position": position, "device": {"uniqueId": IMEI}})


def ok(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


def last_lat(api: httpx.Client, subject_id: str) -> float | None:
    last = ok(api.get(f"/subjects/{subject_id}"))["last_position"]
    return float(last["geometry"]["coordinates"][1]) if last else None


def test_an_unknown_device_of_a_gateway_is_adopted_with_its_past_and_goes_on_by_a_source(
    api: httpx.Client,
) -> None:
    now = utc_now().astimezone(UTC)
    gateway = ok(api.post("/gateways", json={"name": "Traccar", "dialect": "traccar_forward"}))
    mqtt = MqttAccess(**{**gateway["mqtt"], "topics": tuple(gateway["mqtt"]["topics"])})
    bridge = dict(blocks("traccar_forward", mqtt, topics_of("traccar_forward")))["mosquitto.conf"]
    with mosquitto(*bridge.splitlines()) as at_home:
        at_home.publish("traccar/positions", forwarded(now - timedelta(minutes=2), 60.171))
        heard = until(lambda: ok(api.get("/unclaimed"))["items"], "the unknown device to be listed")
    assert [(each["external_id"], each["origin_id"]) for each in heard] == [(IMEI, gateway["id"])]
    van = ok(api.post("/subjects", json={"kind": "vehicle", "name": "van"}))["id"]
    body = {"origin_id": gateway["id"], "external_id": IMEI, "subject_id": van}
    ok(api.post("/unclaimed/adopt", json=body))
    until(lambda: last_lat(api, van) == 60.171, "what it said before it was adopted")
    with mosquitto() as theirs:
        body = {
            "name": "theirs",
            "dialect": "traccar_forward",
            "url": theirs.url,
            "username": "reader",
            "password": theirs.users["reader"],
        }
        path = f"/sources/{ok(api.post('/sources', json=body))['id']}"
        until(lambda: ok(api.get(path))["state"] == "connected", "the source to be connected")
        theirs.publish("traccar/positions", forwarded(now - timedelta(minutes=1), 60.172))
        until(lambda: last_lat(api, van) == 60.172, "the source's position")
        until(lambda: ok(api.get(path))["messages"] == 1, "the message to be counted")
    assert ok(api.get("/unclaimed"))["items"] == []
