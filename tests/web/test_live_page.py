"""An open map follows what is removed elsewhere: dots and rows go, at once or when the stream is back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.kit.clock import StandingClock
from tests.web.callers import Household, add_device, add_subject, report
from tests.web.serving import WebServer
from tracker.domain.clock import utc_now
from tracker.web.context import Services
from tracker.web.guards import SESSION_COOKIE

pytestmark = pytest.mark.browser


@pytest.fixture
def clock() -> StandingClock:
    """The server has the machine's clock, so the sessions must live by it."""
    return StandingClock(now=utc_now())


@pytest.fixture
def server(data_dir: Path, committed_database: str) -> Iterator[WebServer]:
    """A running web server on the database of the web's tests."""
    running = WebServer(data_dir, committed_database)
    yield running
    running.close()


@pytest.fixture
def tab(chromium: Browser, server: WebServer, home: Household) -> Iterator[Page]:
    """A tab of the family's browser."""
    context = chromium.new_context(locale="en", viewport={"width": 1200, "height": 800})
    context.add_cookies([{"name": SESSION_COOKIE, "value": str(home.cookie.cookie), "url": server.url}])
    page = context.new_page()
    yield page
    context.close()


def placed(services: Services, home: Household, name: str) -> tuple[str, str]:
    """Add a subject with a device that has reported; return both ids."""
    subject_id = add_subject(home.bearer, name)
    device_id = add_device(home.bearer, subject_id)
    report(services, home.account_id, subject_id, device_id)
    return subject_id, device_id


def open_map(tab: Page, server: WebServer, subject_ids: tuple[str, ...]) -> None:
    tab.goto(f"{server.url}/map")
    for subject_id in subject_ids:
        expect(tab.locator(f".dot[data-subject-id='{subject_id}']")).to_have_count(1)
        expect(tab.locator(f".subject[data-subject-id='{subject_id}']")).to_have_count(1)
    expect(tab.locator("[data-live-state]")).to_have_attribute("data-state", "live")


def test_a_removed_subject_leaves_the_open_map(
    tab: Page, server: WebServer, home: Household, services: Services
) -> None:
    (rex, _), (tom, collar) = placed(services, home, "Rex"), placed(services, home, "Tom")
    open_map(tab, server, (rex, tom))
    home.bearer.delete(f"/api/v1/subjects/{rex}")
    expect(tab.locator(f"[data-subject-id='{rex}']")).to_have_count(0)
    expect(tab.locator(f".dot[data-subject-id='{tom}']")).to_have_count(1)
    expect(tab.locator("[data-nobody]")).to_be_hidden()

    home.bearer.delete(f"/api/v1/devices/{collar}")
    row = tab.locator(f".subject[data-subject-id='{tom}']")
    expect(tab.locator(f".dot[data-subject-id='{tom}']")).to_have_count(0)
    expect(row).to_have_attribute("data-freshness", "never")
    expect(row).to_contain_text("Tom")
    expect(row.locator(".subject__age")).to_have_text("No position yet")
    report(services, home.account_id, tom, add_device(home.bearer, tom, "new collar"))
    expect(tab.locator(f".dot[data-subject-id='{tom}']")).to_have_count(1)
    expect(row).to_have_attribute("data-freshness", "live")

    home.bearer.delete(f"/api/v1/subjects/{tom}")
    expect(row).to_have_count(0)
    expect(tab.locator("[data-nobody]")).to_be_visible()


def test_what_was_removed_while_the_stream_was_away_leaves_the_map_when_it_is_back(
    tab: Page, server: WebServer, home: Household, services: Services, data_dir: Path, committed_database: str
) -> None:
    (rex, _), (tom, collar) = placed(services, home, "Rex"), placed(services, home, "Tom")
    open_map(tab, server, (rex, tom))
    server.close()
    expect(tab.locator("[data-live-state]")).to_have_attribute("data-state", "reconnecting")
    home.bearer.delete(f"/api/v1/subjects/{rex}")
    home.bearer.delete(f"/api/v1/devices/{collar}")
    again = WebServer(data_dir, committed_database, port=server.port)
    try:
        expect(tab.locator("[data-live-state]")).to_have_attribute("data-state", "live", timeout=15_000)
        expect(tab.locator(f"[data-subject-id='{rex}']")).to_have_count(0)
        expect(tab.locator(f".dot[data-subject-id='{tom}']")).to_have_count(0)
        expect(tab.locator(f".subject[data-subject-id='{tom}']")).to_have_attribute("data-freshness", "never")
    finally:
        again.close()
