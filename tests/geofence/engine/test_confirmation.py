"""One fix makes no crossing: a second one must agree."""

from tests.geofence.engine.script import folded, played


def test_two_sure_fixes_make_a_crossing_of_the_moment_of_the_first() -> None:
    assert played("0 0\n60 300\n120 320") == ["out confirmed at=60 decided=120 earliest=0"]


def test_single_fix_far_off_makes_none() -> None:
    assert played("0 0\n60 300\n120 0\n180 0\n240 300\n300 0", until=9000) == []


def test_fixes_too_near_in_time_wait_unless_both_are_strong() -> None:
    assert played("0 0\n60 122\n61 122\n62 122\n81 122") == ["out confirmed at=60 decided=81 earliest=0"]
    assert played("0 50\n100 300\n101 300") == ["out confirmed at=100 decided=101 earliest=0"]


def test_unsure_fix_between_takes_nothing_back() -> None:
    assert played("0 0\n60 122\n70 105\n80 122") == ["out confirmed at=60 decided=80 earliest=0"]


def test_contrary_fix_takes_all_back() -> None:
    assert played("0 0\n60 122\n70 0\n80 122") == []


def test_there_and_back_are_two_crossings() -> None:
    assert played("0 0\n60 300\n120 300\n180 0\n240 0") == [
        "out confirmed at=60 decided=120 earliest=0",
        "in confirmed at=180 decided=240 earliest=120",
    ]


def test_evidence_is_told() -> None:
    crossing = folded("0 0\n60 300\n120 320").crossings[-1]

    assert [round(line.distance_m) for line in crossing.evidence] == [200, 220]
    assert all(line.side == "out" and line.probability < 0.01 and not line.weak for line in crossing.evidence)


def test_evidence_is_bounded_and_keeps_the_first_and_the_last() -> None:
    crossing = folded("0 0\n" + "\n".join(f"{60 + n} 122" for n in range(1, 13)) + "\n82 122").crossings[-1]

    assert len(crossing.evidence) == 8
    assert crossing.evidence[0].at_s < crossing.evidence[-1].at_s - 15
