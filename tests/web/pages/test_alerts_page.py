"""Alerts in a browser: the feed that lives, why, muting, contacts, messages to the browser."""

import json

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.kit.clock import StandingClock
from tests.web.browsing import is_sound, signed_in
from tests.web.callers import Household, add_device, add_subject, any_phone
from tests.web.happenings import Story, add_place, add_rule, to_school, travel
from tests.web.serving import WebServer
from tracker.web.context import Services

pytestmark = pytest.mark.browser


def expect_happening(home: Household, clock: StandingClock) -> tuple[str, str]:
    """Make a rule that will tell of a child's coming to school; return subject and device."""
    subject_id = add_subject(home.bearer, "Masha", "child")
    device_id = add_device(home.bearer, subject_id)
    now, clock.now = clock.now, clock.now.replace(year=clock.now.year - 1)
    add_rule(home.bearer, "arrived", add_place(home.bearer))
    clock.now = now
    return subject_id, device_id


def test_the_feed_says_what_is_there_for_whom_it_is_empty(tab: Page) -> None:
    tab.goto("/alerts")
    expect(tab.get_by_text("Nothing to tell yet")).to_be_visible()
    assert is_sound(tab)


def test_an_alert_is_seen_to_and_explained(
    tab: Page, home: Household, services: Services, clock: StandingClock
) -> None:
    story = Story(home, services, clock, name="Lessons")
    tab.goto("/alerts")
    row = tab.locator(f"[data-alert-id='{story.alert_id}']")
    expect(row).to_contain_text("Masha arrived at School")
    assert is_sound(tab)
    row.get_by_role("button").click()
    expect(row).to_have_attribute("data-state", "acknowledged")
    expect(row.get_by_role("button")).to_have_count(0)
    assert home.bearer.get(f"/api/v1/alerts/{story.alert_id}").json["state"] == "acknowledged"
    row.get_by_role("link").click()
    expect(tab.get_by_role("heading", level=1)).to_contain_text("Masha arrived at School")
    expect(tab.get_by_role("heading", name="Why")).to_be_visible()
    expect(tab.locator(".fix-mark").first).to_be_visible()
    expect(tab.locator(".evidence tbody tr").first).to_contain_text("inside")
    expect(tab.get_by_role("link", name="Lessons")).to_be_visible()
    tab.get_by_text("In numbers").click()
    assert is_sound(tab)


def test_what_happens_comes_into_the_open_feed_and_onto_the_map(
    chromium: Browser, server: WebServer, home: Household, services: Services, clock: StandingClock
) -> None:
    subject_id, device_id = expect_happening(home, clock)
    story = Story(home, services, clock)
    with signed_in(chromium, server, home) as feed, signed_in(chromium, server, home, width=1280) as map_:
        feed.goto("/alerts")
        expect(feed.locator(".alert")).to_have_count(2)  # both rules tell of whoever comes
        expect(feed.locator("[data-live-state]")).to_have_attribute("data-state", "live")
        map_.goto("/map")
        expect(map_.locator(".fence-name").first).to_be_attached()
        expect(map_.locator("[data-live-state]")).to_have_attribute("data-state", "live")
        travel(services, home.account_id, subject_id, device_id, to_school())
        expect(feed.locator(".alert").first).to_have_attribute("data-state", "open")
        expect(feed.locator(".alert")).to_have_count(4)
        expect(map_.locator("[data-told] a").first).to_contain_text("Masha arrived at School")
        assert is_sound(feed)
        assert is_sound(map_)
        home.bearer.post(f"/api/v1/alerts/{story.alert_id}/acknowledge", {})
        row = feed.locator(f"[data-alert-id='{story.alert_id}']")
        expect(row).to_have_attribute("data-state", "acknowledged")


def test_a_place_is_muted_and_told_again(
    tab: Page, home: Household, services: Services, clock: StandingClock
) -> None:
    story = Story(home, services, clock)
    tab.goto(f"/alerts/{story.alert_id}")
    tab.get_by_label("Tell nothing").select_option(label="at School")
    tab.get_by_label("For", exact=True).select_option(label="a day")
    tab.get_by_role("button", name="Mute").click()
    muted = tab.get_by_role("region", name="Muted")
    expect(muted).to_contain_text("School")
    assert is_sound(tab)
    muted.get_by_role("button", name="Tell again").click()
    expect(tab.get_by_role("region", name="Muted")).to_have_count(0)


def test_the_feed_is_narrowed_down(
    tab: Page, home: Household, services: Services, clock: StandingClock
) -> None:
    Story(home, services, clock)
    add_subject(home.bearer, "Rex")
    tab.goto("/alerts")
    tab.get_by_label("About whom").select_option(label="Rex")
    expect(tab.get_by_text("Nothing of that kind")).to_be_visible()
    tab.get_by_label("About whom").select_option(label="Masha")
    expect(tab.locator(".alert")).to_have_count(1)


def test_a_contact_is_added_and_has_quiet_hours(tab: Page, home: Household) -> None:
    tab.goto("/account/contacts")
    expect(tab.get_by_role("listitem")).to_have_count(1)
    tab.get_by_label("Name", exact=True).fill("Granny")
    tab.get_by_label("Phone number").fill(any_phone())
    assert is_sound(tab)
    tab.get_by_role("button", name="Add and send the code").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Granny")
    expect(tab.get_by_role("heading", name="Confirm")).to_be_visible()
    tab.get_by_label("Code").fill("not the code")
    tab.get_by_role("button", name="Confirm", exact=True).click()
    expect(tab.locator("#code-error")).to_be_visible()
    tab.get_by_text("Quiet hours", exact=True).click()
    line = tab.get_by_role("group", name="Days and hours, line 1")
    line.get_by_label("Sunday").check(force=True)
    line.get_by_label("from").fill("22:00")
    line.get_by_label("to").fill("07:00")
    tab.get_by_role("button", name="Save").click()
    expect(tab.get_by_text("Saved.")).to_be_visible()
    assert is_sound(tab)
    contact = home.bearer.get("/api/v1/contacts").json["items"][1]
    assert contact["quiet"]["weekly"][0]["spans"] == [{"start": "22:00", "end": "07:00"}]


def test_it_is_all_there_in_russian(
    tab: Page, home: Household, services: Services, clock: StandingClock
) -> None:
    story = Story(home, services, clock)
    home.bearer.patch("/api/v1/account", {"locale": "ru"})
    for path, heading in (
        ("/alerts", "Тревоги"),
        (f"/alerts/{story.alert_id}", "Masha прибывает"),
        ("/account/contacts", "Контакты"),
    ):
        tab.goto(path)
        expect(tab.get_by_role("heading", level=1)).to_contain_text(heading)
        assert is_sound(tab)


FAKE = """
Object.defineProperty(window, '__stopped', { value: [] });
PushManager.prototype.subscribe = async function () {
  const pair = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']);
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  const text = (octets) => btoa(String.fromCharCode(...octets))
    .replace(/\\+/g, '-').replace(/\\//g, '_').replace(/=+$/, '');
  const keys = { p256dh: text(raw), auth: text(crypto.getRandomValues(new Uint8Array(16))) };
  const made = { endpoint: 'https://push.example.net/' + keys.auth, expirationTime: null, keys };
  return { toJSON: () => made, unsubscribe: async () => true };
};
"""
"""Headless Chromium has no push service: only its own part of subscribing is put in its place."""


def test_messages_are_switched_on_and_shown_by_the_worker(
    chromium: Browser, server: WebServer, home: Household
) -> None:
    with signed_in(chromium, server, home) as tab:
        tab.context.grant_permissions(["notifications"], origin=server.url)
        tab.context.add_init_script(FAKE)
        tab.goto("/alerts")
        card = tab.locator("[data-push]")
        card.get_by_role("button", name="Switch on").click()
        expect(card.get_by_role("button", name="Switch off")).to_be_visible()
        assert is_sound(tab)

        devtools = tab.context.new_cdp_session(tab)
        registrations: list[str] = []
        devtools.on(
            "ServiceWorker.workerRegistrationUpdated",
            lambda event: registrations.extend(each["registrationId"] for each in event["registrations"]),
        )
        devtools.send("ServiceWorker.enable")
        while not registrations:
            tab.wait_for_timeout(50)
        told = {"title": "Ryadom", "body": "Masha is at school", "tag": "e1", "url": "https://evil.example/"}
        devtools.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": server.url, "registrationId": registrations[0], "data": json.dumps(told)},
        )
        ask = """async () => (await (await navigator.serviceWorker.ready).getNotifications())
            .map((each) => [each.body, each.data.url])"""
        while not (shown := tab.evaluate(ask)):
            tab.wait_for_timeout(50)
        # A message that names another site opens the feed.
        assert shown == [["Masha is at school", f"{server.url}/alerts"]]
