import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.errors import Invalid
from tracker.domain.fields import Field, FieldKind, json_schema, read

FIELDS = (
    Field(name="by", kind=FieldKind.TIME, label="By"),
    Field(
        name="limit_mps", kind=FieldKind.NUMBER, label="Limit", least=1, most=100, default=20.0, unit="m/s"
    ),
    Field(
        name="grace_s", kind=FieldKind.DURATION, label="Grace", least=0, most=7200, default=300.0, unit="s"
    ),
    Field(name="times", kind=FieldKind.WHOLE, label="Times", least=1, most=9, default=2),
    Field(name="direction", kind=FieldKind.CHOICE, label="Direction", choices=("any", "in"), default="any"),
    Field(name="loud", kind=FieldKind.FLAG, label="Loud", default=False),
    Field(name="words", kind=FieldKind.TEXT, label="Words", default="x"),
    Field(name="owner_subject_id", kind=FieldKind.SUBJECT, label="Owner", default="a"),
)
DEFAULTS = {
    "by": "08:30",
    "limit_mps": 20.0,
    "grace_s": 300.0,
    "times": 2,
    "direction": "any",
    "loud": False,
    "words": "x",
    "owner_subject_id": "a",
}


def errors(args: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        read(FIELDS, args)
    return dict(refused.value.errors)


def test_defaults_are_filled_in_and_what_is_given_stays() -> None:
    assert read(FIELDS, {"by": "08:30"}) == DEFAULTS
    assert read(FIELDS, {"by": "23:59", "limit_mps": 5, "loud": True}) == {
        **DEFAULTS,
        "by": "23:59",
        "limit_mps": 5.0,
        "loud": True,
    }


def test_null_is_not_given() -> None:
    assert read(FIELDS, {"by": "08:30", "grace_s": None}) == DEFAULTS
    assert errors({"by": None}) == {"args.by": "this field is required"}


@pytest.mark.parametrize(
    ("name", "given_value", "why"),
    [
        ("by", "8:30", "must be a time as 08:30"),
        ("by", "24:00", "must be a time as 08:30"),
        ("by", "08:30:00", "must be a time as 08:30"),
        ("by", "08:30\n", "must be a time as 08:30"),
        ("by", 830, "must be a time as 08:30"),
        ("limit_mps", "5", "must be a number"),
        ("limit_mps", True, "must be a number"),
        ("limit_mps", float("nan"), "must be a number"),
        ("limit_mps", float("inf"), "must be a number"),
        ("limit_mps", 10**400, "is too large"),
        ("limit_mps", -(10**400), "is too large"),
        ("limit_mps", 0.99, "is too small"),
        ("limit_mps", 100.01, "is too large"),
        ("limit_mps", [], "must be a number"),
        ("grace_s", -1, "is too small"),
        ("times", 1.5, "must be a whole number"),
        ("direction", "out", "is none of the choices"),
        ("direction", ["any"], "is none of the choices"),
        ("loud", "yes", "must be true or false"),
        ("loud", 1, "must be true or false"),
        ("words", "", "must be a text"),
        ("words", "a\0b", "must be a text"),
        ("words", "x" * 201, "is too long"),
        ("owner_subject_id", 7, "must be a text"),
        ("owner_subject_id", "x" * 65, "is too long"),
        ("stray", 1, "is not known here"),
    ],
)
def test_what_is_wrong_is_refused_at_its_field(name: str, given_value: Any, why: str) -> None:
    assert errors({"by": "08:30", name: given_value}) == {f"args.{name}": why}


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert set(errors({"limit_mps": 0, "stray": 1})) == {"args.by", "args.limit_mps", "args.stray"}


def test_what_was_read_is_read_again_the_same() -> None:
    once = read(FIELDS, {"by": "08:30", "times": 3.0})
    assert read(FIELDS, json.loads(json.dumps(once))) == once


@given(
    st.dictionaries(st.sampled_from([field.name for field in FIELDS]), st.text() | st.floats() | st.none())
)
def test_nothing_that_is_given_makes_anything_but_a_refusal(args: dict[str, Any]) -> None:
    with contextlib.suppress(Invalid):
        assert set(read(FIELDS, args)) == set(DEFAULTS)


def test_the_schema_says_what_read_takes() -> None:
    schema = json_schema(FIELDS)
    assert json.loads(json.dumps(schema)) == schema
    assert schema["required"] == ["by"]
    assert schema["additionalProperties"] is False
    properties = schema["properties"]
    assert properties["limit_mps"] == {
        "title": "Limit",
        "type": "number",
        "minimum": 1,
        "maximum": 100,
        "default": 20.0,
        "x-unit": "m/s",
    }
    assert properties["direction"]["enum"] == ["any", "in"]
    assert properties["times"]["type"] == "integer"
    assert properties["loud"] == {"title": "Loud", "type": "boolean", "default": False}
