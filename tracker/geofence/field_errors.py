"""Reads many fields and tells of every wrong one at once."""

from collections.abc import Callable, Mapping
from typing import Any

from tracker.domain.errors import Invalid


def gather(readers: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """Return what each reader returns, by its name.

    Raises:
        Invalid: what any of them refused, all together.
    """
    values: dict[str, Any] = {}
    errors: list[tuple[str, str]] = []
    for name, read in readers.items():
        try:
            values[name] = read()
        except Invalid as error:
            errors += error.errors
    if errors:
        raise Invalid(*errors)
    return values
