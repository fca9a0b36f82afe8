"""Secrets at rest."""

import base64

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.errors import Misconfigured
from tracker.store.seal import Sealer, token_hash

SEALER = Sealer("a secret of thirty-two characters")
OTHER = Sealer("another secret of 32 characters!")


@given(st.binary(max_size=300), st.text(max_size=30))
def test_what_is_sealed_opens_to_the_same(plain: bytes, context: str) -> None:
    assert SEALER.open(SEALER.seal(plain, context=context), context=context) == plain


def test_the_same_value_is_sealed_differently_each_time() -> None:
    assert SEALER.seal(b"x", context="a") != SEALER.seal(b"x", context="a")


def test_another_key_opens_nothing() -> None:
    with pytest.raises(Misconfigured):
        OTHER.open(SEALER.seal(b"x", context="a"), context="a")


def test_a_sealed_value_moved_elsewhere_does_not_open() -> None:
    with pytest.raises(Misconfigured):
        SEALER.open(SEALER.seal(b"x", context="outbox/1"), context="outbox/2")


@given(st.integers(0, 40), st.integers(0, 7))
def test_one_flipped_bit_anywhere_is_found(byte: int, bit: int) -> None:
    sealed = bytearray(SEALER.seal(b"thirteen byte", context="a"))
    sealed[byte] ^= 1 << bit
    with pytest.raises(Misconfigured):
        SEALER.open(bytes(sealed), context="a")


@pytest.mark.parametrize("cut", [b"", b"x", b"x" * 12, b"x" * 27])
def test_what_is_too_short_is_refused(cut: bytes) -> None:
    with pytest.raises(Misconfigured):
        SEALER.open(cut, context="a")


def test_keys_of_different_purposes_and_secrets_have_nothing_in_common() -> None:
    keys = {SEALER.key("a"), SEALER.key("b"), OTHER.key("a"), SEALER.key("seal")}
    assert len(keys) == 4
    assert SEALER.key("a") == Sealer("a secret of thirty-two characters").key("a")


def test_a_blinded_value_is_found_again_by_purpose_only() -> None:
    assert SEALER.blind("+79161234567", purpose="phone") == SEALER.blind("+79161234567", purpose="phone")
    assert SEALER.blind("+79161234567", purpose="phone") != SEALER.blind("+79161234567", purpose="limits")
    assert SEALER.blind("+79161234567", purpose="phone") != OTHER.blind("+79161234567", purpose="phone")


def test_a_short_secret_key_is_refused_with_its_name() -> None:
    with pytest.raises(Misconfigured, match="TRACKER_SECRET_KEY"):
        Sealer("short")


def test_a_token_is_stored_as_its_sha_256() -> None:
    expected = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
    assert token_hash("foo").hex() == expected


def test_a_signature_is_checked_by_the_public_key_of_its_purpose_alone(sealer: Sealer) -> None:
    signature = base64.b64decode(sealer.sign(b"ring", purpose="commands"))
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(sealer.public_key("commands")))
    key.verify(signature, b"ring")
    with pytest.raises(InvalidSignature):
        key.verify(signature, b"wipe")
    other = Ed25519PublicKey.from_public_bytes(base64.b64decode(sealer.public_key("evidence")))
    with pytest.raises(InvalidSignature):
        other.verify(signature, b"ring")
