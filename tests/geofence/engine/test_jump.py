"""What cannot be true is not believed until another fix agrees."""

from tests.geofence.engine.script import folded, played
from tracker.domain.rule import Moved


def test_impossible_jump_is_no_evidence() -> None:
    fold = folded("0 0\n10 90000\n20 0\n30 0", until=90_000)

    assert len(fold.crossings) == 1  # where it was first
    assert [one.given.fix.at_s for one in fold.inputs if isinstance(one.given, Moved)] == [
        1_700_000_000.0,
        1_700_000_020.0,
        1_700_000_030.0,
    ]


def test_jump_that_is_confirmed_counts_from_its_first_fix() -> None:
    assert played("0 0\n10 90000\n30 90000\n70 90000") == ["out confirmed at=10 decided=70 earliest=0"]


def test_confirmed_jump_is_told_to_rules_when_it_is_believed() -> None:
    inputs = folded("0 0\n10 90000\n30 90000").inputs
    moved = [(one.at_s - 1.7e9, one.given.fix.at_s - 1.7e9) for one in inputs if isinstance(one.given, Moved)]

    assert moved == [(0, 0), (30, 10), (30, 30)]
    assert [one.given.before for one in inputs if isinstance(one.given, Moved)][-1] is not None


def test_time_passes_while_a_fix_is_not_believed() -> None:
    assert played("0 0\n60 300\n300 90000\n310 90000")[0] == "out settled at=60 decided=180 earliest=0"
