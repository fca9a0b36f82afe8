"""Lists in pages: a stable order, and an opaque cursor that says behind what to go on."""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from tracker.domain.errors import Invalid
from tracker.domain.ids import is_id

Item = TypeVar("Item")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def cursor(*parts: str) -> str:
    """Return the cursor of the item with this key."""
    return base64.urlsafe_b64encode("|".join(parts).encode()).decode().rstrip("=")


def parts_of(text: str, count: int) -> list[str]:
    """Return the `count` parts of the key in a cursor.

    Raises:
        Invalid: it is no cursor of ours; names `after`.
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        parts = base64.b64decode(padded, altchars=b"-_", validate=True).decode().split("|")
    except (binascii.Error, ValueError):
        parts = []
    if len(parts) != count:
        raise Invalid(("after", "is no cursor of this list"))
    return parts


def id_of(text: str | None) -> str | None:
    """Return the id that a cursor goes on behind; None without a cursor.

    Raises:
        Invalid: it is no cursor of ours.
    """
    if text is None:
        return None
    (identity,) = parts_of(text, 1)
    if not is_id(identity):
        raise Invalid(("after", "is no cursor of this list"))
    return identity


def moment_cursor(moment: datetime, identity: str) -> str:
    """Return the cursor of an item keyed by a moment and an id."""
    return cursor(str((moment - _EPOCH) // _MICROSECOND), identity)


def moment_and_id_of(text: str | None) -> tuple[datetime, str] | None:
    """Return the moment and the id that a cursor goes on behind; None without a cursor.

    Raises:
        Invalid: it is no cursor of ours.
    """
    if text is None:
        return None
    number, identity = parts_of(text, 2)
    if not is_id(identity) or not number.isascii() or not number.isdigit() or len(number) > 17:
        raise Invalid(("after", "is no cursor of this list"))
    return _EPOCH + int(number) * _MICROSECOND, identity


def cut(items: Sequence[Item], limit: int, key: Callable[[Item], str]) -> tuple[Sequence[Item], str | None]:
    """Return at most `limit` of items read one beyond the limit, and the cursor of the next page or None."""
    if len(items) <= limit:
        return items, None
    return items[:limit], key(items[limit - 1])


def page_of_all(
    items: Sequence[Item], *, limit: int, after: str | None, identity: Callable[[Item], str]
) -> tuple[Sequence[Item], str | None]:
    """Return one page of a short list that was read whole, and the cursor of the next page or None.

    Raises:
        Invalid: the cursor is not ours, or what it named is gone.
    """
    start = 0
    behind = id_of(after)
    if behind is not None:
        ids = [identity(item) for item in items]
        if behind not in ids:
            raise Invalid(("after", "is no cursor of this list"))
        start = ids.index(behind) + 1
    return cut(items[start : start + limit + 1], limit, lambda item: cursor(identity(item)))
