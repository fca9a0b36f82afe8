"""Waiting for a condition instead of sleeping for a while."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(probe: Callable[[], Found | None], what: str, *, timeout_s: float = 30) -> Found:
    """Return the first true answer of `probe`, asked every 50 ms.

    Raises:
        AssertionError: none came within `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        found = probe()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {timeout_s:g} s in vain for {what}"
        time.sleep(0.05)
