"""Tells which device or gateway calls over HTTP, by its id and its broker password."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.accounts.limits import network_of
from tracker.domain.broker_password import matches, password_hash
from tracker.domain.errors import TooMany
from tracker.domain.ids import is_id
from tracker.store import senders, signin
from tracker.store.seal import Sealer
from tracker.store.senders import Sender
from tracker.store.session import Session

WINDOW = timedelta(minutes=10)
WRONG_PER_SENDER = 20
WRONG_PER_NETWORK = 200
PASSWORD_LENGTH = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """No device or gateway has this id and password."""


class Senders:
    """Knows devices and gateways by their passwords.

    Passwords are random and of 128 bits: what is limited is the work that wrong ones make. A right one always
    passes, so that nobody behind the same address, and nobody who knows an id, can keep a device out.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._of_nobody = password_hash(secrets.token_hex(16))

    def known(
        self, session: Session, sender_id: str, password: str, *, address: str, now: datetime
    ) -> Sender | Unknown:
        """Return who calls; a wrong password is counted, so the transaction must be committed.

        An unknown id takes the same work as a known one with a wrong password.

        Raises:
            TooMany: more wrong ones came from this network, or for this id from it, than mistakes explain.
        """
        sender = senders.get(session, sender_id) if is_id(sender_id) else None
        right = matches(password[:PASSWORD_LENGTH], sender.password_hash if sender else self._of_nobody)
        if sender is not None and right:
            return sender
        network = network_of(address).name
        self._count(session, "wrong sender", f"{network}/{sender_id[:64]}", WRONG_PER_SENDER, now)
        self._count(session, "wrong senders", network, WRONG_PER_NETWORK, now)
        return Unknown()

    def _count(self, session: Session, bucket: str, key: str, most: int, now: datetime) -> None:
        blind = self._sealer.blind(key, purpose="limits")
        hits, seconds_left = signin.hit(session, bucket=bucket, key_hash=blind, window=WINDOW, now=now)
        if hits > most:
            raise TooMany(seconds_left)
