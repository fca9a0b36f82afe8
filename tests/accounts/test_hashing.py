"""Codes at rest."""

import re

from tracker.accounts.hashing import CodeHasher
from tracker.store.seal import Sealer


def test_a02_the_hash_is_argon2id_with_19_mib_and_two_passes(sealer: Sealer) -> None:
    stored = CodeHasher(sealer).hash("12345678")
    assert re.match(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$", stored)
    assert "12345678" not in stored


def test_a_code_matches_its_own_hash_only(sealer: Sealer) -> None:
    hasher = CodeHasher(sealer)
    stored = hasher.hash("12345678")
    assert hasher.matches("12345678", stored)
    assert not hasher.matches("12345679", stored)
    assert not hasher.matches("", stored)


def test_nothing_matches_no_hash(sealer: Sealer) -> None:
    assert not CodeHasher(sealer).matches("12345678", None)


def test_a_stolen_hash_is_worth_nothing_without_the_secret_key(sealer: Sealer) -> None:
    stored = CodeHasher(sealer).hash("12345678")
    assert not CodeHasher(Sealer("another secret of 32 characters!")).matches("12345678", stored)
