"""Runs long computations beside the server's greenlets, so that the other requests go on meanwhile."""

from collections.abc import Callable
from typing import TypeVar

from gevent import monkey
from gevent.threadpool import ThreadPool

THREADS = 2
"""More would not be faster: one process computes with one core."""

Answer = TypeVar("Answer")


class Apart:
    """Real threads for pure computations; what is called must not touch database or request.

    Where the standard library is not cooperative (tests, commands) the caller computes itself.
    """

    def __init__(self) -> None:
        self._pool = ThreadPool(THREADS) if monkey.is_module_patched("threading") else None

    def __call__(self, work: Callable[[], Answer]) -> Answer:
        """Return what `work` returns, or raise what it raises."""
        if self._pool is None:
            return work()
        answer: Answer = self._pool.apply(work)
        return answer
