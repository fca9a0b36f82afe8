"""Who is near the edge stays where he was."""

import math

from tests.geofence.engine.script import home, played


def test_drift_around_the_edge_crosses_nothing() -> None:
    script = "\n".join(f"{60 * n} {100 + 9 * math.sin(n)} 8" for n in range(1, 300))

    assert played(f"0 0\n{script}") == []


def test_leaving_is_judged_by_the_edge_moved_out() -> None:
    # 115 m from the centre at 8 m is surely outside of 100 m, not of 110.
    assert played("0 0\n" + "\n".join(f"{60 * n} 115 8" for n in range(1, 9))) == []


def test_entering_is_judged_by_the_edge_itself() -> None:
    assert played("0 900\n60 92 8\n120 92 8") == ["in confirmed at=60 decided=120 earliest=0"]


def test_fence_smaller_than_the_error_is_entered_by_three_fixes_in_its_middle() -> None:
    assert played("0 900\n60 0 40\n120 0 40", home(30)) == []
    assert played("0 900\n60 0 40\n120 0 40\n180 0 40", home(30)) == [
        "in confirmed at=60 decided=180 earliest=0"
    ]


def test_fence_much_smaller_than_the_error_is_not_entered() -> None:
    assert played("0 900\n" + "\n".join(f"{60 * n} 20 400" for n in range(1, 60)), home(30)) == []
