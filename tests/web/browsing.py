"""A tab of the family's browser, for tests of pages: what must hold on every page is checked on each."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.web.callers import Household
from tests.web.serving import WebServer
from tracker.web.guards import SESSION_COOKIE

PHONE = {"width": 390, "height": 844}
REFUSED = re.compile(r"status of (401|422)")
"""Chromium logs a form that came back with what is wrong."""
DESK = {"width": 1280, "height": 800}


@contextmanager
def signed_in(
    chromium: Browser, server: WebServer, home: Household, *, width: int = 390, scripts: bool = True
) -> Iterator[Page]:
    """Open a tab of the owner's; leaving it fails if the page logged an error or asked another host."""
    context = chromium.new_context(
        locale="en",
        timezone_id="Europe/Helsinki",
        viewport=PHONE if width < 900 else DESK,  # type: ignore[arg-type]
        base_url=server.url,
        java_script_enabled=scripts,
    )
    context.add_cookies([{"name": SESSION_COOKIE, "value": home.cookie.cookie or "", "url": server.url}])
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    own = (server.url, "data:", "blob:")
    page.on("request", lambda asked: None if asked.url.startswith(own) else wrong.append(asked.url))
    try:
        yield page
    finally:
        context.close()
    assert [each for each in wrong if not REFUSED.search(each)] == []


def is_sound(page: Page) -> bool:
    """Tell whether the page is open to everybody (axe) and no wider than its window; raises what is not."""
    found = Axe().run(page).response["violations"]
    assert not found, [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    return True
