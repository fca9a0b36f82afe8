"""The broker's password hash; that Mosquitto takes it is proved by every test with a broker."""

import base64

from tracker.domain.broker_password import matches, password_hash


def test_the_hash_has_the_form_of_mosquitto_passwd() -> None:
    _, kind, rounds, salt, digest = password_hash("secret").split("$")
    assert (kind, rounds) == ("7", "101")
    assert len(base64.b64decode(salt)) == 12
    assert len(base64.b64decode(digest)) == 64


def test_a_password_matches_its_own_hash_only() -> None:
    stored = password_hash("secret")
    assert matches("secret", stored)
    assert not matches("Secret", stored)


def test_equal_passwords_have_different_hashes() -> None:
    assert password_hash("secret") != password_hash("secret")


def test_a_hash_that_mosquitto_passwd_made_is_understood() -> None:
    # mosquitto_passwd 2.0.11, password "secret".
    made = (
        "$7$101$fGtTkSIcBqQiRFb7$p9BNsWnuWfl6+XVt7TM1T9aBoaZ8O3RvVh7o"
        "vYUrZLPKu4A7Us1TJjHQuy8mwkIVjhSITqGCkAE6onWZWDnNJA=="
    )
    assert matches("secret", made)
