"""Somebody with a browser, and what he does in every story."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, Request, expect

from tests.e2e.conftest import House


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
