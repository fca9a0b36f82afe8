"""The account's page: a token shown once, proof again before what is sensitive."""

import re

from tests.kit.clock import StandingClock
from tests.web.callers import Household, any_address, sent_code
from tracker.web.context import Services


def test_a_token_is_shown_once(home: Household) -> None:
    made = home.cookie.submit("/tokens", name="home automation")
    assert made.headers["Location"] == "/account?saved=token#tokens"
    first = home.cookie.client.get("/account").get_data(as_text=True)
    assert 'id="new-token"' in first
    assert 'id="new-token"' not in home.cookie.client.get("/account").get_data(as_text=True)


def test_after_five_minutes_the_page_asks_for_a_code_first(
    home: Household, services: Services, clock: StandingClock
) -> None:
    browser = home.cookie
    browser.client.environ_base["REMOTE_ADDR"] = any_address()
    clock.go_on(minutes=6)
    assert 'action="/account/step-up"' in browser.client.get("/account").get_data(as_text=True)
    refused = browser.submit("/account/code", code="verblyud42gorby")
    assert (refused.status_code, refused.headers["Location"]) == (303, "/account#own-code")
    browser.submit("/account/step-up/code")
    page = browser.client.get("/account").get_data(as_text=True)
    login_id = re.search(r'name="login_id" value="([0-9a-f]{16})"', page)[1]  # type: ignore[index]
    code = sent_code(services, home.phone)
    wrong = browser.submit("/account/step-up", code="00000000", login_id=login_id)
    assert wrong.status_code == 401
    assert 'id="step_up_code-error"' in wrong.get_data(as_text=True)
    assert browser.submit("/account/step-up", code=code, login_id=login_id).status_code == 303
    saved = browser.submit("/account/code", code="verblyud42gorby")
    assert saved.headers["Location"] == "/account?saved=own_code"


def test_another_session_is_ended_from_here(home: Household) -> None:
    assert home.cookie.submit(f"/sessions/{home.bearer.session_id}/delete").status_code == 303
    assert home.bearer.get("/api/v1/account").status_code == 401


def test_a_language_that_is_none_of_ours_is_refused(home: Household) -> None:
    assert home.cookie.submit("/account/locale", locale="de").status_code == 422
    assert home.cookie.submit("/account/locale", locale="ru").status_code == 303
