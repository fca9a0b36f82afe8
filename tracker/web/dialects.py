"""How devices may speak: the files of `tracker/ingest/dialects` and `tracker/ingest/codecs`, by name."""

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


def gateway_dialects() -> tuple[str, ...]:
    """Return the names of the dialects that gateways and sources may speak, in name order."""
    return tuple(name for name in dialect_names() if name != "native")


def topics_of(dialect: str) -> tuple[str, ...]:
    """Return the topic filters that devices of a dialect are read by at a foreign broker; often one."""
    return tuple(registry.load("tracker.ingest.dialects", "DIALECT")[dialect].topics)


def codec_names() -> tuple[str, ...]:
    """Return the names of the readers of radio payloads, in name order."""
    return tuple(registry.load("tracker.ingest.codecs", "CODEC"))


def known_codec(name: str | None) -> str | None:
    """Return `name` if a codec is called so; None stays.

    Raises:
        Invalid: none is; names `codec`.
    """
    if name is not None and name not in codec_names():
        raise Invalid(("codec", "is not known here"))
    return name
