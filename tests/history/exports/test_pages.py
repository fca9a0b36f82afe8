"""A history of any length and density comes in pages, whole and in order."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.history.fixes import placed
from tracker.domain.geo import LatLon
from tracker.domain.position import EARLIEST, Placed, Position
from tracker.history.exporting import pages


def history(seconds: Sequence[tuple[int, str]]) -> list[Placed]:
    """Return positions of devices at these seconds, in the order of the store."""
    return [
        placed(
            Position(recorded_at=EARLIEST + timedelta(seconds=at), at=LatLon(lat=1, lon=2)), device_id=device
        )
        for at, device in sorted(seconds)
    ]


@settings(max_examples=100, deadline=None)
@given(
    seconds=st.sets(
        st.tuples(st.integers(0, 10) | st.integers(0, 800_000_000), st.sampled_from(["a" * 16, "b" * 16])),
        max_size=60,
    ),
    size=st.integers(1, 7),
)
def test_every_position_comes_once_and_oldest_first(seconds: set[tuple[int, str]], size: int) -> None:
    stored = history(list(seconds))
    asked = []

    def fetch(
        since: datetime, until: datetime, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[Placed]:
        asked.append((since, until))
        fit = [each for each in stored if since <= each.position.recorded_at < until]
        behind = [each for each in fit if not after or (each.position.recorded_at, each.device_id) > after]
        return behind[:limit]

    until = EARLIEST + timedelta(seconds=800_000_000)
    found = list(pages(fetch, EARLIEST, until, size))
    assert [each for page in found for each in page] == [
        each for each in stored if each.position.recorded_at < until
    ]
    assert all(len(page) <= size for page in found)
    # Silence of years costs few questions.
    assert len(asked) <= 20 * (len(stored) + 1)
