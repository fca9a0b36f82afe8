"""Fences in the store: pages, whose they are, who is inside."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.store.family import NOW, House, add_device
from tracker.domain.errors import NotFound
from tracker.domain.geo import LatLon
from tracker.domain.geofence import Circle, Corridor, FenceOrigin, Geofence, Geometry, Polygon
from tracker.domain.ids import new_id
from tracker.domain.subject import Subject, SubjectKind
from tracker.store import devices, geofences, housekeeping, subjects
from tracker.store.access import Access
from tracker.store.geo import geometry_to_wkb
from tracker.store.schema import id_to_int
from tracker.store.session import Session

CIRCLE = Circle(center=LatLon(lat=59.9, lon=30.3), radius_m=120)


def a_fence(house: House, **given: Any) -> Geofence:
    fields: dict[str, Any] = {
        "account_id": house.viewer.account_id,
        "geofence_id": new_id(),
        "name": "yard",
        "shape": "circle",
        "geometry": CIRCLE,
        "subject_ids": (house.subject.subject_id,),
        "all_subjects": False,
        "time_zone": "Europe/Moscow",
        "schedule": None,
        "template": None,
        "origin": FenceOrigin.DRAWN,
        "version": 1,
        "created_at": NOW,
        "changed_at": NOW,
        **given,
    }
    return Geofence(**fields)


def add(session: Session, fence: Geofence) -> Geofence:
    geofences.add(session, fence, cover_wkb=geometry_to_wkb(fence.geometry))
    return fence


def another_subject(session: Session, house: House) -> Subject:
    subject = Subject(
        account_id=house.viewer.account_id,
        subject_id=new_id(),
        kind=SubjectKind.CHILD,
        name="Masha",
        created_at=NOW,
    )
    subjects.add(session, subject)
    return subject


def place(*numbers: float) -> tuple[LatLon, ...]:
    return tuple(LatLon(lat=number, lon=-number / 3) for number in numbers)


@pytest.mark.parametrize(
    "geometry",
    [
        CIRCLE,
        Corridor(line=place(0.1, 1 / 3, 2e-9), width_m=40.5),
        Polygon(parts=((place(1, 2, 3), place(1.5, 1.6, 1.7)),)),
        Polygon(parts=((place(1, 2, 3),), (place(4, 5, 6), place(4.5, 4.6, 4.7)))),
    ],
)
def test_a_geometry_comes_back_bit_by_bit(session: Session, house: House, geometry: Geometry) -> None:
    fence = add(session, a_fence(house, geometry=geometry))
    assert geofences.get(session, fence.account_id, fence.geofence_id) == fence


def test_pages_follow_one_another(session: Session, house: House, neighbour: House) -> None:
    mine = sorted(add(session, a_fence(house)).geofence_id for _ in range(5))
    add(session, a_fence(neighbour))
    door = Access(session, house.viewer).places
    everything = [each.geofence_id for each in door.geofences()]
    assert sorted(everything) == mine
    paged: list[str] = []
    while page := door.geofences(limit=2, after=paged[-1] if paged else None):
        paged += [each.geofence_id for each in page]
    assert paged == everything


def test_of_a_subject_are_those_that_name_it_and_those_for_all(session: Session, house: House) -> None:
    other = another_subject(session, house)
    named = add(session, a_fence(house))
    for_all = add(session, a_fence(house, subject_ids=(), all_subjects=True))
    add(session, a_fence(house, subject_ids=(other.subject_id,)))
    found = Access(session, house.viewer).places.geofences(subject_id=house.subject.subject_id)
    assert {each.geofence_id for each in found} == {named.geofence_id, for_all.geofence_id}


def test_a_fence_does_not_widen_when_its_only_subject_goes(session: Session, house: House) -> None:
    other = another_subject(session, house)
    fence = add(session, a_fence(house, subject_ids=(other.subject_id,)))
    subjects.remove(session, fence.account_id, other.subject_id)
    left = geofences.get(session, fence.account_id, fence.geofence_id)
    assert left == replace(fence, subject_ids=())


def test_a_neighbours_fence_does_not_exist(session: Session, house: House, neighbour: House) -> None:
    fence = add(session, a_fence(neighbour))
    door = Access(session, house.viewer).places
    with pytest.raises(NotFound):
        door.geofence(fence.geofence_id)
    assert door.inside([fence.geofence_id]) == []
    assert door.geofences() == []


def test_a_fence_of_a_parked_car_ends_with_its_time(session: Session, house: House) -> None:
    ended = add(session, a_fence(house, expires_at=NOW))
    stays = add(session, a_fence(house, expires_at=NOW + timedelta(seconds=1)))
    housekeeping.forget(session, NOW)
    found = Access(session, house.viewer).places.geofences()
    assert [each.geofence_id for each in found] == [stays.geofence_id]
    assert ended.geofence_id != stays.geofence_id


def heard(session: Session, account_id: str, device_id: str, at: datetime) -> None:
    session.execute(
        text(
            "INSERT INTO fence_states (account_id, device_id, live, frontier)"
            " VALUES (:account, :device, '', :at)"
            " ON CONFLICT (account_id, device_id) DO UPDATE SET frontier = excluded.frontier"
        ),
        {"account": id_to_int(account_id), "device": id_to_int(device_id), "at": at},
    )


def crossed(
    session: Session,
    fence: Geofence,
    device_id: str,
    subject_id: str,
    into: str,
    at: datetime,
    version: int = 1,
) -> None:
    session.execute(
        text(
            "INSERT INTO crossings (account_id, device_id, geofence_id, at, subject_id, into_phase, how,"
            " fence_version, earliest, decided_at, evidence, recorded_at) VALUES (:account, :device, :fence,"
            " :at, :subject, :into, 'confirmed', 1, :at, :at, '[]', :at)"
        ),
        {
            "account": id_to_int(fence.account_id),
            "device": id_to_int(device_id),
            "fence": id_to_int(fence.geofence_id),
            "subject": id_to_int(subject_id),
            "at": at,
            "into": into,
        },
    )


def inside(session: Session, house: House, *fences: Geofence) -> list[tuple[str, datetime]]:
    found = Access(session, house.viewer).places.inside([each.geofence_id for each in fences])
    return [(each.subject_id, each.since) for each in found]


def test_who_came_and_did_not_leave_is_inside(session: Session, house: House) -> None:
    fence = add(session, a_fence(house))
    device, subject = house.device.device_id, house.subject.subject_id
    heard(session, fence.account_id, device, NOW)
    assert inside(session, house, fence) == []
    crossed(session, fence, device, subject, "in", NOW - timedelta(hours=2))
    assert inside(session, house, fence) == [(subject, NOW - timedelta(hours=2))]
    crossed(session, fence, device, subject, "out", NOW - timedelta(hours=1))
    assert inside(session, house, fence) == []


def test_a_telephone_left_behind_keeps_nobody_inside(session: Session, house: House) -> None:
    fence = add(session, a_fence(house))
    watch = add_device(session, house.viewer, house.subject)
    subject = house.subject.subject_id
    heard(session, fence.account_id, house.device.device_id, NOW)
    crossed(session, fence, house.device.device_id, subject, "in", NOW)
    heard(session, fence.account_id, watch.device_id, NOW + timedelta(minutes=29))
    assert inside(session, house, fence) == [(subject, NOW)]
    heard(session, fence.account_id, watch.device_id, NOW + timedelta(minutes=31))
    assert inside(session, house, fence) == []


def test_nobody_is_inside_what_was_drawn_anew_or_is_not_for_him(session: Session, house: House) -> None:
    subject = house.subject.subject_id
    other = another_subject(session, house)
    redrawn = add(session, a_fence(house, version=2))
    others = add(session, a_fence(house, subject_ids=(other.subject_id,)))
    heard(session, redrawn.account_id, house.device.device_id, NOW)
    for fence in (redrawn, others):
        crossed(session, fence, house.device.device_id, subject, "in", NOW)
    assert inside(session, house, redrawn, others) == []


def test_a_removed_device_is_nowhere(session: Session, house: House) -> None:
    fence = add(session, a_fence(house))
    heard(session, fence.account_id, house.device.device_id, NOW)
    crossed(session, fence, house.device.device_id, house.subject.subject_id, "in", NOW)
    devices.remove(session, fence.account_id, house.device.device_id)
    assert inside(session, house, fence) == []
    for table in ("crossings", "fence_states"):
        assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0  # noqa: S608
