"""What is wrong with a field, said plainly from one of pydantic's errors."""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext


def field_message(error: Mapping[str, Any]) -> str:
    """Return what is wrong with a field, in the reader's language, from one of pydantic's errors."""
    limits = error.get("ctx") or {}
    texts: dict[str, Callable[[], Any]] = {
        "missing": lambda: _("this field is required"),
        "extra_forbidden": lambda: _("there is no such field"),
        "string_type": lambda: _("must be text"),
        "string_unicode": lambda: _("must be valid Unicode text"),
        "bool_type": lambda: _("must be true or false"),
        "bool_parsing": lambda: _("must be true or false"),
        "int_type": lambda: _("must be a whole number"),
        "int_parsing": lambda: _("must be a whole number"),
        "int_parsing_size": lambda: _("must be a whole number"),
        "string_too_short": lambda: _too_short(limits["min_length"]),
        "too_short": lambda: _too_short(limits["min_length"]),
        "string_too_long": lambda: _too_long(limits),
        "too_long": lambda: _too_long(limits),
        "greater_than_equal": lambda: _("at least %(limit)s", limit=limits["ge"]),
        "less_than_equal": lambda: _("at most %(limit)s", limit=limits["le"]),
        "literal_error": lambda: _("must be one of %(choices)s", choices=_listed(limits["expected"])),
        "string_pattern_mismatch": lambda: _("has the wrong form"),
        "model_type": lambda: _("must be a JSON object"),
        "dict_type": lambda: _("must be a JSON object"),
        "list_type": lambda: _("must be a list"),
        "float_type": lambda: _("must be a number"),
        "value_error": lambda: _(str(limits["error"])),
        "timezone_aware": lambda: _("must say its offset from UTC"),
    }
    say = texts.get(error["type"])
    if say:
        return str(say())
    return str(_("must be a moment by RFC 3339") if "datetime" in error["type"] else _("has the wrong form"))


def _too_short(least: int) -> str:
    return str(_("must not be empty") if least == 1 else _("at least %(count)s characters", count=least))


def _too_long(limits: Mapping[str, Any]) -> str:
    most = limits["max_length"]
    # Text that a validator of ours has seen first is "too_long" as well, as a "Value".
    if limits.get("field_type") == "List":
        return str(ngettext("at most %(num)s entry", "at most %(num)s entries", most))
    return str(_("at most %(count)s characters", count=most))


def _listed(expected: str) -> str:
    """Return pydantic's list of choices without its English "or"."""
    return expected.replace("' or '", "', '")
