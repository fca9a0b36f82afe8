"""Handing in a file in a real browser, to a real server, read by a real worker."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.history.fixes import many, written
from tests.web.callers import Household, add_device, add_subject, any_phone, household
from tests.web.serving import SECRET_KEY, WebServer
from tracker.domain.clock import utc_now
from tracker.settings import Settings
from tracker.web.app import create_app
from tracker.web.guards import SESSION_COOKIE
from tracker.wiring import build, import_workers

pytestmark = pytest.mark.browser


@pytest.fixture
def settings(fresh_database: str, data_dir: Path) -> Settings:
    """The settings that server and worker share."""
    return Settings(
        _env_file=None,
        data_dir=data_dir,
        database_url=fresh_database,
        secret_key=SECRET_KEY,
    )


@pytest.fixture
def family(settings: Settings) -> Iterator[Household]:
    """A signed-in family."""
    services = build(settings, clock=utc_now)
    yield household(create_app(services, provisioning_wait_s=0), services, any_phone())
    services.database.close()


@pytest.fixture
def worker(settings: Settings) -> Iterator[None]:
    """The part of `tracker work` that reads files."""
    stop = threading.Event()
    thread = threading.Thread(target=import_workers(settings)[0].run, args=(stop,))
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.fixture
def server(settings: Settings, data_dir: Path) -> Iterator[WebServer]:
    started = WebServer(data_dir, settings.database_url or "")
    yield started
    started.close()


@pytest.fixture
def visitor(chromium: Browser, server: WebServer, family: Household) -> Iterator[Page]:
    """The owner with a phone."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="en", base_url=server.url)
    context.add_cookies([{"name": SESSION_COOKIE, "value": family.cookie.cookie or "", "url": server.url}])
    yield context.new_page()
    context.close()


def test_a_file_is_handed_in_and_read_before_ones_eyes(
    visitor: Page, family: Household, worker: None, data_dir: Path
) -> None:
    device_id = add_device(family.bearer, add_subject(family.bearer))
    track = data_dir / "summer.gpx"
    track.write_bytes(written("gpx", many(9000)))
    visitor.goto(f"/imports?device_id={device_id}")
    expect(visitor.get_by_label("Whose history")).to_have_value(device_id)
    visitor.get_by_label("File", exact=True).set_input_files(track)
    visitor.get_by_role("button", name="Read the file").click()
    row = visitor.locator("li[data-import-id]")
    expect(row).to_contain_text("summer.gpx", timeout=30_000)
    expect(row.locator("[data-state]")).to_have_attribute("data-state", "done", timeout=60_000)
    expect(row).to_contain_text("positions: 9000, new: 9000")
    assert not Axe().run(visitor).response["violations"]
    assert visitor.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_wrong_file_is_said_to_be_wrong_on_the_page(
    visitor: Page, family: Household, data_dir: Path
) -> None:
    add_device(family.bearer, add_subject(family.bearer))
    letter = data_dir / "letter.txt"
    letter.write_text("Dear Sir,")
    visitor.goto("/imports")
    visitor.get_by_role("button", name="Read the file").click()
    expect(visitor.locator(".field__error").first).to_be_visible()
    visitor.get_by_label("Whose history").select_option(index=1)
    visitor.get_by_label("File", exact=True).set_input_files(letter)
    visitor.get_by_role("button", name="Read the file").click()
    expect(visitor.get_by_text("is of no format that this service reads")).to_be_visible()
    assert not Axe().run(visitor).response["violations"]
