"""Names that people give."""

import pytest

from tracker.domain.errors import Invalid
from tracker.domain.names import clean_name


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Мурка", "Мурка"),
        ("  Uncle \t Luka ", "Uncle Luka"),
        ("\U0001f469\u200d\U0001f467 семья", "\U0001f469\u200d\U0001f467 семья"),
        ("e\u0301", "\u00e9"),
        ("a" * 80, "a" * 80),
    ],
)
def test_a_name_is_kept_as_people_read_it(given: str, kept: str) -> None:
    assert clean_name(given) == kept


UNSEEN = ["", "   ", "\u200d", "\u0301\u200d", "\u200b"]
TOO_LONG = ["a" * 81, "a" * 10_000]
DECEIVING = ["a\0b", "\ud800", "\u202eabc", "\ue000"]


@pytest.mark.parametrize("given", UNSEEN + TOO_LONG + DECEIVING)
def test_a_name_that_shows_nothing_or_lies_is_refused_by_field(given: str) -> None:
    with pytest.raises(Invalid) as refused:
        clean_name(given)
    assert refused.value.errors[0][0] == "name"
