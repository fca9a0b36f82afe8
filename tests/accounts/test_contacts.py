"""Contacts: added, confirmed by themselves, changed, removed."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from tests.accounts.door import OWNER, Door, another
from tests.kit.clock import StandingClock
from tracker.accounts.contact_codes import CODES_PER_ADDRESS_DAY
from tracker.accounts.contacts import CONTACTS_PER_ACCOUNT, SUBSCRIPTIONS_PER_CONTACT, Contacts
from tracker.accounts.family import Family
from tracker.accounts.outcomes import Blocked, WrongCode
from tracker.accounts.policy import SignInPolicy
from tracker.domain.access import Viewer
from tracker.domain.errors import Invalid, NotFound, TooMany
from tracker.domain.notification import Contact
from tracker.domain.rule import Urgency
from tracker.domain.schedule import Schedule
from tracker.domain.subject import SubjectKind
from tracker.store import contacts as stored
from tracker.store import push_subscriptions
from tracker.store.seal import Sealer
from tracker.store.session import Session

DAD = "+79160000001"
DAD_AGAIN = "+79160000002"
MAIL = "dad@example.org"
ENDPOINT = "https://updates.push.example/wpush/v2/abc"


def read_schedule(document: Any, today: date) -> Schedule | None:
    return document and Schedule(time_zone=document["time_zone"])


class Book:
    """Contacts in one viewer's name, with the codes that go out."""

    def __init__(self, door: Door, contacts: Contacts, viewer: Viewer, clock: StandingClock) -> None:
        self.door, self.contacts, self.viewer, self.clock = door, contacts, viewer, clock

    def add(self, **given: Any) -> Contact:
        return self.contacts.add(
            self.door.session, self.viewer, {"name": "Dad", "phone": DAD, **given}, self.clock()
        )

    def change(self, contact_id: str, **given: Any) -> Contact:
        return self.contacts.change(self.door.session, self.viewer, contact_id, given, self.clock())

    def confirm(self, contact_id: str, code: str) -> Contact | WrongCode | Blocked:
        return self.contacts.confirm(self.door.session, self.viewer, contact_id, code, self.clock())

    def codes(self) -> dict[str, str]:
        """Return the codes that went out since the last call, by address."""
        told = self.door.messages()
        assert {each.kind for each in told} <= {"contact_code"}
        return {each.to: each.args["code"] for each in told}

    def confirmed(self, **given: Any) -> Contact:
        contact = self.add(**given)
        for code in self.codes().values():
            self.confirm(contact.contact_id, code)
        return self.get(contact.contact_id)

    def get(self, contact_id: str) -> Contact:
        return stored.get(self.door.session, self.viewer.account_id, contact_id)

    def all(self) -> list[Contact]:
        return stored.of_account(self.door.session, self.viewer.account_id, self.clock())


@pytest.fixture
def contacts(sealer: Sealer, policy: SignInPolicy) -> Contacts:
    return Contacts(sealer, policy, ("sms", "email", "webpush", "mqtt"), read_schedule)


@pytest.fixture
def book(door: Door, contacts: Contacts, viewer: Viewer, clock: StandingClock) -> Book:
    door.messages()
    return Book(door, contacts, viewer, clock)


def test_the_owner_is_the_first_contact_and_needs_no_code(book: Book) -> None:
    (owner,) = book.all()
    assert (owner.contact_id, owner.phone, owner.position) == (book.viewer.account_id, OWNER, 0)
    assert owner.confirmed_at == book.clock()
    assert book.all() == [owner]
    assert book.codes() == {}


def test_a_contact_gets_a_code_and_is_told_nothing_before_he_agreed(book: Book) -> None:
    contact = book.add()
    assert contact.confirmed_at is None
    codes = book.codes()
    assert list(codes) == [DAD]
    confirmed = book.confirm(contact.contact_id, codes[DAD])
    assert isinstance(confirmed, Contact)
    assert confirmed.confirmed_at == book.clock()
    assert book.get(contact.contact_id) == confirmed


def test_contacts_come_in_the_order_of_escalation(book: Book) -> None:
    first, second = book.add(name="First"), book.add(name="Second", phone=DAD_AGAIN)
    book.change(second.contact_id, position=1)
    book.change(first.contact_id, position=5)
    assert [each.name for each in book.all()][1:] == ["Second", "First"]


def test_number_and_address_are_each_proved_by_a_code_of_their_own(book: Book) -> None:
    contact = book.add(email=MAIL)
    codes = book.codes()
    assert set(codes) == {DAD, MAIL}
    half = book.confirm(contact.contact_id, codes[DAD])
    assert isinstance(half, Contact)
    assert half.confirmed_at is None
    assert isinstance(book.confirm(contact.contact_id, codes[DAD]), WrongCode)
    whole = book.confirm(contact.contact_id, codes[MAIL])
    assert isinstance(whole, Contact)
    assert whole.confirmed_at is not None


def test_three_wrong_codes_close_it_until_new_ones_are_asked_for(book: Book) -> None:
    contact = book.add()
    right = book.codes()[DAD]
    outcomes = [book.confirm(contact.contact_id, another(right)) for _ in range(3)]
    assert outcomes == [WrongCode(attempts_left=left) for left in (2, 1, 0)]
    assert book.confirm(contact.contact_id, right) == Blocked()
    book.contacts.ask_again(book.door.session, book.viewer, contact.contact_id, book.clock())
    assert isinstance(book.confirm(contact.contact_id, right), WrongCode)
    assert isinstance(book.confirm(contact.contact_id, book.codes()[DAD]), Contact)


def test_a_code_opens_for_a_day(book: Book) -> None:
    contact = book.add()
    code = book.codes()[DAD]
    book.clock.go_on(hours=24)
    assert book.confirm(contact.contact_id, code) == WrongCode(attempts_left=0)


def test_a_code_opens_its_own_contact_only(book: Book) -> None:
    contact = book.add()
    code = book.codes()[DAD]
    other = book.add(phone=DAD_AGAIN)
    assert isinstance(book.confirm(other.contact_id, code), WrongCode)
    assert isinstance(book.confirm(contact.contact_id, code), Contact)


def test_a_known_contact_is_reached_as_before_until_the_new_number_is_proved(book: Book) -> None:
    contact = book.confirmed()
    changed = book.change(contact.contact_id, phone=DAD_AGAIN, name="Papa")
    assert (changed.phone, changed.name) == (DAD, "Papa")
    assert changed.confirmed_at is not None
    book.confirm(contact.contact_id, book.codes()[DAD_AGAIN])
    assert book.get(contact.contact_id).phone == DAD_AGAIN


def test_going_back_to_the_old_number_withdraws_the_new_one(book: Book) -> None:
    contact = book.confirmed()
    book.change(contact.contact_id, phone=DAD_AGAIN)
    code = book.codes()[DAD_AGAIN]
    book.change(contact.contact_id, phone=DAD)
    assert isinstance(book.confirm(contact.contact_id, code), WrongCode)
    assert book.get(contact.contact_id).phone == DAD


def test_taking_away_what_was_not_proved_leaves_what_was(book: Book) -> None:
    contact = book.add(email=MAIL)
    book.confirm(contact.contact_id, book.codes()[DAD])
    assert book.change(contact.contact_id, email=None).confirmed_at is not None


def test_the_owner_is_never_silenced_by_a_change(book: Book) -> None:
    owner = book.change(book.viewer.account_id, email=MAIL, channels=["email", "sms"])
    assert (owner.phone, owner.email) == (OWNER, None)
    assert owner.confirmed_at is not None
    book.confirm(owner.contact_id, book.codes()[MAIL])
    assert book.get(owner.contact_id).email == MAIL


@pytest.mark.parametrize("given", [{"phone": DAD}, {"phone": None, "email": MAIL}, {"position": 3}])
def test_the_owner_s_number_and_place_stay(book: Book, given: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        book.change(book.viewer.account_id, **given)


def test_a_device_of_the_family_needs_no_code(
    book: Book, family: Family, session: Session, stranger: Viewer
) -> None:
    subject = family.add_subject(session, book.viewer, kind=SubjectKind.CHILD, name="M", now=book.clock())
    device, _ = family.add_device(
        session,
        book.viewer,
        subject_id=subject.subject_id,
        name="phone",
        dialect="native",
        external_id=None,
        payload_key=None,
        now=book.clock(),
    )
    contact = book.add(phone=None, mqtt_device_id=device.device_id, channels=["mqtt"])
    assert contact.confirmed_at is not None
    with pytest.raises(NotFound):
        book.contacts.add(session, stranger, {"name": "x", "mqtt_device_id": device.device_id}, book.clock())


def test_preferences_are_kept(book: Book) -> None:
    given = {
        "locale": "en",
        "time_zone": "Asia/Novosibirsk",
        "channels": ["email", "sms"],
        "quiet": {"time_zone": "Europe/Moscow"},
        "quiet_breaks_at": "alarm",
        "per_hour_most": 3,
    }
    contact = book.get(book.add(**given).contact_id)
    assert (contact.locale, contact.time_zone) == ("en", "Asia/Novosibirsk")
    assert contact.channels == ("email", "sms")
    assert contact.quiet == Schedule(time_zone="Europe/Moscow")
    assert (contact.quiet_breaks_at, contact.per_hour_most) == (Urgency.ALARM, 3)
    unchanged = book.change(contact.contact_id, per_hour_most=None, locale=None)
    assert unchanged == contact
    assert book.change(contact.contact_id, quiet=None) == replace(contact, quiet=None)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": " "}, "name"),
        ({"phone": "112"}, "phone"),
        ({"phone": "+12025550123"}, "phone"),
        ({"phone": None}, "phone"),
        ({"email": "dad"}, "email"),
        ({"email": "a@b"}, "email"),
        ({"email": "a@b.example\nBcc: c@d.example"}, "email"),
        ({"email": '"<a@b.example>'}, "email"),
        ({"email": "a" * 250 + "@b.example"}, "email"),
        ({"locale": "fi"}, "locale"),
        ({"time_zone": "Nowhere/Atall"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"channels": ["sms", "pigeon"]}, "channels.1"),
        ({"position": 0}, "position"),
        ({"per_hour_most": 0}, "per_hour_most"),
        ({"per_hour_most": 1001}, "per_hour_most"),
        ({"time_zone": "localtime"}, "time_zone"),
        ({"quiet_breaks_at": "never"}, "quiet_breaks_at"),
        ({"confirmed_at": "2026-11-21T09:00:00Z"}, "confirmed_at"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_sent(book: Book, given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        book.add(**given)
    assert refused.value.errors[0][0] == field
    assert book.codes() == {}
    assert len(book.all()) == 1


def test_codes_to_one_number_are_few(book: Book) -> None:
    contact = book.add()
    for _ in range(CODES_PER_ADDRESS_DAY - 1):
        book.contacts.ask_again(book.door.session, book.viewer, contact.contact_id, book.clock())
    with pytest.raises(TooMany):
        book.contacts.ask_again(book.door.session, book.viewer, contact.contact_id, book.clock())


def test_there_is_an_end_to_contacts(book: Book) -> None:
    for number in range(1, CONTACTS_PER_ACCOUNT):
        book.add(phone=f"+791600001{number:02d}")
        book.clock.go_on(hours=12)
    with pytest.raises(Invalid):
        book.add()


def test_a_removed_contact_is_gone_and_the_owner_stays(book: Book) -> None:
    contact = book.confirmed()
    book.contacts.remove(book.door.session, book.viewer, contact.contact_id, book.clock())
    assert [each.contact_id for each in book.all()] == [book.viewer.account_id]
    with pytest.raises(Invalid):
        book.contacts.remove(book.door.session, book.viewer, book.viewer.account_id, book.clock())


def test_a_stranger_s_contact_does_not_exist(book: Book, stranger: Viewer) -> None:
    contact = book.add()
    code = book.codes()[DAD]
    theirs = Book(book.door, book.contacts, stranger, book.clock)
    for act in (
        lambda: theirs.change(contact.contact_id, name="x"),
        lambda: theirs.confirm(contact.contact_id, code),
        lambda: theirs.contacts.remove(book.door.session, stranger, contact.contact_id, book.clock()),
        lambda: theirs.contacts.ask_again(book.door.session, stranger, contact.contact_id, book.clock()),
    ):
        with pytest.raises(NotFound):
            act()
    assert isinstance(book.confirm(contact.contact_id, code), Contact)


def subscribe(book: Book, endpoint: str = ENDPOINT, contact_id: str | None = None) -> str:
    return book.contacts.add_subscription(
        book.door.session,
        book.viewer,
        contact_id=contact_id,
        endpoint=endpoint,
        p256dh="BNc",
        auth="tBH",
        agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        now=book.clock(),
    )


def test_a_browser_is_the_owner_s_and_lies_sealed(book: Book, sealer: Sealer, session: Session) -> None:
    subscription_id = subscribe(book)
    account_id = book.viewer.account_id
    (known,) = push_subscriptions.of_contact(session, sealer, account_id, account_id)
    assert (known.subscription_id, known.endpoint, known.p256dh, known.auth) == (
        subscription_id,
        ENDPOINT,
        "BNc",
        "tBH",
    )
    assert push_subscriptions.counts(session, account_id) == {account_id: 1}
    assert subscribe(book) == subscription_id
    assert push_subscriptions.remove(session, account_id, subscription_id)
    assert not push_subscriptions.remove(session, account_id, subscription_id)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example/x",
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://printer/x",
        "https://push.example:8443/x",
        "https://user@push.example/x",
        "https://[::1",
        "file:///etc/passwd",
        "",
    ],
)
def test_what_is_no_push_service_is_refused(book: Book, endpoint: str) -> None:
    with pytest.raises(Invalid) as refused:
        subscribe(book, endpoint)
    assert refused.value.errors[0][0] == "endpoint"


def test_there_is_an_end_to_browsers(book: Book) -> None:
    for number in range(SUBSCRIPTIONS_PER_CONTACT):
        subscribe(book, f"{ENDPOINT}{number}")
    with pytest.raises(Invalid):
        subscribe(book)
    book.clock.go_on(seconds=timedelta(minutes=1).total_seconds())
    subscribe(book, f"{ENDPOINT}0")
