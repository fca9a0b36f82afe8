"""Whom an account's alerts are told: added and changed by the owner, confirmed by themselves.

A new number or address gets a code and nothing else; who reads it gives it to the owner, who enters it. Until
then nothing is sent there: not to a new contact at all, to a known one only where he was reached before. The
owner himself is the first contact, made from the account when it is first asked for; his id is the account's.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from tracker.accounts.agents import agent_name
from tracker.accounts.contact_codes import ContactCodes
from tracker.accounts.contact_fields import ContactFields, ReadSchedule, check_endpoint
from tracker.accounts.outcomes import Blocked, WrongCode
from tracker.accounts.policy import SignInPolicy
from tracker.domain.access import Viewer
from tracker.domain.errors import Invalid
from tracker.domain.ids import new_id
from tracker.domain.notification import Contact
from tracker.store import contacts, push_subscriptions
from tracker.store.access import Access
from tracker.store.seal import Sealer
from tracker.store.session import Session

CONTACTS_PER_ACCOUNT = 20
SUBSCRIPTIONS_PER_CONTACT = 10


class Contacts:
    """Changes of contacts, each in a viewer's name; what is not his does not exist. Nothing here commits.

    `channels` are those that the deployment has. `read_schedule` reads a document of quiet hours.
    """

    def __init__(
        self, sealer: Sealer, policy: SignInPolicy, channels: Collection[str], read_schedule: ReadSchedule
    ) -> None:
        self._sealer = sealer
        self._fields = ContactFields(policy, channels, read_schedule)
        self._codes = ContactCodes(sealer, channels)

    def add(self, session: Session, viewer: Viewer, given: Mapping[str, Any], now: datetime) -> Contact:
        """Add a contact by the fields of `Contact`; his number and address are sent a code each.

        A device of the account needs no code. Without a position he is the last.

        Raises:
            Invalid: a field and why; no way to reach him; or there are 20 contacts already.
            NotFound: the device is missing, or not the viewer's.
            TooMany: too many codes were sent today.
        """
        known = contacts.of_account(session, viewer.account_id, now)
        if len(known) >= CONTACTS_PER_ACCOUNT:
            raise Invalid(("name", "There are 20 already: remove some first."))
        empty = Contact(
            account_id=viewer.account_id,
            contact_id=new_id(),
            name="",
            phone=None,
            email=None,
            mqtt_device_id=None,
            locale=known[0].locale,
            time_zone=known[0].time_zone,
            channels=(),
            position=1 + max(each.position for each in known),
            created_at=now,
        )
        contact = self._changed(session, viewer, empty, {"name": "", **given}, now)
        asked = {name: address for name, address in _addresses(contact).items() if address is not None}
        contact = replace(contact, confirmed_at=None if asked else now)
        contacts.put(session, contact)
        if asked:
            self._codes.ask(session, contact, asked, now)
        return contact

    def change(
        self, session: Session, viewer: Viewer, contact_id: str, given: Mapping[str, Any], now: datetime
    ) -> Contact:
        """Change the given fields of a contact; null takes away a number, an address, a device, quiet hours.

        A new number or address of one who has confirmed takes the old one's place when its code is entered;
        until then he is reached as before. The owner's number is the account's and stays.

        Raises:
            NotFound: missing, or not the viewer's.
            Invalid: a field and why.
            TooMany: too many codes were sent today.
        """
        old = self._one(session, viewer, contact_id, now)
        new = self._changed(session, viewer, old, given, now)
        for name in ("phone", "position"):
            if _is_owner(old) and getattr(new, name) != getattr(old, name):
                raise Invalid((name, "The owner's stays as it is."))
        before, after = _addresses(old), _addresses(new)
        asked = {
            name: address
            for name, address in after.items()
            if address is not None and address != before[name]
        }
        if old.confirmed_at is not None:
            new = replace(
                new,
                phone=before["phone"] if "phone" in asked else new.phone,
                email=before["email"] if "email" in asked else new.email,
            )
        contacts.put(session, new)
        given_up = [name for name in after if name in given and name not in asked]
        new = self._codes.withdraw(session, new, given_up, now)
        if asked:
            self._codes.ask(session, new, asked, now)
        return new

    def remove(self, session: Session, viewer: Viewer, contact_id: str, now: datetime) -> None:
        """Remove a contact; nothing is sent to him any more but what is on its way.

        Raises:
            NotFound: missing, or not the viewer's.
            Invalid: he is the owner.
        """
        if _is_owner(self._one(session, viewer, contact_id, now)):
            raise Invalid(("contact_id", "The owner stays."))
        contacts.remove(session, viewer.account_id, contact_id)

    def ask_again(self, session: Session, viewer: Viewer, contact_id: str, now: datetime) -> Contact:
        """Send new codes to what waits to be confirmed; the codes before open nothing any more.

        Raises:
            NotFound: missing, or not the viewer's.
            Invalid: nothing waits.
            TooMany: too many codes were sent today.
        """
        contact = self._one(session, viewer, contact_id, now)
        self._codes.ask_again(session, contact, now)
        return contact

    def confirm(
        self, session: Session, viewer: Viewer, contact_id: str, code: str, now: datetime
    ) -> Contact | WrongCode | Blocked:
        """Take a code that a contact was sent. With two of them, each is entered in a call of its own.

        He is told alerts when every number and address he was added with is confirmed. Wrong entries are
        values: commit their count. After three, new codes must be asked for.

        Raises:
            NotFound: missing, or not the viewer's.
            TooMany: more codes are entered for him than anybody needs.
        """
        return self._codes.enter(session, self._one(session, viewer, contact_id, now), code, now)

    def add_subscription(
        self,
        session: Session,
        viewer: Viewer,
        *,
        contact_id: str | None,
        endpoint: str,
        p256dh: str,
        auth: str,
        agent: str,
        now: datetime,
    ) -> str:
        """Let a browser take a contact's messages, the owner's without `contact_id`; returns its id.

        Raises:
            NotFound: the contact is missing, or not the viewer's.
            Invalid: ("endpoint", ...) it is no push service on the public internet; or there are ten already.
        """
        contact = self._one(session, viewer, contact_id or viewer.account_id, now)
        check_endpoint(endpoint)
        known = push_subscriptions.of_contact(session, self._sealer, viewer.account_id, contact.contact_id)
        if len(known) >= SUBSCRIPTIONS_PER_CONTACT and endpoint not in {each.endpoint for each in known}:
            raise Invalid(("endpoint", "There are ten already: remove some first."))
        return push_subscriptions.add(
            session,
            self._sealer,
            viewer.account_id,
            contact.contact_id,
            endpoint=endpoint,
            p256dh=p256dh,
            auth=auth,
            agent=agent_name(agent),
            now=now,
        )

    def _one(self, session: Session, viewer: Viewer, contact_id: str, now: datetime) -> Contact:
        if contact_id == viewer.account_id:
            contacts.of_account(session, viewer.account_id, now)  # makes the owner's
        return contacts.get(session, viewer.account_id, contact_id)

    def _changed(
        self, session: Session, viewer: Viewer, old: Contact, given: Mapping[str, Any], now: datetime
    ) -> Contact:
        def device_of(device_id: str) -> str:
            return Access(session, viewer).device(device_id).device_id

        return self._fields.changed(old, given, now.date(), device_of)


def _is_owner(contact: Contact) -> bool:
    return contact.contact_id == contact.account_id


def _addresses(contact: Contact) -> dict[str, str | None]:
    return {"phone": contact.phone, "email": contact.email}
