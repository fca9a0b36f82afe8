"""Events by the API: what happened, by whom, where and when; in the reader's language."""

from datetime import timedelta

import pytest

from tests.kit.clock import StandingClock
from tests.web.callers import Household, add_subject
from tests.web.happenings import HOME, SCHOOL, Story, add_rule, travel
from tracker.web.context import Services
from tracker.web.geojson import rfc3339


@pytest.fixture
def story(home: Household, services: Services, clock: StandingClock) -> Story:
    """A child that has come to school."""
    return Story(home, services, clock, name="Lessons")


def test_it_says_what_happened_and_that_it_was_told(home: Household, story: Story) -> None:
    (event,) = home.bearer.get("/api/v1/events").json["items"]
    assert (event["type"], event["news"], event["urgency"]) == ("arrived", "told", "normal")
    assert (event["subject_id"], event["device_id"]) == (story.subject_id, story.device_id)
    assert (event["rule_id"], event["rule_version"], event["geofence_id"]) == (
        story.rule_id,
        1,
        story.place_id,
    )
    assert event["earliest"] <= event["at"] <= event["decided_at"]
    assert event["alert"] == {"id": story.alert_id, "state": "open", "acknowledged_at": None}
    assert event["superseded_by"] is None
    assert event["retracted_at"] is None


def test_it_speaks_the_account_s_language(home: Household, story: Story) -> None:
    assert "arrived at School" in home.bearer.get("/api/v1/events").json["items"][0]["text"]
    home.bearer.patch("/api/v1/account", {"locale": "ru"})
    assert "прибывает" in home.bearer.get("/api/v1/events").json["items"][0]["text"]


def test_it_is_found_by_what_it_is_of(home: Household, story: Story, clock: StandingClock) -> None:
    other = add_subject(home.bearer, "Rex")
    day = {"from": rfc3339(clock.now - timedelta(days=1)), "to": rfc3339(clock.now)}
    late = {"from": rfc3339(clock.now - timedelta(minutes=1))}
    for query, count in (
        ({"type": "arrived"}, 1),
        ({"type": "left"}, 0),
        ({"subject_id": story.subject_id}, 1),
        ({"subject_id": other}, 0),
        ({"rule_id": story.rule_id}, 1),
        ({"geofence_id": story.place_id}, 1),
        ({"geofence_id": "0" * 16}, 0),
        (day, 1),
        (late, 0),
    ):
        found = home.bearer.get("/api/v1/events", query_string=query).json["items"]
        assert len(found) == count, query


def test_a_list_goes_on_behind_its_cursor(
    home: Household, services: Services, clock: StandingClock, story: Story
) -> None:
    add_rule(home.bearer, "left", story.place_id)
    clock.go_on(minutes=10)
    away = [(6.0, SCHOOL), (3.0, HOME), (2.0, HOME), (1.0, HOME)]
    travel(services, home.account_id, story.subject_id, story.device_id, away)
    first = home.bearer.get("/api/v1/events?limit=1").json
    second = home.bearer.get(f"/api/v1/events?limit=1&after={first['next']}").json
    assert [first["items"][0]["type"], second["items"][0]["type"]] == ["left", "arrived"]
    assert second["next"] is None
    assert home.bearer.get("/api/v1/events?after=nonsense").status_code == 422


def test_an_event_outlives_its_rule_and_place(home: Household, story: Story) -> None:
    home.bearer.delete(f"/api/v1/geofences/{story.place_id}")
    (event,) = home.bearer.get("/api/v1/events").json["items"]
    assert event["id"] == story.event_id
    assert "School" in event["text"]
