"""The main job: sign in by SMS, add a pet and its device, publish a position, see the dot move."""

import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import House
from tests.e2e.visitor import Visitor, picture, sign_in

pytestmark = pytest.mark.browser

SIZES = {"390": (390, 844), "1280": (1280, 800)}
PHONES = {"390": "+79161234501", "1280": "+79161234502"}


@pytest.fixture(params=list(SIZES))
def size(request: pytest.FixtureRequest) -> str:
    """The width of the screen in CSS pixels."""
    return str(request.param)


@pytest.fixture
def visitor(chromium: Browser, house: House, size: str) -> Iterator[Visitor]:
    width, height = SIZES[size]
    context = chromium.new_context(
        viewport={"width": width, "height": height}, locale="en-GB", has_touch=size == "390"
    )
    yield Visitor(context.new_page(), house.url)
    context.close()


def add_cat(visitor: Visitor) -> str:
    """Add a pet and a native device; return the ready line that publishes its first position."""
    page = visitor.page
    page.get_by_role("link", name="Add the first one").click()
    page.get_by_label("Pet").check(force=True)
    page.get_by_label("Name").fill("Murka")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("link", name="Add a device").first.click()
    page.get_by_label("Tracker with MQTT").check(force=True)
    page.get_by_label("Name of the device").fill("collar")
    page.get_by_role("button", name="Add and show its access").click()
    return page.locator("#publish-line").inner_text()


def publish(line: str) -> None:
    subprocess.run(["sh", "-c", line], check=True, timeout=20, capture_output=True)


def test_a_published_position_moves_the_dot_without_a_reload(
    visitor: Visitor, house: House, size: str
) -> None:
    page = visitor.page
    sign_in(visitor, house, PHONES[size], size)
    line = add_cat(visitor)
    picture(page, "credentials", size)
    publish(line)
    expect(page.get_by_role("heading", name="It works!")).to_be_visible()

    page.get_by_role("link", name="Show on the map").click()
    row = page.locator("#family-list [data-name=Murka]")
    expect(row).to_have_attribute("data-lat", "60.1708")
    expect(page.locator("[data-live-state]")).to_have_attribute("data-state", "live")
    dot = page.locator(".leaflet-marker-icon[data-subject-id]")
    expect(dot).to_have_attribute("data-lat", "60.1708")
    page.evaluate("window.neverReloaded = true")
    before = dot.bounding_box()

    publish(line.replace("60.1708", "60.1725").replace("$(date +%s)", "$(date +%s.%N)"))

    expect(row).to_have_attribute("data-lat", "60.1725")
    expect(dot).to_have_attribute("data-lat", "60.1725")
    assert page.evaluate("window.neverReloaded") is True
    page.wait_for_function(
        "([x, y]) => { const r = document.querySelector('.leaflet-marker-icon[data-subject-id]')"
        ".getBoundingClientRect(); return Math.hypot(r.x - x, r.y - y) > 5 }",
        arg=[before["x"], before["y"]] if before else [0, 0],
    )
    picture(page, "moved", size)
    assert visitor.foreign == []
    assert visitor.problems == []


def test_no_page_asks_another_host(visitor: Visitor, house: House, size: str) -> None:
    """Every page that can be reached by a link, in both languages."""
    page = visitor.page
    phone = PHONES[size][:-2] + "1" + PHONES[size][-1]
    sign_in(visitor, house, phone, size)
    add_cat(visitor)
    waiting = ["/", "/login", "/terms", "/map", "/account"]
    seen: set[str] = set()
    while waiting:
        path = waiting.pop(0)
        # Days of history go on and on: a few of each page are enough.
        alike = sum(each.partition("?")[0] == path.partition("?")[0] for each in seen)
        if path in seen or alike >= 5:
            continue
        seen.add(path)
        page.goto(house.url + path)
        assert page.locator("h1").count() >= 1, path
        links = page.eval_on_selector_all(
            "a[href^='/']:not([download])", "all => all.map(a => a.getAttribute('href'))"
        )
        waiting += [link for link in links if not link.startswith("/api/")]
    assert {"/map", "/account", "/subjects/new"} <= seen
    assert visitor.foreign == []
    assert visitor.problems == []
