"""Why an event is: positions, accuracies, probabilities, the rule and the fence as they were."""

import pytest

from tests.kit.clock import StandingClock
from tests.web.callers import Household
from tests.web.happenings import Story
from tracker.web.context import Services


@pytest.fixture
def story(home: Household, services: Services, clock: StandingClock) -> Story:
    """A child that has come to school."""
    return Story(home, services, clock, name="Lessons")


def test_it_holds_what_decided(home: Household, story: Story) -> None:
    told = home.bearer.get(f"/api/v1/events/{story.event_id}/explanation").json
    assert told["event"]["id"] == story.event_id
    assert told["map_url"] == f"/alerts/{story.event_id}"
    features = told["evidence"]["features"]
    assert features
    for feature in features:
        said = feature["properties"]
        assert feature["geometry"]["type"] == "Point"
        assert said["accuracy_m"] == 8.0
        assert 0 <= said["probability"] <= 1
        assert said["side"] in {"in", "out", "unsure"}
    assert features[-1]["properties"]["side"] == "in"
    assert features[-1]["properties"]["distance_m"] < 0
    assert (told["rule"]["kind"], told["rule"]["name"], told["rule"]["version"]) == ("arrived", "Lessons", 1)
    assert told["fence"]["properties"]["name"] == "School"
    assert told["how"]
    assert told["thresholds"]
    assert told["earliest"] < told["event"]["at"]


def test_rule_and_place_are_told_as_they_were(home: Household, story: Story) -> None:
    home.bearer.patch(
        f"/api/v1/geofences/{story.place_id}",
        {"type": "Feature", "properties": {"radius_m": 500, "name": "Gymnasium"}},
    )
    home.bearer.patch(f"/api/v1/rules/{story.rule_id}", {"args": {"min_stay_s": 600}, "name": "Other"})
    told = home.bearer.get(f"/api/v1/events/{story.event_id}/explanation").json
    assert told["fence"]["properties"]["radius_m"] == 120
    assert told["rule"]["args"] == {"min_stay_s": 0}
    assert told["rule"]["name"] == "Lessons"


def test_positions_of_a_removed_device_are_explained_no_more(home: Household, story: Story) -> None:
    home.bearer.delete(f"/api/v1/devices/{story.device_id}")
    told = home.bearer.get(f"/api/v1/events/{story.event_id}/explanation").json
    assert told["evidence"]["features"] == []
    assert home.cookie.client.get(f"/alerts/{story.event_id}").status_code == 200
