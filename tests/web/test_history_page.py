"""/history: what the server tells without JavaScript, and the map, charts and replay in a browser."""

import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.kit.clock import StandingClock
from tests.web.callers import Household, add_device, add_subject
from tests.web.days import day_of_fixes, store
from tests.web.serving import WebServer
from tracker.domain.clock import utc_now
from tracker.web.context import Services
from tracker.web.guards import SESSION_COOKIE


@pytest.fixture
def clock() -> StandingClock:
    """The server has the machine's clock, so the sessions must live by it."""
    return StandingClock(now=utc_now())


@pytest.fixture
def day(clock: StandingClock) -> date:
    """The day before yesterday, which is over in every time zone."""
    return clock().date() - timedelta(days=2)


@pytest.fixture
def child(home: Household, services: Services, day: date) -> str:
    """A child whose phone reported that day."""
    subject_id = add_subject(home.bearer, "Masha", "child")
    device_id = add_device(home.bearer, subject_id, "Masha's phone")
    store(services, home.account_id, subject_id, device_id, day_of_fixes(day))
    return subject_id


def page(home: Household, path: str, zone: str = "UTC") -> str:
    home.cookie.client.set_cookie("ryadom_tz", zone)
    answer = home.cookie.client.get(path)
    assert answer.status_code == 200
    return str(answer.get_data(as_text=True))


def kinds(shown: str) -> list[str]:
    return re.findall(r"item--(\w+)\"", shown)


def track(shown: str) -> Any:
    return json.loads(shown.partition('id="track">')[2].partition("</script>")[0])


def test_trips_stops_and_gaps_are_told_by_the_server(home: Household, child: str, day: date) -> None:
    shown = page(home, f"/history?subject_id={child}&day={day}")
    assert kinds(shown) == ["unknown", "stop", "trip", "stop", "gap", "stop", "trip", "stop", "unknown"]
    assert re.search(r"<dt>Trips</dt><dd>2</dd>", shown)
    assert re.search(r"<dt>Distance</dt><dd>1\.[5-9] km</dd>|<dt>Distance</dt><dd>2\.\d km</dd>", shown)
    assert "the way is unknown, at least 1.4 km" in shown
    assert "1 wrong position is left out" in shown


def test_an_impossible_position_is_marked_and_kept_off_the_line(
    home: Household, child: str, day: date
) -> None:
    points = track(page(home, f"/history?subject_id={child}&day={day}"))["points"]
    assert [point[1] for point in points if point[6] == 1] == [60.9]
    assert sum(1 for point in points if point[6] == 3) == 1  # the first one behind the silence


def test_a_day_is_the_reader_s_own(home: Household, child: str, day: date) -> None:
    path = f"/history?subject_id={child}&day={day}"
    assert "07:00" in page(home, path, "UTC")
    assert "10:00" in page(home, path, "Europe/Moscow")
    honolulu = page(home, path, "Pacific/Honolulu")
    assert "21:00" not in "".join(re.findall(r"item--stop.*?</li>", honolulu, re.S)[:1])
    assert "Pacific/Honolulu" in honolulu


@pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../../etc/passwd", "x" * 3000, "Europe"])
def test_a_zone_that_does_not_exist_is_utc(home: Household, child: str, day: date, zone: str) -> None:
    assert "Times: UTC." in page(home, f"/history?subject_id={child}&day={day}", zone)


def test_a_day_without_reports_says_so(home: Household, child: str, day: date) -> None:
    shown = page(home, f"/history?subject_id={child}&day={day - timedelta(days=30)}")
    assert "No positions on this day" in shown
    assert "That does not mean that nothing moved" in shown


@pytest.mark.parametrize("asked", ["nonsense", "9999-12-31", "0001-01-01", "2026-02-31", ""])
def test_a_strange_day_is_answered_with_a_page(home: Household, child: str, asked: str) -> None:
    page(home, f"/history?subject_id={child}&day={asked}")


def test_nobody_yet_is_told_what_to_do(home: Household) -> None:
    assert "/subjects/new" in page(home, "/history")


def test_another_family_s_subject_is_not_found(neighbours: Household, child: str) -> None:
    assert neighbours.cookie.client.get(f"/history?subject_id={child}").status_code == 404


def test_of_two_devices_the_reader_chooses(
    home: Household, services: Services, child: str, day: date
) -> None:
    watch = add_device(home.bearer, child, "Masha's watch")
    store(services, home.account_id, child, watch, day_of_fixes(day)[:5])
    path = f"/history?subject_id={child}&day={day}"
    assert len(track(page(home, path))["points"]) > 100
    assert len(track(page(home, f"{path}&device_id={watch}"))["points"]) == 5
    assert f"device_id={watch}" in page(home, path)


def test_the_day_can_be_taken_along_in_every_format(home: Household, child: str, day: date) -> None:
    links = re.findall(r'href="([^"]+)" download', page(home, f"/history?subject_id={child}&day={day}"))
    assert len(links) == 4
    for link in links:
        answer = home.cookie.client.get(link.replace("&amp;", "&"))
        assert answer.status_code == 200, link
        assert answer.data.count(b"60.1765") > 100
        answer.close()


def test_the_map_leads_there(home: Household) -> None:
    assert 'href="/history"' in page(home, "/map")


# ---- In a browser ----


@pytest.fixture
def open_tab(chromium: Browser, server: WebServer, home: Household) -> Iterator[Callable[..., Page]]:
    """Open a tab of the family's browser."""
    contexts = []

    def opened(path: str, **options: Any) -> Page:
        context = chromium.new_context(
            **{
                "locale": "en",
                "viewport": {"width": 390, "height": 844},
                "timezone_id": "Europe/Moscow",
                **options,
            }
        )
        contexts.append(context)
        context.add_cookies([{"name": SESSION_COOKIE, "value": str(home.cookie.cookie), "url": server.url}])
        tab = context.new_page()
        tab.goto(f"{server.url}{path}")
        return tab

    yield opened
    for context in contexts:
        context.close()


def camera(tab: Page, name: str) -> None:
    """Keep a picture where SCREENSHOTS names a folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        tab.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.browser
def test_the_browser_s_zone_counts_from_the_first_visit(
    open_tab: Callable[..., Page], child: str, day: date
) -> None:
    tab = open_tab(f"/history?subject_id={child}&day={day}")
    expect(tab.locator("main")).to_contain_text("Times: Europe/Moscow.")
    expect(tab.locator(".item--stop time").first).to_have_text("10:00")


@pytest.mark.browser
def test_the_track_is_drawn_with_gap_stops_and_the_wrong_fix(
    open_tab: Callable[..., Page], child: str, day: date
) -> None:
    said: list[str] = []
    tab = open_tab(f"/history?subject_id={child}&day={day}")
    tab.on("console", lambda message: said.append(message.text))
    expect(tab.locator(".place")).to_have_count(4)
    expect(tab.locator("path.leg--gap")).to_have_count(1)
    expect(tab.locator("path.fix--wrong")).to_have_count(1)
    expect(tab.locator("[data-chart=speed] .chart__line").first).to_be_visible()
    expect(tab.locator("[data-chart=battery] .chart__gap")).to_have_count(1)
    camera(tab, "history-phone")
    assert said == []


@pytest.mark.browser
def test_the_slider_tells_time_speed_and_gap(open_tab: Callable[..., Page], child: str, day: date) -> None:
    tab = open_tab(f"/history?subject_id={child}&day={day}")
    slider = tab.locator("[data-slider]")
    slider.focus()
    first = slider.get_attribute("aria-valuetext")
    assert first is not None
    assert first.startswith("10:00")
    tab.keyboard.press("ArrowRight")
    expect(slider).not_to_have_attribute("aria-valuetext", "")
    middle_of_silence = (
        tab.evaluate(
            "Date.UTC(...arguments_)".replace(
                "arguments_", f"[{day.year}, {day.month - 1}, {day.day}, 12, 30]"
            )
        )
        / 1000
    )
    slider.evaluate(
        "(element, at) => { element.value = at; element.dispatchEvent(new Event('input')); }",
        middle_of_silence,
    )
    expect(slider).to_have_attribute("aria-valuetext", "15:30, no data")
    expect(tab.locator(".cursor")).to_have_class(re.compile("cursor--lost"))
    expect(tab.locator(".item--now")).to_contain_text("the way is unknown")


@pytest.mark.browser
def test_playing_goes_on_to_the_end_and_stops(open_tab: Callable[..., Page], child: str, day: date) -> None:
    tab = open_tab(f"/history?subject_id={child}&day={day}")
    tab.locator("[data-replay-speed]").select_option("3600")
    play = tab.locator("[data-play]")
    play.click()
    expect(play).to_have_attribute("aria-pressed", "true")
    expect(play).to_have_accessible_name("Pause")
    expect(play).to_have_attribute("aria-pressed", "false", timeout=30_000)
    expect(tab.locator("[data-slider]")).to_have_attribute("aria-valuetext", re.compile("^17:5"))


@pytest.mark.browser
def test_an_item_of_the_list_is_shown_on_the_map(
    open_tab: Callable[..., Page], child: str, day: date
) -> None:
    tab = open_tab(f"/history?subject_id={child}&day={day}", viewport={"width": 1280, "height": 800})
    camera(tab, "history-wide")
    before = tab.evaluate("ryadom.track.map.getZoom()")
    tab.locator(".item--trip [data-show]").last.click()
    expect(tab.locator(".item--trip").last).to_have_class(re.compile("item--now"))
    tab.wait_for_function("before => ryadom.track.map.getZoom() >= before", arg=before)
    assert tab.evaluate("ryadom.track.map.getBounds().contains([60.1640, 24.9450])")


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("locale", ["en", "ru"])
def test_the_page_has_no_barriers_and_nothing_sticks_out(
    open_tab: Callable[..., Page], home: Household, child: str, day: date, width: int, locale: str
) -> None:
    home.bearer.patch("/api/v1/account", {"locale": locale})
    path = f"/history?subject_id={child}&day={day}"
    tab = open_tab(
        path, viewport={"width": width, "height": 844}, color_scheme="dark" if width == 390 else "light"
    )
    expect(tab.locator("[data-chart=speed] .chart__line").first).to_be_visible()
    camera(tab, f"history-{width}-{locale}")
    violations = Axe().run(tab).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations] == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
def test_without_javascript_the_list_works(open_tab: Callable[..., Page], child: str, day: date) -> None:
    tab = open_tab(f"/history?subject_id={child}&day={day}", java_script_enabled=False)
    expect(tab.locator(".item--trip")).to_have_count(2)
    expect(tab.locator("[data-replay]")).to_be_hidden()
    tab.locator(".days a[rel=prev]").click()
    expect(tab.locator("main")).to_contain_text("No positions on this day")
