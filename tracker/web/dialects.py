"""The dialects a device may speak: the files of `tracker/ingest/dialects`."""

from tracker import registry
from tracker.domain.errors import Invalid


def dialect_names() -> tuple[str, ...]:
    """Return the names of the dialects, in name order."""
    return tuple(registry.load("tracker.ingest.dialects", "DIALECT"))


def known_dialect(name: str) -> str:
    """Return `name` if a dialect is called so.

    Raises:
        Invalid: none is; names `dialect`.
    """
    if name not in dialect_names():
        raise Invalid(("dialect", "is not known here"))
    return name
