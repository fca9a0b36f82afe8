from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.ids import is_id, new_id, shard_of
from tracker.store.schema import id_from_int, id_to_int


def test_a_new_identity_has_the_contracts_form_and_is_new() -> None:
    made = {new_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(is_id(each) and shard_of(each) == each[0] for each in made)


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_identity_and_bigint_are_the_same_thing(number: int) -> None:
    identity = id_from_int(number)
    assert is_id(identity)
    assert id_to_int(identity) == number


@given(st.text(max_size=20))
def test_nothing_else_passes_for_an_identity(text: str) -> None:
    assert is_id(text) == (len(text) == 16 and all(each in "0123456789abcdef" for each in text))
