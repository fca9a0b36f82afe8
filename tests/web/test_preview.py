"""A rule is tried on stored history before it is saved."""

from datetime import timedelta
from typing import Any

import pytest

from tests.kit.clock import StandingClock
from tests.web.callers import Household, add_device, add_subject
from tests.web.happenings import add_place, circle, to_school, travel
from tracker.web.context import Services
from tracker.web.geojson import rfc3339


@pytest.fixture
def school_way(home: Household, services: Services) -> str:
    """A child that has come to school; no rule was there to tell it."""
    subject_id = add_subject(home.bearer, "Masha", "child")
    device_id = add_device(home.bearer, subject_id, "watch")
    travel(services, home.account_id, subject_id, device_id, to_school())
    return subject_id


def span(clock: StandingClock, **back: float) -> dict[str, Any]:
    return {"from": rfc3339(clock.now - timedelta(**(back or {"days": 1}))), "to": rfc3339(clock.now)}


def test_it_tells_what_it_would_have_told_and_saves_nothing(
    home: Household, clock: StandingClock, school_way: str
) -> None:
    body = {"kind": "arrived", "all_subjects": True, "geofence_id": add_place(home.bearer), **span(clock)}
    answer = home.bearer.post("/api/v1/rules/preview", body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    told = answer.json
    assert (told["count"], told["by_type"], told["would_tell"]) == (1, {"arrived": 1}, 1)
    assert told["positions"] == len(to_school())
    assert told["peer_point_test"] >= 1
    assert told["days"] == 1.0
    (item,) = told["items"]
    assert item["subject_id"] == school_way
    assert "Masha" in item["text"]
    assert "School" in item["text"]
    assert item["explanation"]["evidence"]["features"]
    assert home.bearer.get("/api/v1/rules").json["items"] == []
    assert home.bearer.get("/api/v1/events").json["items"] == []


def test_a_place_that_is_only_drawn_will_do(home: Household, clock: StandingClock, school_way: str) -> None:
    body = {"kind": "arrived", "all_subjects": True, "geofence": circle(), **span(clock)}
    assert home.bearer.post("/api/v1/rules/preview", body).json["count"] == 1
    assert home.bearer.get("/api/v1/geofences").json["items"] == []


def test_a_rule_asleep_would_have_told_nothing(
    home: Household, clock: StandingClock, school_way: str
) -> None:
    body = {
        "kind": "arrived",
        "all_subjects": True,
        "geofence_id": add_place(home.bearer, time_zone="UTC"),
        "schedule": {"weekly": [{"days": [0], "spans": [{"start": "01:00", "end": "01:01"}]}]},
        **span(clock),
    }
    told = home.bearer.post("/api/v1/rules/preview", body).json
    assert (told["count"], told["would_tell"]) == (1, 0)


def test_longer_than_31_days_or_backwards_is_refused(home: Household, clock: StandingClock) -> None:
    body = {"kind": "arrived", "all_subjects": True, "geofence_id": add_place(home.bearer)}
    for wrong in (span(clock, days=32), {"from": rfc3339(clock.now), "to": rfc3339(clock.now)}):
        answer = home.bearer.post("/api/v1/rules/preview", {**body, **wrong})
        assert answer.status_code == 422
        assert answer.json["errors"][0]["field"] == "to"


def test_a_wrong_place_is_named_below_geofence(home: Household, clock: StandingClock) -> None:
    body = {"kind": "arrived", "all_subjects": True, "geofence": circle(radius_m=0), **span(clock)}
    answer = home.bearer.post("/api/v1/rules/preview", body)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "geofence.properties.radius_m"


def test_nobody_else_s_history_is_looked_through(
    home: Household, neighbours: Household, clock: StandingClock, school_way: str
) -> None:
    body = {"kind": "arrived", "all_subjects": True, "geofence": circle(), **span(clock)}
    told = neighbours.bearer.post("/api/v1/rules/preview", body).json
    assert (told["count"], told["positions"]) == (0, 0)
