"""The settings that a variant takes: one description drives form, API schema and check."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from tracker.domain.errors import Invalid

TEXT_LENGTH = 200
ID_LENGTH = 64

_LARGEST = 1e15
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")


class FieldKind(StrEnum):
    """What a field holds; times are local "HH:MM", durations seconds."""

    NUMBER = "number"
    WHOLE = "whole"
    FLAG = "flag"
    CHOICE = "choice"
    TIME = "time"
    DURATION = "duration"
    TEXT = "text"
    SUBJECT = "subject"
    DEVICE = "device"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One setting: `name` with its unit, `label` an English msgid, `default` None: it must be given."""

    name: str
    kind: FieldKind
    label: str
    default: Any = None
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""


def read(fields: Sequence[Field], args: Mapping[str, Any], *, at: str = "args") -> Mapping[str, Any]:
    """Return the value of every field, defaults filled in; None counts as not given.

    Numbers come back as int where the field is whole, else as float; times as "HH:MM".

    Raises:
        Invalid: (`{at}.{name}`, why) for each that is wrong, missing or unknown.
    """
    known = {field.name for field in fields}
    values: dict[str, Any] = {}
    errors: list[tuple[str, str]] = []
    for name in args:
        if name not in known:
            errors += Invalid((f"{at}.{str(name)[:40]}", "is not known here")).errors
    for field in fields:
        given = args.get(field.name)
        try:
            values[field.name] = field.default if given is None else _value(field, given)
            if values[field.name] is None:
                raise Invalid(("", "this field is required"))
        except Invalid as error:
            errors += [(f"{at}.{field.name}", why) for _, why in error.errors]
    if errors:
        raise Invalid(*errors)
    return values


def json_schema(fields: Sequence[Field]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of an object with these fields."""
    return {
        "type": "object",
        "properties": {field.name: _schema(field) for field in fields},
        "required": [field.name for field in fields if field.default is None],
        "additionalProperties": False,
    }


_NUMERIC = frozenset({FieldKind.NUMBER, FieldKind.WHOLE, FieldKind.DURATION})


def _value(field: Field, given: Any) -> Any:
    match field.kind:
        case FieldKind.NUMBER | FieldKind.WHOLE | FieldKind.DURATION:
            return _number(field, given)
        case FieldKind.FLAG:
            if not isinstance(given, bool):
                raise Invalid(("", "must be true or false"))
        case FieldKind.CHOICE:
            if given not in field.choices:
                raise Invalid(("", "is none of the choices"))
        case FieldKind.TIME:
            if not isinstance(given, str) or not _TIME.fullmatch(given):
                raise Invalid(("", "must be a time as 08:30"))
        case FieldKind.TEXT | FieldKind.SUBJECT | FieldKind.DEVICE:
            return _text(field, given)
    return given


def _number(field: Field, given: Any) -> float | int:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise Invalid(("", "must be a number"))
    if isinstance(given, float) and not math.isfinite(given):
        raise Invalid(("", "must be a number"))
    # An int of hundreds of digits fits no float.
    if abs(given) > _LARGEST:
        raise Invalid(("", "is too large"))
    if field.kind is FieldKind.WHOLE and given != int(given):
        raise Invalid(("", "must be a whole number"))
    if field.least is not None and given < field.least:
        raise Invalid(("", "is too small"))
    if field.most is not None and given > field.most:
        raise Invalid(("", "is too large"))
    return int(given) if field.kind is FieldKind.WHOLE else float(given)


def _text(field: Field, given: Any) -> str:
    text = given.strip() if isinstance(given, str) else ""
    # PostgreSQL holds no NUL in a text.
    if not text or "\0" in text:
        raise Invalid(("", "must be a text"))
    most = field.most or (TEXT_LENGTH if field.kind is FieldKind.TEXT else ID_LENGTH)
    if len(text) > most:
        raise Invalid(("", "is too long"))
    return text


def _schema(field: Field) -> dict[str, Any]:
    schema: dict[str, Any] = {"title": field.label, **_TYPES[field.kind]}
    if field.kind is FieldKind.CHOICE:
        schema["enum"] = list(field.choices)
    if field.kind in _NUMERIC:
        bounds = {"minimum": field.least, "maximum": field.most}
        schema |= {name: bound for name, bound in bounds.items() if bound is not None}
    if field.default is not None:
        schema["default"] = field.default
    if field.unit:
        schema["x-unit"] = field.unit
    return schema


_TYPES: Mapping[FieldKind, Mapping[str, Any]] = MappingProxyType(
    {
        FieldKind.NUMBER: {"type": "number"},
        FieldKind.WHOLE: {"type": "integer"},
        FieldKind.FLAG: {"type": "boolean"},
        FieldKind.CHOICE: {"type": "string"},
        FieldKind.TIME: {"type": "string", "pattern": f"^{_TIME.pattern}$"},
        FieldKind.DURATION: {"type": "number"},
        FieldKind.TEXT: {"type": "string", "maxLength": TEXT_LENGTH},
        FieldKind.SUBJECT: {"type": "string", "maxLength": ID_LENGTH},
        FieldKind.DEVICE: {"type": "string", "maxLength": ID_LENGTH},
    }
)
