"""docs/geofences.md says what the code does."""

from pathlib import Path

import pytest

from tracker.domain.crossing import How
from tracker.domain.rule import RuleKind
from tracker.geofence import verdict
from tracker.geofence._table import NUMBERS
from tracker.wiring import rule_kinds

PAGE = (Path(__file__).parents[2] / "docs" / "geofences.md").read_text()
KINDS = rule_kinds()


def line_of(kind: str) -> str:
    return next(line for line in PAGE.splitlines() if line.startswith(f"| `{kind}` |"))


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_rule_is_explained_with_its_events_and_settings(kind: RuleKind) -> None:
    named = [*kind.types, *(field.name for field in kind.fields)]
    assert [name for name in named if f"`{name}`" not in line_of(kind.name)] == []


@pytest.mark.parametrize("how", list(How))
def test_every_way_of_deciding_is_explained(how: How) -> None:
    assert line_of(how.value)


def test_the_numbers_are_those_of_the_code() -> None:
    assert f"{NUMBERS.confirm_n} sure fixes {NUMBERS.confirm_s:g} s apart" in PAGE
    assert f"no contrary one for {NUMBERS.settle_s:g} s" in PAGE
    assert f"only poor fixes for {NUMBERS.weak_s:g} s" in PAGE
    assert f"more than {NUMBERS.leap_mps:g} m/s" in PAGE
    assert f"has been there for {NUMBERS.leap_s:g} s" in PAGE
    assert f"is {verdict.IN_AT:g} or more" in PAGE
    assert f"is {verdict.OUT_AT:.2f} or less" in PAGE
