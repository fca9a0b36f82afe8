"""Whom a family keeps in sight."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.accounts.door import Door
from tracker.accounts.family import SUBJECTS_PER_ACCOUNT, Family
from tracker.domain.access import Viewer
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.geo import LatLon
from tracker.domain.position import Fact, HeardFact, Placed, Position
from tracker.domain.subject import Subject, SubjectKind
from tracker.store import facts, positions
from tracker.store.access import Access


@pytest.fixture
def cat(door: Door, family: Family, viewer: Viewer) -> Subject:
    return family.add_subject(door.session, viewer, kind=SubjectKind.PET, name="Мурка", now=door.clock())


def test_a_new_subject_is_in_the_family(door: Door, viewer: Viewer, cat: Subject) -> None:
    assert Access(door.session, viewer).subjects() == [cat]
    assert (cat.kind, cat.name, cat.created_at) == (SubjectKind.PET, "Мурка", door.clock())


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "x" * 10_000, "a\0b", "a\x1bb"])
def test_a_wrong_name_is_refused_by_field(door: Door, family: Family, viewer: Viewer, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        family.add_subject(door.session, viewer, kind=SubjectKind.PET, name=name, now=door.clock())
    assert refused.value.errors[0][0] == "name"


@pytest.mark.parametrize("name", ["Я", "x" * 80, "👩‍👧 мама и дочь", "О'Нил", "<b>"])
def test_every_visible_name_is_taken(door: Door, family: Family, viewer: Viewer, name: str) -> None:
    added = family.add_subject(door.session, viewer, kind=SubjectKind.CHILD, name=name, now=door.clock())
    assert added.name == name


def test_blanks_of_a_name_are_folded(door: Door, family: Family, viewer: Viewer) -> None:
    added = family.add_subject(
        door.session, viewer, kind=SubjectKind.CHILD, name=" Аня \n Иванова ", now=door.clock()
    )
    assert added.name == "Аня Иванова"


def test_a_family_has_at_most_a_hundred(door: Door, family: Family, viewer: Viewer) -> None:
    for _ in range(SUBJECTS_PER_ACCOUNT):
        family.add_subject(door.session, viewer, kind=SubjectKind.PET, name="cat", now=door.clock())
    with pytest.raises(Invalid):
        family.add_subject(door.session, viewer, kind=SubjectKind.PET, name="cat", now=door.clock())


def test_a_change_leaves_what_is_not_given(door: Door, family: Family, viewer: Viewer, cat: Subject) -> None:
    changed = family.change_subject(
        door.session, viewer, cat.subject_id, kind=None, name="Барсик", now=door.clock()
    )
    assert (changed.kind, changed.name) == (SubjectKind.PET, "Барсик")
    changed = family.change_subject(
        door.session, viewer, cat.subject_id, kind=SubjectKind.RELATIVE, name=None, now=door.clock()
    )
    assert (changed.kind, changed.name) == (SubjectKind.RELATIVE, "Барсик")


def test_p06_what_is_another_family_s_does_not_exist(
    door: Door, family: Family, viewer: Viewer, stranger: Viewer, cat: Subject
) -> None:
    with pytest.raises(NotFound):
        family.change_subject(door.session, stranger, cat.subject_id, kind=None, name="x", now=door.clock())
    with pytest.raises(NotFound):
        family.remove_subject(door.session, stranger, cat.subject_id, now=door.clock())
    assert Access(door.session, viewer).subjects() == [cat]


def test_a_removed_subject_takes_its_devices_and_all_they_told_with_it(
    door: Door, family: Family, viewer: Viewer, cat: Subject
) -> None:
    device, _ = family.add_device(
        door.session,
        viewer,
        subject_id=cat.subject_id,
        name="collar",
        dialect="native",
        external_id=None,
        payload_key=None,
        now=door.clock(),
    )
    now = door.clock()
    weeks = {positions.week_of(now - timedelta(days=days)) for days in (0, 7)}
    positions.ensure_partitions(door.session, weeks)
    fixes = [
        Placed(
            account_id=viewer.account_id,
            subject_id=cat.subject_id,
            device_id=device.device_id,
            received_at=now,
            position=Position(recorded_at=now - timedelta(days=days), at=LatLon(lat=60.1, lon=24.9)),
        )
        for days in (0, 7)
    ]
    positions.append(door.session, fixes)
    told = Fact(kind="transition", recorded_at=now, data={"lat": 60.1})
    heard = HeardFact(viewer.account_id, cat.subject_id, device.device_id, now, told)
    facts.add_many(door.session, [heard])
    facts.commit_marks_many(door.session, [(viewer.account_id, device.device_id, "boot", [1])], now)

    family.remove_subject(door.session, viewer, cat.subject_id, now=now)

    for table in ("subjects", "devices", "positions", "last_positions", "facts", "streams"):
        left = door.session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608
        assert left == 0, table
