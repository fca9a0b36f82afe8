"""Alerts by the API: the list, the ledger, acknowledging; and the page that a link in a message opens."""

import re

import pytest

from tests.kit.clock import StandingClock
from tests.web.callers import Caller, Household
from tests.web.happenings import Story
from tracker.domain.ids import new_id
from tracker.domain.notification import Delivery, DeliveryState
from tracker.notify.links import Links
from tracker.store import deliveries
from tracker.web.context import Services


@pytest.fixture
def story(home: Household, services: Services, clock: StandingClock) -> Story:
    """A child that has come to school."""
    return Story(home, services, clock)


def test_an_alert_carries_its_event(home: Household, story: Story) -> None:
    (alert,) = home.bearer.get("/api/v1/alerts").json["items"]
    assert (alert["id"], alert["state"], alert["step"]) == (story.alert_id, "open", 0)
    assert alert["event"]["id"] == story.event_id
    assert home.bearer.get("/api/v1/alerts?state=acknowledged").json["items"] == []


def test_acknowledging_twice_is_acknowledging_once(
    home: Household, story: Story, clock: StandingClock
) -> None:
    path = f"/api/v1/alerts/{story.alert_id}/acknowledge"
    first = home.bearer.post(path, {})
    assert (first.status_code, first.json["state"]) == (200, "acknowledged")
    clock.go_on(minutes=3)
    again = home.bearer.post(path, {})
    assert again.json["acknowledged_at"] == first.json["acknowledged_at"]
    event = home.bearer.get("/api/v1/events").json["items"][0]
    assert event["alert"]["state"] == "acknowledged"
    assert home.bearer.get("/api/v1/alerts?state=open").json["items"] == []


def test_a_link_of_nobody_is_a_page_that_says_so(stranger: Caller) -> None:
    answer = stranger.client.get("/a/" + "A" * 38)
    assert answer.status_code == 404
    assert "This link has ended" in answer.get_data(as_text=True)


def delivered(home: Household, services: Services, clock: StandingClock, story: Story) -> str:
    """Put a delivery to the owner into the ledger and return the token of its link."""
    delivery = Delivery(
        account_id=home.account_id,
        delivery_id=new_id(),
        alert_id=story.alert_id,
        contact_id=home.account_id,
        channel="sms",
        step=0,
        state=DeliveryState.SENT,
        attempts=1,
        created_at=clock.now,
        due_at=clock.now,
        sent_at=clock.now,
    )
    with services.database.begin() as session:
        deliveries.add_many(session, [delivery])
    return Links(services.sealer, services.settings.public_url).token(home.account_id, delivery.delivery_id)


def test_a_link_opens_one_alert_roughly_and_acknowledges_it(
    home: Household, services: Services, clock: StandingClock, story: Story, stranger: Caller
) -> None:
    token = delivered(home, services, clock, story)
    answer = stranger.client.get(f"/a/{token}")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "Masha" in page
    assert "60.1699" not in page
    assert "24.9384" not in page
    assert story.place_id not in page
    assert "/history" not in page
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert csrf
    pressed = stranger.client.post(f"/a/{token}", data={"csrf_token": csrf[1]})
    assert pressed.status_code == 303
    alert = home.bearer.get(f"/api/v1/alerts/{story.alert_id}").json
    assert alert["state"] == "acknowledged"
    assert [each["contact_id"] for each in alert["deliveries"]] == [home.account_id]


def test_a_link_ends_after_a_day(
    home: Household, services: Services, clock: StandingClock, story: Story, stranger: Caller
) -> None:
    token = delivered(home, services, clock, story)
    clock.go_on(hours=25)
    assert stranger.client.get(f"/a/{token}").status_code == 404
