"""A bad receiver cannot mute an exit for ever, nor make one of nothing."""

from tests.geofence.engine.script import played


def poor(north_m: float, accuracy_m: float, *, since: int = 60, many: int = 30, every: int = 120) -> str:
    return "\n".join(f"{since + every * n} {north_m} {accuracy_m}" for n in range(many))


def test_exit_seen_by_poor_fixes_only_is_told_after_ten_minutes() -> None:
    assert played("0 0\n" + poor(1500, 2000)) == ["out worn at=60 decided=660 earliest=0"]


def test_bound_holds_for_any_accuracy() -> None:
    assert len(played("0 0\n" + poor(1500, 50_000))) == 1


def test_cell_fixes_half_a_kilometre_off_are_no_exit() -> None:
    assert played("0 0\n" + poor(500, 2000)) == []


def test_poor_fix_of_the_same_side_begins_the_count_anew() -> None:
    script = "0 0\n" + poor(1500, 2000, many=5) + "\n650 0 300\n" + poor(1500, 2000, since=700, many=5)

    assert played(script) == []


def test_two_poor_fixes_are_too_few_however_far_apart() -> None:
    assert played("0 0\n60 1500 2000\n4000 1500 2000", until=90_000) == []
