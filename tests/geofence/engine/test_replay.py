"""Late fixes: what is rewound, how far, and what is left to a correction."""

import math

import pytest

from benchmarks._arrival import Base, Plan, base_of, take
from tests.geofence.engine.script import OWNER, START_S, at, fixes, folded, home, told
from tests.geofence.engine.tracks import Row
from tracker.geofence.device_state import (
    CHECKPOINT_S,
    begin,
    begin_checkpoints,
    from_bytes,
    to_bytes,
)
from tracker.geofence.engine import replay, step

HOUR = "\n".join(f"{60 * n} 0" for n in range(61))


def seconds(plan: Plan) -> tuple[str, float, float, list[float], float | None]:
    correct = None if plan.correct_since_s is None else plan.correct_since_s - START_S
    ahead = [fix.at_s - START_S for fix in plan.ahead]
    return plan.base.value, plan.since_s - START_S, plan.upto_s - START_S, ahead, correct


def test_checkpoints_are_a_quarter_of_an_hour_apart() -> None:
    live, mid, old = folded(HOUR).points

    assert [state.frontier_s - START_S for state in (live, mid, old)] == [3600, 3600, 2700]
    live, mid, old = folded(HOUR + "\n3700 0").points
    assert live.frontier_s - mid.frontier_s < CHECKPOINT_S <= mid.frontier_s - old.frontier_s


def test_newer_fixes_are_stepped_by_moment_and_each_once() -> None:
    points = folded("0 0\n60 0").points

    assert seconds(take(*points, [at(180, 0), at(120, 0), at(180, 5), at(60, 0)])) == (
        "live",
        60,
        60,
        [120, 180],
        None,
    )


def test_late_fix_rewinds_to_the_checkpoint_before_it() -> None:
    points = folded(HOUR + "\n3700 0").points

    assert seconds(take(*points, [at(3650, 0)])) == ("mid", 3600, 3700, [], None)
    assert seconds(take(*points, [at(3590, 0), at(3650, 0), at(3710, 0)])) == (
        "old",
        2700,
        3700,
        [3710],
        None,
    )


def test_fix_older_than_all_checkpoints_asks_for_a_correction_and_holds_up_nothing() -> None:
    points = folded(HOUR + "\n3700 0").points

    assert seconds(take(*points, [at(5, 0), at(7, 0), at(3710, 0)])) == ("live", 3700, 3700, [3710], 5)
    assert seconds(take(*points, [at(5, 0), at(3650, 0)])) == ("mid", 3600, 3700, [], 5)


def test_fix_behind_a_decision_of_time_alone_rewinds_though_it_is_the_newest() -> None:
    row = Row(home())
    row.receive(fixes("0 0\n60 300"))
    row.tick(START_S + 600)
    assert told(row.told())[-1] == "out settled at=60 decided=180 earliest=0"

    row.receive([at(100, 0)])

    assert row.rewinds == 1
    assert [line.split()[1] for line in told(row.told())] == ["first"]


def test_decision_of_time_stands_after_a_rewind_that_does_not_touch_it() -> None:
    row = Row(home())
    row.receive(fixes("0 0\n60 300"))
    row.tick(START_S + 600)
    before = row.told()

    row.receive([at(30, 0)])

    assert row.rewinds == 1
    assert told(row.told())[-1] == "out settled at=60 decided=180 earliest=30"
    assert len(row.told()) == len(before)


def test_older_fix_is_refused() -> None:
    state = folded("0 0\n60 0").points.live

    for second in (0, 59, 60):
        with pytest.raises(ValueError, match="newer"):
            step(state, home(), at(second, 0), OWNER)


def test_nothing_before_the_beginning_is_taken() -> None:
    points = begin_checkpoints(START_S)

    assert seconds(take(*points, [at(-5, 0), at(5, 0)])) == ("live", 0, 0, [5], -5)
    with pytest.raises(ValueError, match="newer"):
        step(points.live, home(), at(0, 0), OWNER)


def test_replay_from_a_checkpoint_ends_where_the_whole_fold_does() -> None:
    script = "0 0\n900 0\n960 300\n1020 300\n1900 0\n1960 0\n2000 0\n2100 300"
    whole = folded(script)
    for base in (Base.MID, Base.OLD):
        points = base_of(whole.points, base)
        rest = [fix for fix in fixes(script) if fix.at_s > points.live.frontier_s]
        again = replay(points, home(), rest, OWNER)
        assert to_bytes(again.points.live) == to_bytes(whole.points.live)


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x02\x96", b"\x01\xc1", to_bytes(begin())[:-1]])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="state"):
        from_bytes(data)


def test_state_before_anything_has_bytes_too() -> None:
    assert from_bytes(to_bytes(begin())) == begin()
    assert begin().frontier_s == -math.inf
