from tests.geofence.rules.day import PHONE, WATCH, Day, clock
from tracker.domain.crossing import How


def test_a_going_is_told_with_its_evidence() -> None:
    (raised,) = Day("left").goes("13:05", decided_s="13:06").told()
    assert (raised.type, raised.at_s, raised.decided_at_s) == ("left", clock("13:05"), clock("13:06"))
    assert raised.data["device_id"] == PHONE
    assert len(raised.why) == 2
    assert raised.suppressed == ()


def test_a_first_fix_outside_is_no_going() -> None:
    assert Day("left").goes("13:05", how=How.FIRST).told() == []
    assert Day("left").comes("8:00").goes("13:05", how=How.REDRAWN).told() == []


def test_a_short_way_out_is_not_told_if_it_must_be_away() -> None:
    assert Day("left", min_away_s=900).goes("10:00").comes("10:10").tells() == []
    assert Day("left", min_away_s=900).goes("10:00").comes("10:20").tells() == [("left", "10:00")]


def two() -> Day:
    return Day("left", devices=(PHONE, WATCH)).comes("8:00").comes("8:01", device_id=WATCH)


def test_the_first_device_that_goes_is_not_the_child() -> None:
    day = two().reports("8:00", "13:20", 0).goes("13:00", device_id=WATCH)
    assert day.tells("13:20") == []


def test_the_last_device_that_goes_is_and_the_first_is_named() -> None:
    day = two().reports("8:00", "13:00", 0).goes("13:00", device_id=WATCH).goes("13:02")
    (raised,) = day.told()
    assert (raised.at_s, raised.data["device_id"]) == (clock("13:02"), PHONE)
    assert [(each["device_id"], each["at_s"]) for each in raised.suppressed] == [(WATCH, clock("13:00"))]


def test_a_device_that_is_silent_for_long_does_not_hold_the_child() -> None:
    (raised,) = two().goes("13:00", device_id=WATCH).told()
    assert (raised.at_s, raised.decided_at_s) == (clock("13:00"), clock("13:01"))


def test_a_device_that_falls_silent_holds_the_child_for_half_an_hour() -> None:
    day = two().reports("8:00", "12:50", 0).goes("13:00", device_id=WATCH)
    assert day.tells("13:19") == []
    (raised,) = day.told("13:20")
    assert (raised.at_s, raised.decided_at_s) == (clock("13:00"), clock("13:20"))
    assert [each["device_id"] for each in raised.suppressed] == [PHONE]


def test_a_phone_left_behind_holds_the_child_for_half_an_hour_too() -> None:
    day = two().reports("8:00", "20:00", 0).goes("13:00", device_id=WATCH, decided_s="13:01")
    assert day.tells("13:30") == []
    (raised,) = day.told()
    assert (raised.at_s, raised.decided_at_s) == (clock("13:00"), clock("13:31"))
    assert [each["device_id"] for each in raised.suppressed] == [PHONE]
    assert day.comes("15:00", device_id=WATCH).goes("16:00", device_id=WATCH).tells() == [
        ("left", "13:00"),
        ("left", "16:00"),
    ]


def test_who_came_back_meanwhile_has_not_gone() -> None:
    day = two().reports("8:00", "12:50", 0).goes("13:00", device_id=WATCH).comes("13:10", device_id=WATCH)
    assert day.tells() == []


def test_a_second_device_switched_on_elsewhere_is_no_going() -> None:
    day = Day("left", devices=(PHONE, WATCH)).comes("8:00").reports("8:05", "10:00", 0)
    day.goes("9:00", how=How.FIRST, device_id=WATCH)
    assert day.tells() == []


def test_a_device_taken_from_the_child_does_not_hold_it() -> None:
    day = two().reports("8:00", "13:20", 0).goes("13:00", device_id=WATCH).watched_by(WATCH)
    assert day.tells("13:02") == [("left", "13:00")]
