"""The main job: sign in by SMS, add a pet and its device, publish a position, see the dot move."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.e2e.conftest import House

pytestmark = pytest.mark.browser

SIZES = {"390": (390, 844), "1280": (1280, 800)}
PHONES = {"390": "+79161234501", "1280": "+79161234502"}


class Visitor:
    """A browser of one size, and every request that its pages made."""

    def __init__(self, page: Page, home: str) -> None:
        self.page = page
        self.home = home
        self.foreign: list[str] = []
        self.problems: list[str] = []
        page.on("request", self._note)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on(
            "console",
            lambda line: self.problems.append(line.text) if "Content Security Policy" in line.text else None,
        )

    def _note(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme in {"http", "https", "ws", "wss"} and url.netloc != urlsplit(self.home).netloc:
            self.foreign.append(f"{url.scheme}://{url.netloc}")


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


def picture(page: Page, name: str, size: str) -> None:
    """Keep a screenshot where SCREENSHOTS says (docs/screenshots is made so), else nowhere."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}-{size}.png")


def sign_in(visitor: Visitor, house: House, phone: str, size: str) -> None:
    page = visitor.page
    page.goto(f"{house.url}/")
    picture(page, "start", size)
    page.get_by_label("Region").select_option("RU-MOW")
    page.get_by_role("button", name="Choose the region").click()
    page.get_by_role("link", name="Account").first.click()
    page.get_by_label("Phone number").fill(phone)
    page.get_by_role("button", name="Send me a code").click()
    expect(page.get_by_text("33-39")).to_be_visible()
    page.get_by_label("Code from the SMS").fill(house.last_code(phone))
    picture(page, "code", size)
    with page.expect_popup() as terms:
        page.get_by_role("link", name="terms of service", exact=True).click()
    expect(terms.value.get_by_role("heading", level=1)).to_be_visible()
    terms.value.close()
    page.get_by_label("I have read and accept the").check()
    page.get_by_role("button", name="Open the account").click()
    page.wait_for_url(f"{house.url}/map")


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
    waiting, seen = ["/", "/login", "/terms", "/map", "/account"], set()
    while waiting:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        page.goto(house.url + path)
        assert page.locator("h1").count() >= 1, path
        links = page.eval_on_selector_all("a[href^='/']", "all => all.map(a => a.getAttribute('href'))")
        waiting += [link for link in links if not link.startswith("/api/")]
    assert {"/map", "/account", "/subjects/new"} <= seen
    assert visitor.foreign == []
    assert visitor.problems == []
