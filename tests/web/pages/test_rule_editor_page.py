"""The rule editor in a browser: choosing a kind, its fields, the trial, mistakes."""

import pytest
from playwright.sync_api import Page, expect

from tests.web.browsing import is_sound
from tests.web.callers import Household, add_device, add_subject
from tests.web.happenings import add_place, add_rule, to_school, travel
from tracker.web.context import Services

pytestmark = pytest.mark.browser


def test_a_rule_is_made_step_by_step(tab: Page, home: Household) -> None:
    add_subject(home.bearer, "Masha", "child")
    place_id = add_place(home.bearer)
    tab.goto(f"/places/{place_id}")
    tab.get_by_role("link", name="Add a rule").click()
    assert is_sound(tab)
    tab.get_by_role("link", name="Is not there in time").click()
    tab.get_by_label("By", exact=True).fill("08:30")
    tab.get_by_label("Grace").fill("10")
    tab.get_by_label("Everybody it suits").uncheck()
    tab.get_by_label("Masha").check()
    tab.get_by_text("When it applies").click()
    line = tab.get_by_role("group", name="Days and hours, line 1")
    for day in ("Monday", "Tuesday"):
        line.get_by_label(day).check(force=True)
    tab.get_by_label("Next one after, minutes").fill("5")
    assert is_sound(tab)
    tab.get_by_role("button", name="Save").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("School")
    expect(tab.locator("#rules")).to_contain_text("Is not there in time")
    (rule,) = home.bearer.get("/api/v1/rules").json["items"]
    assert rule["args"] == {"by": "08:30", "grace_s": 600, "silent_after_s": 1200}
    assert rule["notify"]["escalate_after_s"] == 300
    assert rule["schedule"]["weekly"][0]["days"] == [0, 1]
    assert len(rule["subject_ids"]) == 1


def test_hours_of_a_rule_without_a_place_are_of_the_browser_s_zone(tab: Page, home: Household) -> None:
    """On the first page that this browser opens: no other one has told its zone before."""
    add_subject(home.bearer, "Masha", "child")
    tab.goto("/rules/new?kind=battery")
    tab.get_by_text("When it applies").click()
    line = tab.get_by_role("group", name="Days and hours, line 1")
    line.get_by_label("Sunday").check(force=True)
    tab.get_by_role("button", name="Save").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Rules")
    (rule,) = home.bearer.get("/api/v1/rules").json["items"]
    assert rule["schedule"]["time_zone"] == "Europe/Helsinki"


def test_the_trial_tells_what_the_last_month_would_have_told(
    tab: Page, home: Household, services: Services
) -> None:
    subject_id = add_subject(home.bearer, "Masha", "child")
    travel(services, home.account_id, subject_id, add_device(home.bearer, subject_id), to_school())
    place_id = add_place(home.bearer)
    tab.goto(f"/places/{place_id}/rules/new?kind=arrived")
    tab.get_by_label("Name of the rule").fill("Lessons")
    tab.get_by_role("button", name="Try it on the last month").click()
    preview = tab.locator("#preview")
    expect(preview.locator("[data-would-tell]")).to_have_text("1")
    expect(preview).to_contain_text("Masha arrived at School")
    expect(tab.get_by_label("Name of the rule")).to_have_value("Lessons")
    assert is_sound(tab)
    assert home.bearer.get("/api/v1/rules").json["items"] == []
    tab.get_by_role("button", name="Save").click()
    expect(tab.locator("#rules")).to_contain_text("Lessons")


def test_a_mistake_is_said_at_its_field(tab: Page, home: Household) -> None:
    add_subject(home.bearer)
    tab.goto(f"/places/{add_place(home.bearer)}/rules/new?kind=not_arrived")
    tab.get_by_label("Everybody it suits").uncheck()
    tab.get_by_role("button", name="Save").click()
    expect(tab.locator("[id='args.by-error']")).to_be_visible()
    expect(tab.locator("#subject_ids-error")).to_be_visible()
    assert is_sound(tab)


def test_a_rule_is_switched_off_and_deleted(tab: Page, home: Household) -> None:
    rule_id = add_rule(home.bearer, "battery")
    tab.goto("/rules")
    tab.get_by_role("link", name="Battery low").click()
    expect(tab.get_by_label("Below")).to_have_value("15")
    tab.get_by_label("Switched on").uncheck()
    tab.get_by_role("button", name="Save").click()
    expect(tab.get_by_text("Saved.")).to_be_visible()
    assert home.bearer.get(f"/api/v1/rules/{rule_id}").json["enabled"] is False
    assert is_sound(tab)
    tab.on("dialog", lambda dialog: dialog.accept())
    tab.get_by_role("button", name="Delete").click()
    expect(tab.get_by_text("No rules yet")).to_be_visible()


def test_every_kind_has_a_page_that_everybody_can_use(tab: Page, home: Household) -> None:
    add_subject(home.bearer, "Masha", "child")
    add_subject(home.bearer, "Car", "vehicle")
    add_subject(home.bearer, "Rex", "pet")
    add_place(home.bearer)
    kinds = [each["kind"] for each in home.bearer.get("/api/v1/rules/kinds").json["items"]]
    for kind in kinds:
        answer = tab.goto(f"/rules/new?kind={kind}")
        assert answer
        assert answer.status == 200, kind
        assert is_sound(tab)


def test_kilometres_an_hour_are_kept_as_metres_a_second(tab: Page, home: Household) -> None:
    add_subject(home.bearer, "Car", "vehicle")
    tab.goto("/rules/new?kind=speed")
    tab.get_by_label("Limit").fill("90")
    tab.get_by_role("button", name="Save").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Rules")
    (rule,) = home.bearer.get("/api/v1/rules").json["items"]
    assert rule["args"]["limit_mps"] == pytest.approx(25)
    tab.get_by_role("link", name="Too fast").click()
    expect(tab.get_by_label("Limit")).to_have_value("90")
