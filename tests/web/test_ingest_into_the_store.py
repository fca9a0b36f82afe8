"""A message over HTTP with the real intake: committed before it is answered, or kept and tried again."""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.kit.clock import StandingClock
from tests.web.callers import Answer, Caller, Household, add_subject, any_address
from tracker import wiring
from tracker.web.app import Application, create_app
from tracker.web.context import Services

Send = Callable[..., Answer]


@pytest.fixture
def app(services: Services) -> Application:
    return create_app(services, provisioning_wait_s=0, intake=wiring.intake(services))  # type: ignore[arg-type]


@pytest.fixture
def subject_id(home: Household) -> str:
    return add_subject(home.bearer)


@pytest.fixture
def send(home: Household, stranger: Caller, subject_id: str) -> Send:
    body = {"subject_id": subject_id, "name": "phone", "dialect": "owntracks"}
    made = home.bearer.post("/api/v1/devices", body).json
    known = b64encode(f"{made['id']}:{made['mqtt']['password']}".encode()).decode()

    def post(path: str, data: bytes = b"", **options: Any) -> Answer:
        headers = {"Authorization": f"Basic {known}"}
        return stranger.client.open(
            f"/api/v1/ingest/{path}",
            method=options.pop("method", "POST"),
            data=data,
            headers=headers,
            environ_base={"REMOTE_ADDR": any_address()},
            **options,
        )

    return post


def places(home: Household, subject_id: str) -> list[list[float]]:
    features = home.bearer.get(f"/api/v1/positions?subject_id={subject_id}").json["features"]
    return [feature["geometry"]["coordinates"] for feature in features]


def test_an_owntracks_location_is_a_position(
    send: Send, home: Household, subject_id: str, clock: StandingClock
) -> None:
    at = int((clock() - timedelta(minutes=1)).timestamp())
    body = json.dumps({"_type": "location", "lat": 60.17, "lon": 24.94, "tst": at}).encode()
    assert send("owntracks", body).json == []
    assert send("owntracks", body).json == []
    assert places(home, subject_id) == [[24.94, 60.17]]


def test_an_osmand_query_is_a_position(
    send: Send, home: Household, subject_id: str, clock: StandingClock
) -> None:
    at = int((clock() - timedelta(minutes=1)).timestamp())
    assert send(f"osmand?lat=60.17&lon=24.94&timestamp={at}", method="GET").status_code == 200
    assert places(home, subject_id) == [[24.94, 60.17]]


def test_an_overland_batch_is_positions(
    send: Send, home: Household, subject_id: str, clock: StandingClock
) -> None:
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [24.94, 60.17 + number / 1000]},
            "properties": {"timestamp": (clock() - timedelta(minutes=9 - number)).isoformat()},
        }
        for number in range(3)
    ]
    answer = send("overland", json.dumps({"locations": features}).encode())
    assert answer.json == {"result": "ok"}
    assert len(places(home, subject_id)) == 3


def test_what_will_never_be_right_is_answered_as_taken_and_lies_in_quarantine(
    send: Send, home: Household, subject_id: str
) -> None:
    answer = send("owntracks", b"{")
    assert (answer.status_code, answer.json) == (200, [])
    assert send("osmand?lat=95&lon=1", method="GET").status_code == 200
    items = home.bearer.get("/api/v1/quarantine").json["items"]
    assert {item["dialect"] for item in items} == {"owntracks", "osmand"}
    (query,) = [item["id"] for item in items if item["dialect"] == "osmand"]
    assert home.bearer.get(f"/api/v1/quarantine/{query}").json["query"] == "lat=95&lon=1"
    assert places(home, subject_id) == []
