"""The pages of alerts as they are served: whose clocks they tell, full pages, reasons that fit."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.kit.clock import StandingClock
from tests.web.callers import Household, add_device, add_subject
from tests.web.happenings import HOME, Story, add_place, add_rule
from tracker.domain.event import News
from tracker.domain.ids import new_id
from tracker.domain.position import Placed, Position
from tracker.store import event_changes, events, positions
from tracker.web.context import Services
from tracker.web.pages import alerts
from tracker.wiring import watcher


def text_of(home: Household, path: str) -> str:
    answer = home.cookie.client.get(path)
    assert answer.status_code == 200
    return str(answer.get_data(as_text=True))


@pytest.fixture
def story(home: Household, services: Services, clock: StandingClock) -> Story:
    """A child that has come to school in Helsinki."""
    return Story(home, services, clock)


def test_a_page_tells_one_clock_and_names_it_if_it_is_not_the_reader_s(home: Household, story: Story) -> None:
    at = datetime.fromisoformat(story.event["at"])
    zone = home.bearer.get(f"/api/v1/geofences/{story.place_id}").json["properties"]["time_zone"]
    there = at.astimezone(ZoneInfo(zone)).strftime("%H:%M")
    elsewhere = at.astimezone(ZoneInfo("Asia/Kamchatka")).strftime("%H:%M")
    home.cookie.client.set_cookie("ryadom_tz", "Asia/Kamchatka")
    page = text_of(home, f"/alerts/{story.alert_id}")
    assert there in page
    assert elsewhere not in page
    assert "data-moment" not in page  # or the browser would write its own time there
    assert "data-clock " not in page
    assert "those of the place: Helsinki" in page
    assert "time of Helsinki" in text_of(home, "/alerts")
    home.cookie.client.set_cookie("ryadom_tz", zone)
    assert "data-clock-of" not in text_of(home, f"/alerts/{story.alert_id}")


def test_a_page_of_the_feed_is_full_as_long_as_there_are_more(
    home: Household, story: Story, services: Services
) -> None:
    """However many events that nobody was told of lie between."""
    with services.database.begin() as session:
        one = events.get(session, home.account_id, story.event_id).event
        untold = [
            replace(one, event_id=new_id(), slot=str(n), at=one.at + timedelta(seconds=n + 1), news=News.OLD)
            for n in range(2 * alerts.LOOKED_THROUGH + 1)
        ]
        event_changes.add_many(session, untold)
    page = text_of(home, "/alerts")
    assert f'data-alert-id="{story.alert_id}"' in page
    assert "after=" not in page


def test_a_battery_is_not_explained_by_an_edge(
    home: Household, services: Services, clock: StandingClock
) -> None:
    """The first fix also tells of which place the device is: that is no reason for a low battery."""
    subject_id = add_subject(home.bearer, "Masha", "child")
    device_id = add_device(home.bearer, subject_id, "watch")
    now = clock.now
    clock.now = now - timedelta(hours=2)
    add_place(home.bearer, at=HOME)
    add_rule(home.bearer, "battery")
    clock.now = now
    fix = Position(recorded_at=now - timedelta(minutes=1), at=HOME, accuracy_m=6.0, battery_pct=9.0)
    with services.database.begin() as session:
        positions.ensure_partitions(session, {positions.week_of(fix.recorded_at)})
        placed = Placed(
            account_id=home.account_id,
            subject_id=subject_id,
            device_id=device_id,
            received_at=now,
            position=fix,
        )
        watcher().take(session, positions.append(session, [placed]), (), now)
    (event,) = home.bearer.get("/api/v1/events").json["items"]
    assert event["type"] == "battery_low"
    page = text_of(home, f"/alerts/{event['alert']['id']}")
    assert "The first position told where the device is." not in page
    assert "What the device reported was what the rule waits for." in page
    assert "To the edge" not in page


@pytest.mark.parametrize("query", ["type=%00", "type=a%00b", "subject_id=%00", "state=%00", "after=%00"])
def test_a_feed_asked_for_nonsense_is_a_feed(home: Household, query: str) -> None:
    text_of(home, f"/alerts?{query}")
