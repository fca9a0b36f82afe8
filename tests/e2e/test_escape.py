"""A cat escapes: alarm, its collar is asked to report often, and when it is home again all that ends."""

from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import House
from tests.e2e.family import Family, Handset, Spot, fix, looking
from tests.kit.waiting import until
from tracker.domain.clock import utc_now

pytestmark = pytest.mark.browser

PHONE = "+79161234533"
HOME = Spot(55.8021, 37.5105)


@pytest.fixture
def family(house: House) -> Iterator[Family]:
    opened = Family.at(house, PHONE)
    yield opened
    opened.close()


def asked(collar: Handset) -> dict[str, object]:
    """Return the arguments of the next command, which is signed and for this collar."""
    command = collar.command()
    assert (command["device_id"], command["kind"]) == (collar.device_id, "live")
    assert len(b64decode(command["sig"])) == 64
    assert command["issued_at"] < command["expires_at"]
    found: dict[str, object] = command["args"]
    return found


def test_a_cat_escapes_is_chased_and_is_caught(family: Family, chromium: Browser) -> None:
    cat = family.subject("pet", "Murka")
    collar = family.device(cat, "collar")
    home = family.circle("Home", HOME, 50, cat, "home")
    args = {"report_every_s": 10, "most_min": 30, "battery_least_pct": 20}
    family.rule("escape", cat, home, args=args)
    family.an_hour_old()
    now = utc_now()

    for minutes in (20, 15, 10):
        collar.tell(fix(HOME.moved(east_m=minutes), now - timedelta(minutes=minutes), battery_pct=81))
    for minutes, north_m in ((8, 70), (7, 130), (6, 190)):
        collar.tell(fix(HOME.moved(north_m=north_m), now - timedelta(minutes=minutes), battery_pct=78))

    escaped = family.alert("escaped")
    event = escaped["event"]
    assert escaped["urgency"] == "alarm"
    assert event["text"].startswith("Escape! Murka is out of Home")
    assert asked(collar)["every_s"] == 10
    chase = family.get(f"/chases/{event['id']}")
    assert (chase["state"], chase["device_id"]) == ("running", collar.device_id)
    assert chase["battery_least_pct"] == 20
    first = chase["disc"]["properties"]["radius_m"]
    grown = until(
        lambda: family.get(f"/chases/{event['id']}")["disc"]["properties"]["radius_m"] > first,
        "the disc to grow",
    )
    assert grown

    with looking(chromium, family) as owners:
        page = owners.page
        alarm = page.locator(f"[data-alert-id='{escaped['id']}']")
        expect(alarm).to_have_attribute("data-urgency", "alarm")
        expect(alarm).to_have_attribute("data-state", "open")
        expect(page.locator("[data-live-state]")).to_have_attribute("data-state", "live")
        page.evaluate("window.neverReloaded = true")

        # It trots home, and its collar reports as it was asked to.
        for n in range(12):
            at = now - timedelta(minutes=5) + timedelta(seconds=10 * n)
            collar.tell(fix(HOME.moved(north_m=max(0, 190 - 20 * n)), at, battery_pct=77))
        caught = family.alert("caught")
        expect(alarm).to_have_attribute("data-state", "resolved")
        home_again = page.locator(f"[data-alert-id='{caught['id']}']")
        expect(home_again.get_by_role("link")).to_contain_text("Murka is back in Home")
        assert page.evaluate("window.neverReloaded") is True

    assert caught["event"]["text"].startswith("Murka is back in Home")
    assert asked(collar)["every_s"] is None
    ended = until(
        lambda: (found := family.get(f"/chases/{event['id']}"))["state"] == "ended" and found,
        "the chase to end",
    )
    assert ended["reason"] == "caught"
    assert not collar.has_commands
    first_told, last_told = family.messages()
    assert first_told.startswith("Escape! Murka is out of Home")
    assert last_told.startswith("Murka is back in Home")
    assert [each["type"] for each in family.events()] == ["caught", "escaped"]
