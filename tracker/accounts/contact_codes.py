"""Codes by which contacts agree to be told: what waits for them, sealed in the contact's row."""

import hmac
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tracker.accounts import codes
from tracker.accounts.outcomes import Blocked, WrongCode
from tracker.domain.errors import Invalid, TooMany
from tracker.domain.notification import Contact, Notification
from tracker.domain.rule import Urgency
from tracker.store import contacts, outbox, signin
from tracker.store.seal import Sealer
from tracker.store.session import Session

CODE_LIVES_FOR = timedelta(hours=24)  # a day, as the message says
CODES_PER_ACCOUNT_DAY = 20
CODES_PER_ADDRESS_DAY = 3
ENTRIES_PER_CONTACT_HOUR = 10

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_CHANNEL_OF = {"phone": "sms", "email": "email"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What waits: by "phone" or "email" the address and the keyed hash of its code ("": none opens).

    `wrong` entries so far; after three no code opens.
    """

    ends_at: datetime
    asked: Mapping[str, tuple[str, str]]
    wrong: int = 0


class ContactCodes:
    """Sends codes to contacts' numbers and addresses and takes them back. Nothing here commits."""

    def __init__(self, sealer: Sealer, channels: Collection[str]) -> None:
        self._sealer = sealer
        self._channels = frozenset(channels)

    def ask(self, session: Session, contact: Contact, asked: Mapping[str, str], now: datetime) -> None:
        """Send a code of its own to each "phone" or "email"; what waited before goes on waiting.

        Raises:
            Invalid: ("phone" | "email", ...) the deployment has no channel for it.
            TooMany: too many codes were sent today, by the account or to this address.
        """
        pending: dict[str, tuple[str, str]] = {}
        for name, address in asked.items():
            channel = _CHANNEL_OF[name]
            if channel not in self._channels:
                raise Invalid((name, "This service cannot send there."))
            self._guard(session, contact, address, now)
            code = codes.new_sms_code()
            pending[name] = (address, self._hash_of(contact, address, code))
            notification = Notification(
                channel=channel,
                kind="contact_code",
                to=address,
                locale=contact.locale,
                args={"code": code},
                account_id=contact.account_id,
                urgency=Urgency.URGENT,
                expires_at=now + CODE_LIVES_FOR,
            )
            outbox.put(session, notification, self._sealer, now)
        kept = self._pending(session, contact)
        if kept is not None:
            # A code that is over opens nothing by the new time and count either.
            over = now >= kept.ends_at or kept.wrong >= codes.ENTRIES_ALLOWED
            waiting = {name: (each[0], "" if over else each[1]) for name, each in kept.asked.items()}
            pending = {**waiting, **pending}
        self._store(session, contact, Pending(ends_at=now + CODE_LIVES_FOR, asked=pending))

    def ask_again(self, session: Session, contact: Contact, now: datetime) -> None:
        """Send new codes to all that waits; those before open nothing any more.

        Raises:
            Invalid: nothing waits.
            TooMany: too many codes were sent today.
        """
        pending = self._pending(session, contact)
        if pending is None:
            raise Invalid(("contact_id", "Nothing waits to be confirmed."))
        self.ask(session, contact, {name: address for name, (address, _) in pending.asked.items()}, now)

    def enter(
        self, session: Session, contact: Contact, code: str, now: datetime
    ) -> Contact | WrongCode | Blocked:
        """Take a code; the address it was sent to is the contact's from now on.

        Raises:
            TooMany: more codes are entered for him than anybody needs.
        """
        hits, seconds_left = self._hit(session, "contact entries", contact.contact_id, _HOUR, now)
        if hits > ENTRIES_PER_CONTACT_HOUR:
            raise TooMany(seconds_left)
        pending = self._pending(session, contact)
        if pending is None or now >= pending.ends_at:
            return WrongCode(attempts_left=0)
        entered = codes.sms_code(code)
        right = {
            name
            for name, (address, stored) in pending.asked.items()
            if hmac.compare_digest(self._hash_of(contact, address, entered), stored)
        }
        outcome = codes.after_entry(pending.wrong, bool(right))
        if outcome.opened:
            return self._take(session, contact, pending, right, now)
        self._store(session, contact, replace(pending, wrong=outcome.wrong_entries))
        if pending.wrong >= codes.ENTRIES_ALLOWED:
            return Blocked()
        return WrongCode(attempts_left=outcome.attempts_left)

    def withdraw(self, session: Session, contact: Contact, names: Collection[str], now: datetime) -> Contact:
        """Let "phone" or "email" no longer wait; if nothing else does, the contact is confirmed."""
        pending = self._pending(session, contact)
        if pending is None or not set(names) & set(pending.asked):
            return contact
        left = {name: each for name, each in pending.asked.items() if name not in names}
        if not left and contact.confirmed_at is None:
            contact = replace(contact, confirmed_at=now)
            contacts.put(session, contact)
        self._store(session, contact, replace(pending, asked=left) if left else None)
        return contact

    def _take(
        self, session: Session, contact: Contact, pending: Pending, right: Collection[str], now: datetime
    ) -> Contact:
        left = {name: each for name, each in pending.asked.items() if name not in right}
        taken: dict[str, Any] = {name: pending.asked[name][0] for name in right}
        confirmed_at = contact.confirmed_at or (None if left else now)
        contact = replace(contact, **taken, confirmed_at=confirmed_at)
        contacts.put(session, contact)
        self._store(session, contact, replace(pending, asked=left, wrong=0) if left else None)
        return contact

    def _guard(self, session: Session, contact: Contact, address: str, now: datetime) -> None:
        for bucket, key, most in (
            ("contact codes", contact.account_id, CODES_PER_ACCOUNT_DAY),
            ("contact codes to", address, CODES_PER_ADDRESS_DAY),
        ):
            hits, seconds_left = self._hit(session, bucket, key, _DAY, now)
            if hits > most:
                raise TooMany(seconds_left)

    def _pending(self, session: Session, contact: Contact) -> Pending | None:
        sealed = contacts.lock_confirm_hash(session, contact.account_id, contact.contact_id)
        if sealed is None:
            return None
        body = json.loads(self._sealer.open(sealed, context=_context(contact)))
        return Pending(
            ends_at=datetime.fromisoformat(body["ends_at"]),
            asked={name: (address, code_hash) for name, (address, code_hash) in body["asked"].items()},
            wrong=body["wrong"],
        )

    def _store(self, session: Session, contact: Contact, pending: Pending | None) -> None:
        sealed = None
        if pending is not None:
            body = {"ends_at": pending.ends_at.isoformat(), "asked": pending.asked, "wrong": pending.wrong}
            sealed = self._sealer.seal(json.dumps(body).encode(), context=_context(contact))
        contacts.set_confirm_hash(session, contact.account_id, contact.contact_id, sealed)

    def _hash_of(self, contact: Contact, address: str, code: str) -> str:
        value = "\0".join((contact.account_id, contact.contact_id, address, code))
        return self._sealer.blind(value, purpose="contact code").hex()

    def _hit(
        self, session: Session, bucket: str, key: str, window: timedelta, now: datetime
    ) -> tuple[int, int]:
        key_hash = self._sealer.blind(key, purpose="limits")
        return signin.hit(session, bucket=bucket, key_hash=key_hash, window=window, now=now)


def _context(contact: Contact) -> str:
    return f"contact/{contact.account_id}/{contact.contact_id}"
