"""What is exported and imported again is the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.history.fixes import POSITIONS, WRITERS, read, written
from tracker.domain.position import Position


@settings(max_examples=30, deadline=None)
@given(fixes=st.lists(POSITIONS, max_size=5), title=st.text(max_size=10))
@pytest.mark.parametrize("name", WRITERS)
def test_positions_come_back_equal(name: str, fixes: list[Position], title: str) -> None:
    file = written(name, fixes[:2], fixes[2:], title=title)
    positions, refused, ending = read(file, name)
    assert (refused, ending) == ([], None)
    assert positions == fixes


@settings(max_examples=10, deadline=None)
@given(fix=POSITIONS)
@pytest.mark.parametrize("name", WRITERS)
def test_a_file_is_known_by_its_content(name: str, fix: Position) -> None:
    assert read(written(name, [fix])) == ([fix], [], None)
