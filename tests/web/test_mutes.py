"""Mutes by the API."""

from datetime import timedelta

from tests.kit.clock import StandingClock
from tests.web.callers import Caller, Household
from tests.web.happenings import HOME, SCHOOL, Story, add_place, travel
from tracker.web.context import Services
from tracker.web.geojson import rfc3339


def test_a_mute_is_listed_until_it_is_over_or_removed(owner: Caller, clock: StandingClock) -> None:
    place_id = add_place(owner)
    until = rfc3339(clock.now + timedelta(hours=1))
    made = owner.post("/api/v1/mutes", {"geofence_id": place_id, "until": until})
    assert made.status_code == 201, made.get_data(as_text=True)
    assert made.json["until"] == until
    assert [each["id"] for each in owner.get("/api/v1/mutes").json["items"]] == [made.json["id"]]
    assert owner.delete(f"/api/v1/mutes/{made.json['id']}").status_code == 204
    assert owner.get("/api/v1/mutes").json["items"] == []
    owner.post("/api/v1/mutes", {"geofence_id": place_id, "until": until})
    clock.go_on(hours=2)
    assert owner.get("/api/v1/mutes").json["items"] == []


def test_a_mute_of_nothing_or_of_the_past_is_refused(owner: Caller, clock: StandingClock) -> None:
    later = rfc3339(clock.now + timedelta(hours=1))
    assert owner.post("/api/v1/mutes", {"until": later}).status_code == 422
    past = owner.post("/api/v1/mutes", {"rule_id": "0" * 16, "until": rfc3339(clock.now)})
    assert past.json["errors"][0]["field"] == "until"


def test_what_is_muted_happens_and_waits_for_nobody(
    home: Household, services: Services, clock: StandingClock
) -> None:
    story = Story(home, services, clock)
    until = rfc3339(clock.now + timedelta(hours=1))
    home.bearer.post("/api/v1/mutes", {"rule_id": story.rule_id, "until": until})
    clock.go_on(minutes=40)
    away_and_back = [(30.0, HOME), (28.0, HOME), (26.0, HOME), (5.0, SCHOOL), (3.0, SCHOOL), (1.0, SCHOOL)]
    travel(services, home.account_id, story.subject_id, story.device_id, away_and_back)
    events = home.bearer.get("/api/v1/events?type=arrived").json["items"]
    assert len(events) == 2
