import pytest

from tests.geofence.rules.day import PHONE, WATCH, Day, clock
from tracker.domain.crossing import How


@pytest.mark.parametrize(
    ("direction", "told"),
    [
        ("any", [("crossed", "08:00"), ("crossed", "09:00")]),
        ("in", [("crossed", "08:00")]),
        ("out", [("crossed", "09:00")]),
    ],
)
def test_only_the_direction_asked_for_is_told(direction: str, told: list[tuple[str, str]]) -> None:
    assert Day("crossed", direction=direction).comes("8:00").goes("9:00").tells() == told


def test_the_direction_is_said() -> None:
    directions = [each.data["direction"] for each in Day("crossed").comes("8:00").goes("9:00").told()]
    assert directions == ["in", "out"]


@pytest.mark.parametrize("direction", ["any", "in", "out"])
def test_passing_through_between_two_reports_is_both(direction: str) -> None:
    (raised,) = Day("crossed", direction=direction).passes("8:00", until="8:01").told()
    assert (raised.at_s, raised.decided_at_s) == (clock("8:00"), clock("8:01"))
    assert (raised.data["direction"], raised.data["inside_m"]) == ("through", 150.0)


def test_each_passage_is_told_but_two_devices_pass_together() -> None:
    day = Day("crossed", devices=(PHONE, WATCH)).passes("8:00", until="8:01")
    day.passes("8:00:30", until="8:01:30", device_id=WATCH).passes("8:05", until="8:06")
    assert [each.data["device_id"] for each in day.told()] == [PHONE, PHONE]


def test_a_first_fix_and_a_redrawn_fence_are_no_crossing() -> None:
    assert Day("crossed").comes("8:00", how=How.FIRST).goes("9:00", how=How.REDRAWN).tells() == []
