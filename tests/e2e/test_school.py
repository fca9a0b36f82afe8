"""A child reaches school: its family is told once, and why."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import House
from tests.e2e.family import SCHOOL, Family, fix, looking
from tests.e2e.visitor import picture
from tracker.domain.clock import utc_now

pytestmark = pytest.mark.browser

PHONE = "+79161234530"
SHOWN = """() => [...document.querySelectorAll(".leaflet-tile")].every(
  (tile) => tile.classList.contains("leaflet-tile-loaded") && getComputedStyle(tile).opacity === "1")"""


@pytest.fixture
def family(house: House) -> Iterator[Family]:
    opened = Family.at(house, PHONE)
    yield opened
    opened.close()


def take_pictures(page: Page, name: str) -> None:
    """Keep screenshots of a page as it is on a phone and on a desk."""
    for width, height in ((1280, 800), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function(SHOWN)
        picture(page, name, str(width))


def test_a_child_that_reaches_school_is_told_once_and_shown_live_with_the_reason(
    family: Family, chromium: Browser
) -> None:
    masha = family.subject("child", "Masha")
    phone = family.device(masha)
    school = family.circle("School", SCHOOL, 100, masha, "school")
    rule = family.rule("arrived", masha, school)

    family.an_hour_old()
    # At 1.4 m/s, a position each half a minute, up to now.
    now = utc_now()
    began = now - timedelta(minutes=6)
    way = [fix(SCHOOL.moved(north_m=400 - 42 * n), began + timedelta(seconds=30 * n)) for n in range(9)]
    with looking(chromium, family) as mums:
        page = mums.page
        page.goto(f"{family.house.url}/alerts")
        expect(page.locator("[data-live-state]")).to_have_attribute("data-state", "live")
        for each in way:
            phone.tell(each)
        alert = family.alert("arrived")
        row = page.locator(f"[data-alert-id='{alert['id']}']")
        expect(row).to_have_attribute("data-state", "open")
        expect(row.get_by_role("link")).to_contain_text("Masha arrived at School")
        row.get_by_role("link").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Masha arrived at School")
        expect(page.get_by_role("heading", name="Why")).to_be_visible()
        expect(page.locator(".evidence tbody tr").first).to_contain_text("6 m")
        expect(page.locator(".leaflet-container")).to_be_visible()
        expect(page.locator("[data-delivery=sent]")).to_have_count(1)
        take_pictures(page, "alert")
        page.goto(f"{family.house.url}/places")
        expect(page.get_by_role("link", name="School").first).to_be_visible()
        take_pictures(page, "places")
    # The broker brings again what it brought before, and the receiver drifts about the yard and off it.
    for each in way:
        phone.tell(each)
    drift = [
        fix(SCHOOL.moved(east_m=east_m), now + timedelta(seconds=20 * n - 90), accuracy_m)
        for n, (east_m, accuracy_m) in enumerate([(30, 6), (120, 60), (-20, 6), (140, 80), (0, 6)])
    ]
    phone.tell(drift)
    family.stored(masha, drift[-1])

    event = alert["event"]
    assert event["text"].startswith("Masha arrived at School")
    assert (event["subject_id"], event["geofence_id"], event["rule_id"]) == (masha, school, rule)
    why = family.get(f"/events/{event['id']}/explanation")
    assert why["how"] in {"confirmed", "in_stride"}
    assert why["fence"]["properties"]["name"] == "School"
    assert why["evidence"]["features"]
    assert all(each["properties"]["side"] == "in" for each in why["evidence"]["features"])
    assert [each["id"] for each in family.events()] == [event["id"]]
    (told,) = family.alerts()
    assert told["escalates_at"] is None
    assert [each["channel"] for each in told["deliveries"]] == ["sms"]
    (message,) = family.messages()
    assert message.startswith("Masha arrived at School")
    assert f"/alerts/{alert['id']}" in message
    assert [each["subject_id"] for each in family.get(f"/geofences/{school}")["properties"]["inside"]] == [
        masha
    ]
