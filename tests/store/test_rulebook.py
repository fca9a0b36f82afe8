"""The rulebook's version: it moves with fences and rules, and with what rules must know of devices."""

from datetime import timedelta

from sqlalchemy import text

from tests.store.family import House, add_device
from tests.store.test_geofences import a_fence, add
from tracker.domain.subject import SubjectKind
from tracker.store import devices, geofences, housekeeping, subjects
from tracker.store.access import Access
from tracker.store.schema import id_to_int
from tracker.store.session import Database, Session


def version(session: Session) -> int:
    return int(session.execute(text("SELECT version FROM rulebook")).scalar_one())


def version_of(session: Session, house: House) -> int | None:
    return session.execute(
        text("SELECT version FROM account_rulebooks WHERE account_id = :account"),
        {"account": id_to_int(house.viewer.account_id)},
    ).scalar_one_or_none()


def forget_change(session: Session) -> None:
    """Have the next change count as one of another transaction."""
    session.execute(text("UPDATE rulebook SET changed_by = 0"))


def add_fence(session: Session, house: House) -> None:
    add(session, a_fence(house))


def test_an_account_without_fences_moves_nothing_with_its_devices(session: Session, house: House) -> None:
    before = version(session)
    add_device(session, house.viewer, house.subject)
    assert version(session) == before
    assert version_of(session, house) is None


def test_a_new_fence_enters_its_account_and_moves_the_version_once(session: Session, house: House) -> None:
    before = version(session)
    add_fence(session, house)
    add_fence(session, house)
    assert version(session) == before + 1
    assert version_of(session, house) == before + 1


def test_another_account_stays_as_it_was(session: Session, house: House, neighbour: House) -> None:
    add_fence(session, neighbour)
    then = version_of(session, neighbour)
    forget_change(session)
    add_fence(session, house)
    assert version_of(session, neighbour) == then
    assert version_of(session, house) == version(session)


def test_a_statement_that_touches_no_row_moves_nothing(session: Session, house: House) -> None:
    add_fence(session, house)
    forget_change(session)
    before = version(session)
    session.execute(text("DELETE FROM rules WHERE account_id = 1"))
    assert version(session) == before


def test_the_end_of_the_last_fence_is_told_too(session: Session, house: House) -> None:
    add_fence(session, house)
    forget_change(session)
    session.execute(text("DELETE FROM geofences"))
    assert version_of(session, house) == version(session)


def test_what_rules_know_of_devices_and_subjects_is_told(session: Session, house: House) -> None:
    add_fence(session, house)

    def moved() -> bool:
        told = version_of(session, house) == version(session) != last
        forget_change(session)
        return told

    forget_change(session)
    account, last = house.viewer.account_id, version(session)
    extra = add_device(session, house.viewer, house.subject)
    assert moved()
    last = version(session)
    devices.set_online(session, account, extra.device_id, online=True)
    assert not moved()
    devices.remove(session, account, extra.device_id)
    assert moved()
    last = version(session)
    subjects.change(session, account, house.subject.subject_id, kind=SubjectKind.PET, name="other")
    assert not moved()
    subjects.change(session, account, house.subject.subject_id, kind=SubjectKind.CHILD, name="other")
    assert moved()


def test_an_account_without_fences_is_forgotten_after_a_day(
    session: Session, house: House, neighbour: House
) -> None:
    for each in (house, neighbour):
        add_fence(session, each)
    fence = Access(session, house.viewer).places.geofences()[0]
    geofences.remove(session, fence.account_id, fence.geofence_id)
    changed_at = session.execute(text("SELECT max(changed_at) FROM account_rulebooks")).scalar_one()
    housekeeping.forget(session, changed_at + timedelta(days=1))
    assert version_of(session, house) is not None
    housekeeping.forget(session, changed_at + timedelta(days=1, seconds=1))
    assert version_of(session, house) is None
    assert version_of(session, neighbour) is not None


def test_an_account_is_removed_with_all_that_it_had(
    database: Database, session: Session, house: House
) -> None:
    add_fence(session, house)
    session.execute(
        text("DELETE FROM accounts WHERE account_id = :account"),
        {"account": id_to_int(house.viewer.account_id)},
    )
    assert session.execute(text("SELECT count(*) FROM geofences")).scalar_one() == 0
