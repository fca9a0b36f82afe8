from tests.geofence.rules.day import PHONE, WATCH, Day, clock
from tracker.domain.crossing import How


def test_a_coming_is_told_when_it_is_decided() -> None:
    (raised,) = Day("arrived").comes("8:31", decided_s="8:33", earliest_s="8:30").told()
    assert (raised.type, raised.at_s, raised.decided_at_s) == ("arrived", clock("8:31"), clock("8:33"))
    assert raised.data["earliest_at"] == clock("8:30")
    assert raised.data["after_gap"] is False
    assert len(raised.why) == 2


def test_a_coming_within_a_silence_says_between_when() -> None:
    (raised,) = Day("arrived").comes("8:40", earliest_s="8:05").told()
    assert raised.data["after_gap"] is True
    assert raised.data["earliest_at"] == clock("8:05")


def test_being_there_is_no_coming() -> None:
    assert Day("arrived").comes("8:31", how=How.FIRST).told() == []
    assert Day("arrived").comes("8:31", how=How.REDRAWN).told() == []


def test_after_having_been_there_the_next_coming_is_told() -> None:
    day = Day("arrived").comes("8:00", how=How.FIRST).goes("9:00").comes("10:00").goes("11:00")
    assert day.tells() == [("arrived", "10:00")]


def test_a_short_visit_is_not_told_if_it_must_stay() -> None:
    assert Day("arrived", min_stay_s=600).comes("8:00").goes("8:08").tells() == []
    stayed = Day("arrived", min_stay_s=600).comes("8:00").goes("8:11").told()
    assert [(each.at_s, each.decided_at_s) for each in stayed] == [(clock("8:00"), clock("8:10"))]


def test_who_falls_silent_inside_has_stayed() -> None:
    assert Day("arrived", min_stay_s=600).comes("8:00").tells("8:09:59") == []
    assert Day("arrived", min_stay_s=600).comes("8:00").tells("8:10") == [("arrived", "08:00")]


def test_the_second_device_of_a_child_does_not_come_again() -> None:
    day = Day("arrived", devices=(PHONE, WATCH)).comes("8:00").comes("8:03", device_id=WATCH)
    assert day.tells() == [("arrived", "08:00")]


def test_the_second_device_may_leave_and_come_while_the_first_stays() -> None:
    day = Day("arrived", devices=(PHONE, WATCH)).comes("8:00").comes("8:03", device_id=WATCH)
    day.reports("8:05", "9:30", 0).goes("9:00", device_id=WATCH).comes("9:10", device_id=WATCH)
    assert day.tells() == [("arrived", "08:00")]


def test_a_device_that_died_inside_does_not_hide_the_next_coming() -> None:
    day = Day("arrived", devices=(PHONE, WATCH)).comes("8:00").comes("8:01", device_id=WATCH)
    day.goes("12:00", device_id=WATCH).comes("15:00", device_id=WATCH)
    assert day.tells() == [("arrived", "08:00"), ("arrived", "15:00")]


def test_a_phone_forgotten_at_home_does_not_hide_the_next_coming() -> None:
    day = Day("arrived", devices=(PHONE, WATCH)).comes("7:00").comes("7:01", device_id=WATCH)
    day.reports("7:00", "20:00", 0).goes("8:00", device_id=WATCH).comes("15:00", device_id=WATCH)
    assert day.tells() == [("arrived", "07:00"), ("arrived", "15:00")]


def test_another_fence_and_another_subject_are_not_meant() -> None:
    day = Day("arrived").comes("8:00")
    assert day.renamed(geofence_id="d" * 16).told() == []
    other = Day("arrived").comes("8:00")
    other.setting = other.setting._replace(subject_id="2" * 16)
    assert other.told() == []
