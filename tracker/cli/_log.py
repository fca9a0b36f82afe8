"""How the processes log: one line an event on stderr, JSON unless that is a terminal."""

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

VALUES = ("DETAIL:", "CONTEXT:", "[parameters:", "[SQL:")
"""How lines of a database error begin that hold a row's values: coordinates, numbers."""


def configure(level: str) -> None:
    """Send events of `level` ("debug", "info", "warning", "error") and above to stderr."""
    number = logging.getLevelNamesMapping()[level.upper()]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            without_values,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=max(number, logging.WARNING), format="%(levelname)s %(name)s %(message)s")


def without_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Take the lines with a row's values out of a traceback."""
    text = event.get("exception")
    if isinstance(text, str):
        kept = [line for line in text.splitlines() if not line.lstrip().startswith(VALUES)]
        event["exception"] = "\n".join(kept)
    return event
