from tests.geofence.rules.day import Day, clock
from tracker.domain.crossing import How


def test_a_stay_is_told_once_when_it_is_long_enough() -> None:
    day = Day("dwell", dwell_s=1800).comes("8:00").goes("12:00")
    assert day.tells() == [("dwelt", "08:30")]
    assert day.told()[0].data["since_at"] == clock("8:00")
    assert day.told()[0].data["dwell_s"] == 1800


def test_silence_is_no_leaving() -> None:
    assert Day("dwell", dwell_s=1800).comes("8:00").tells("8:29:59") == []
    assert Day("dwell", dwell_s=1800).comes("8:00").tells("8:30") == [("dwelt", "08:30")]


def test_a_shorter_stay_is_not_told_and_each_stay_counts_for_itself() -> None:
    day = Day("dwell", dwell_s=1800).comes("8:00").goes("8:20").comes("8:25").goes("8:50")
    assert day.tells() == []
    assert day.comes("9:00").tells() == [("dwelt", "09:30")]


def test_a_stay_found_by_the_first_fix_counts_from_it() -> None:
    day = Day("dwell", dwell_s=1800).comes("8:00", how=How.FIRST)
    assert day.tells("8:29") == []
    assert day.tells() == [("dwelt", "08:30")]


def test_a_stay_that_was_long_before_the_rule_was_made_is_not_told() -> None:
    day = Day("dwell", dwell_s=1800, active="12:00").comes("8:00", how=How.FIRST)
    assert day.tells() == []


def test_a_stay_decided_late_is_told_at_its_decision() -> None:
    (raised,) = Day("dwell", dwell_s=60).comes("8:00", decided_s="8:10").told()
    assert (raised.at_s, raised.decided_at_s) == (clock("8:01"), clock("8:10"))
