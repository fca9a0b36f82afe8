from tests.geofence.rules.day import Day, clock
from tracker.domain.crossing import How
from tracker.domain.rule import Urgency
from tracker.domain.subject import SubjectKind


def test_an_escape_is_an_alarm_with_what_a_chase_needs() -> None:
    day = (
        Day("escape", most_min=60)
        .comes("8:00", how=How.FIRST)
        .is_at("9:00", 0, battery_pct=71.0)
        .goes("9:05")
    )
    (raised,) = day.told()
    assert (raised.type, raised.at_s, raised.ends) == ("escaped", clock("9:05"), False)
    chase = {"report_every_s": 15.0, "most_min": 60.0, "battery_least_pct": 15.0, "battery_pct": 70}
    assert chase.items() <= raised.data.items()
    assert day.kind.urgency is Urgency.ALARM
    assert day.kind.fits == {SubjectKind.PET}


def test_coming_back_ends_the_same_escape() -> None:
    escaped, caught = Day("escape").goes("9:05").comes("9:45").told()
    assert (caught.type, caught.slot, caught.ends) == ("caught", escaped.slot, True)
    assert caught.data["away_s"] == 40 * 60


def test_each_escape_has_its_own_end() -> None:
    day = Day("escape").goes("9:05").comes("9:45").goes("10:00").comes("10:10")
    assert [each for each, _ in day.tells()] == ["escaped", "caught", "escaped", "caught"]
    slots = [each.slot for each in day.told()]
    assert slots[0] == slots[1] != slots[2] == slots[3]


def test_a_collar_switched_on_outside_is_no_escape_and_coming_home_no_catch() -> None:
    assert Day("escape").goes("9:05", how=How.FIRST).comes("9:45").tells() == []


def test_an_escape_is_caught_once() -> None:
    day = Day("escape").goes("9:05").comes("9:45").goes("10:00", how=How.REDRAWN).comes("10:30")
    assert day.tells() == [("escaped", "09:05"), ("caught", "09:45")]


def test_an_unknown_battery_is_said_as_unknown() -> None:
    (raised,) = Day("escape").is_at("9:00", 0, battery_pct=float("nan")).goes("9:05").told()
    assert raised.data["battery_pct"] is None


def test_the_battery_does_not_change_the_state_with_each_fix() -> None:
    day = Day("escape")
    state = day.kind.begin(day.setting)
    seen = []
    for percent in range(100, 59, -1):
        day.inputs.clear()
        day.is_at("9:00", 0, battery_pct=float(percent))
        after, _ = day.kind.step(day.setting, state, day.inputs[0].given, clock("9:00"))
        seen.append(after is not state)
        state = after
    assert sum(seen) <= 9
