"""Puts together what a device says value by value: a window of time makes one position. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from tracker.domain.position import Report
from tracker.domain.window import Window
from tracker.ingest.dialects._message import Assembling, Part

__all__ = ["Window", "close", "fold"]


def fold(
    window: Window | None,
    dialect: str,
    length: timedelta,
    parts: Sequence[Part],
    received_at: datetime,
    *,
    retained: bool,
) -> Window:
    """Return the device's window with the parts of one message.

    `length` is the dialect's `window`: the first part after a closing makes the window due that much later.
    A window of another `dialect` is forgotten: the device speaks anew. Close a due window before.
    """
    if window is None or window.dialect != dialect:
        window = Window(dialect=dialect, received_at=received_at)
    if not parts:
        return window
    values = dict(window.values)
    for part in parts:
        if part.value is None:
            values.pop(part.name, None)
        else:
            values[part.name] = part.value
    told = frozenset() if retained else frozenset(part.name for part in parts)
    return Window(
        dialect=dialect,
        received_at=max(window.received_at, received_at),
        values=values,
        fresh=window.fresh | told,
        due_at=window.due_at or received_at + length,
    )


def close(window: Window, dialect: Assembling) -> tuple[Window, Report | None]:
    """Return the window with nothing waiting, and what came of it: None if it made no new position."""
    position = dialect.assemble(window.values, window.fresh, window.received_at)
    closed = replace(window, fresh=frozenset(), due_at=None)
    return closed, None if position is None else Report(position=position)
