"""Phone numbers."""

import pytest

from tracker.accounts.phones import may_get_codes, normal
from tracker.domain.errors import Invalid

HOME = frozenset({"RU"})


@pytest.mark.parametrize(
    ("entered", "region"),
    [
        ("+7 916 123-45-67", None),
        ("8 (916) 123-45-67", "RU"),
        ("89161234567", "RU-MOW"),
        ("9161234567", "ru"),
        ("+79161234567", "FI"),
        ("+79161234567", "nonsense"),
    ],
)
def test_every_way_to_write_a_number_is_one_number(entered: str, region: str | None) -> None:
    assert normal(entered, region) == "+79161234567"


@pytest.mark.parametrize(
    "entered", ["", "abc", "12", "+", "+7916123456789012345", "9" * 1000, "89161234567\0"]
)
def test_what_cannot_be_a_number_is_refused_by_field(entered: str) -> None:
    with pytest.raises(Invalid) as refused:
        normal(entered, None)
    assert refused.value.errors[0][0] == "phone"


@pytest.mark.parametrize(
    ("phone", "regions", "may"),
    [
        ("+79161234567", HOME, True),
        ("+79990000001", HOME, True),
        ("+74951234567", HOME, False),  # landline
        ("+78001234567", HOME, False),  # toll-free
        ("+78091234567", HOME, False),  # premium
        ("+77012345678", HOME, False),  # Kazakhstan shares +7
        ("+358401234567", HOME, False),
        ("+358401234567", frozenset({"RU", "FI"}), True),
        ("+447400123456", frozenset({"*"}), True),
        ("+442079460018", frozenset({"*"}), False),  # landline
    ],
)
def test_a12_only_mobile_numbers_of_the_home_regions_get_codes(
    phone: str, regions: frozenset[str], may: bool
) -> None:
    assert may_get_codes(phone, regions) is may
