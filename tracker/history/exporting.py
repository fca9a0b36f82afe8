"""Turns a history of any length into pages, so that writing it needs the memory of one page."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from tracker.domain.position import Placed

PAGE = 2000
_FIRST_WINDOW = timedelta(days=1)
_LONGEST_WINDOW = timedelta(days=3660)
_SHORTEST_WINDOW = timedelta(seconds=1)


class Fetch(Protocol):
    """Reads positions."""

    def __call__(
        self, since: datetime, until: datetime, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[Placed]:
        """Return up to `limit` positions, since <= recorded_at < until, oldest first.

        Those of one moment are in the order of device ids; all lie behind (recorded_at, device id) `after`.
        """


def pages(fetch: Fetch, since: datetime, until: datetime, size: int = PAGE) -> Iterator[Sequence[Placed]]:
    """Yield all positions from `since` until before `until`, oldest first, up to `size` at a time.

    The database sorts what it is asked for before it gives the first rows of it: asking for all that is left,
    page after page, would cost the square of the length. So each question is about a span of time that holds
    about four pages, by how dense the last one was.
    """
    window = _FIRST_WINDOW
    after: tuple[datetime, str] | None = None
    while since < until:
        end = min(until, since + window)
        page = fetch(since, end, after, size)
        if page:
            yield page
        if len(page) < size:
            since, window = end, min(window * 4, _LONGEST_WINDOW)
            continue
        first, last = page[0].position.recorded_at, page[-1].position.recorded_at
        since, window = last, max((last - first) * 4, _SHORTEST_WINDOW)
        after = (last, page[-1].device_id)
