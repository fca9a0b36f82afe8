"""Who is on the way is believed at once, who leaps is not."""

import pytest

from tests.geofence.engine.script import LAT, LON, METRE_LAT, at, folded, played
from tracker.domain.observation import Observation
from tracker.geofence._legs import leg_to


def test_one_sure_fix_on_a_steady_way_out_is_enough() -> None:
    assert played("0 0\n60 70\n120 140") == ["out in_stride at=120 decided=120 earliest=60"]


def test_one_sure_fix_on_a_steady_way_in_is_enough() -> None:
    assert played("0 400\n60 230\n120 60") == ["in in_stride at=120 decided=120 earliest=60"]


def test_wandering_of_a_receiver_at_rest_is_no_stride() -> None:
    assert played("0 0\n60 8\n120 140\n180 0") == []


def test_a_turn_back_is_no_stride() -> None:
    assert played("0 60\n60 -10\n120 140\n180 0") == []


def test_reports_far_apart_are_no_stride() -> None:
    assert played("0 0\n300 70\n600 140", until=610) == []


def test_a_reflection_that_lasts_three_reports_is_no_leaving() -> None:
    assert played("0 0\n10 0\n20 250\n30 255\n40 248\n50 252\n60 0\n70 0", until=9000) == []


def test_who_leapt_and_stays_there_for_a_minute_has_left() -> None:
    script = "0 0\n10 250\n" + "\n".join(f"{second} 250" for second in range(20, 80, 10))
    assert played(script) == ["out confirmed at=10 decided=70 earliest=0"]


def test_who_drives_off_fast_and_goes_on_has_left() -> None:
    assert played("0 0\n10 150\n20 300\n30 450")[0].startswith("out in_stride at=10 decided=20")


@pytest.mark.parametrize("turn", [0, 120, -120])
def test_a_leg_is_the_same_over_the_180th_meridian(turn: int) -> None:
    def shifted(fix: Observation) -> Observation:
        return fix._replace(lon=(fix.lon - LON + 180 + turn * 1e-5 + 180) % 360 - 180)

    way = [at(0, 0, east_m=-60), at(60, 0, east_m=0), at(120, 0, east_m=60)]
    plain, moved = leg_to(way[2], way[1], way[0]), leg_to(*map(shifted, (way[2], way[1], way[0])))
    assert moved.in_stride is plain.in_stride is True
    assert moved.mps == pytest.approx(plain.mps)


def test_the_explanation_shows_the_fix() -> None:
    (crossing,) = folded("0 0\n60 70\n120 140").crossings[1:]
    assert [round((line.lat - LAT) / METRE_LAT) for line in crossing.evidence] == [140]
