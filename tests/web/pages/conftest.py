"""A running server and a tab of the owner's, for pages that need both."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.kit.clock import StandingClock
from tests.web.browsing import signed_in
from tests.web.callers import Household
from tests.web.serving import WebServer
from tracker.domain.clock import utc_now


@pytest.fixture
def clock() -> StandingClock:
    """The server has the machine's clock, so the sessions must live by it."""
    return StandingClock(now=utc_now())


@pytest.fixture
def tab(chromium: Browser, server: WebServer, home: Household) -> Iterator[Page]:
    """A phone of the owner's; the test fails if its page logs an error or asks another host."""
    with signed_in(chromium, server, home) as page:
        yield page
