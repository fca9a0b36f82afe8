"""A guardian does not answer: a minute later the next one is told, and when he answers nobody else is."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import House
from tests.e2e.family import SCHOOL, Family, fix, looking, opened_by_nobody
from tests.kit.waiting import until
from tracker.domain.clock import utc_now

pytestmark = pytest.mark.browser

PHONE = "+79161234535"
DAD, GRANNY = "+79161234536", "+79161234537"


@pytest.fixture
def family(house: House) -> Iterator[Family]:
    opened = Family.at(house, PHONE)
    yield opened
    opened.close()


def link_in(message: str) -> str:
    """Return the link that a message ends with."""
    found = message.splitlines()[-1]
    assert found.startswith("http"), message
    return found


# It waits a real minute, the least that a rule may wait.
def test_when_nobody_answers_the_next_one_is_told_until_somebody_does(
    family: Family, chromium: Browser
) -> None:
    masha = family.subject("child", "Masha")
    phone = family.device(masha)
    school = family.circle("School", SCHOOL, 100, masha, "school")
    mum = family.get("/contacts")["items"][0]["id"]
    dad, granny = family.contact("Dad", DAD), family.contact("Granny", GRANNY)
    notify = {
        "contact_ids": [mum, dad, granny],
        "channels": ["sms"],
        "urgency": "urgent",
        "all_at_once": False,
        "escalate_after_s": 60,
    }
    family.rule("left", masha, school, notify=notify)

    now = utc_now()
    for n in range(6):
        phone.tell(fix(SCHOOL.moved(north_m=90 * n), now + timedelta(seconds=2 * n)))

    first = family.alert("left")
    assert [each["contact_id"] for each in first["deliveries"]] == [mum]
    told_at, next_at = (datetime.fromisoformat(first[name]) for name in ("told_at", "escalates_at"))
    assert timedelta(seconds=55) < next_at - told_at < timedelta(seconds=65)
    assert (family.messages(DAD), family.messages(GRANNY)) == ([], [])

    (asked,) = until(lambda: family.messages(DAD), "Dad to be told", timeout_s=90)
    second = family.alert("left")
    assert [(each["contact_id"], each["step"]) for each in second["deliveries"]] == [(mum, 0), (dad, 1)]
    assert second["state"] == "open"
    assert asked.startswith("Nobody answered. Masha left School")
    assert family.messages(GRANNY) == []

    with looking(chromium, family) as mums, opened_by_nobody(chromium, family) as dads:
        mums.page.goto(f"{family.house.url}/alerts")
        row = mums.page.locator(f"[data-alert-id='{first['id']}']")
        expect(row).to_have_attribute("data-state", "open")
        mums.page.evaluate("window.neverReloaded = true")
        dads.page.goto(link_in(asked))
        expect(dads.page.get_by_role("heading", level=1)).to_contain_text("Masha left School")
        dads.page.get_by_role("button", name="Seen, I take care of it").click()
        expect(dads.page.get_by_text("Somebody takes care of it.")).to_be_visible()
        expect(row).to_have_attribute("data-state", "acknowledged")
        assert mums.page.evaluate("window.neverReloaded") is True

    (answered,) = family.alerts()
    assert (answered["state"], answered["escalates_at"]) == ("acknowledged", None)
    assert len(family.messages()) == len(family.messages(DAD)) == 1
    assert family.messages(GRANNY) == []
