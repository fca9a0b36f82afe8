"""Fences and rules are as fresh in every transaction as if they were asked."""

from dataclasses import replace

import pytest

from tests.geofence.scene import Scene, kinds, shapes
from tests.store.family import add_device
from tracker.domain.ids import new_id
from tracker.geofence.book import Book, Watched
from tracker.store import subjects as subjects_store
from tracker.store.session import Database


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


@pytest.fixture
def book() -> Book:
    return Book(shapes(), kinds())


def watched(scene: Scene, book: Book) -> Watched | None:
    with scene.database.begin() as session:
        version = book.refresh(session)
        if not book.concerns(scene.account_id):
            return None
        account = book.of(session, [scene.account_id], version)[scene.account_id]
        return account.watched(scene.house.subject.subject_id)


def test_an_account_without_anything_is_of_no_concern(scene: Scene, book: Book) -> None:
    assert watched(scene, book) is None


def test_what_is_made_changed_and_removed_is_seen_by_the_next_transaction(scene: Scene, book: Book) -> None:
    watched(scene, book)
    fence = scene.fence()
    rule = scene.rule("arrived", fence)
    found = watched(scene, book)
    assert found is not None
    assert [bound.rule.rule_id for bound in found.bound] == [rule.rule_id]
    assert list(found.geofences) == [fence.geofence_id]
    scene.rows("UPDATE rules SET enabled = false RETURNING rule_id")
    found = watched(scene, book)
    assert found is not None
    assert found.bound == ()
    scene.rows("DELETE FROM geofences RETURNING geofence_id")
    assert watched(scene, book) is None


def test_a_new_device_and_another_kind_of_subject_are_seen(scene: Scene, book: Book) -> None:
    scene.fence()
    before = watched(scene, book)
    device = scene.one_more_device()
    after = watched(scene, book)
    assert before is not None
    assert after is not None
    assert set(after.device_ids) - set(before.device_ids) == {device.device_id}
    scene.rows("UPDATE subjects SET kind = 'vehicle' RETURNING subject_id")
    changed = watched(scene, book)
    assert changed is not None
    assert changed.kind == "vehicle"


def test_a_rule_for_all_is_for_the_kinds_that_it_fits(scene: Scene, book: Book) -> None:
    scene.rule("harsh_driving")
    found = watched(scene, book)
    assert found is None or found.bound == ()


def test_a_change_between_the_question_and_the_reading_is_not_lost(scene: Scene, book: Book) -> None:
    fence = scene.fence()
    with scene.database.begin() as session:
        version = book.refresh(session)
        scene.rule("arrived", fence)
        book.refresh(session)
        # Read as of the version seen first: it must not pass for the newer one.
        book.of(session, [scene.account_id], version)
        assert book.of(session, [scene.account_id], version)[scene.account_id]
    scene.rule("left", fence)
    found = watched(scene, book)
    assert found is not None
    assert sorted(bound.kind.name for bound in found.bound) == ["arrived", "left"]


def test_a_fence_keeps_its_footprint_while_it_keeps_its_version(scene: Scene, book: Book) -> None:
    fence = scene.fence()
    first = watched(scene, book)
    scene.rows("UPDATE geofences SET name = 'Yard' RETURNING geofence_id")
    second = watched(scene, book)
    scene.rows("UPDATE geofences SET version = 2 RETURNING geofence_id")
    third = watched(scene, book)
    footprints = [
        one.fences.index.fence(fence.geofence_id).footprint  # type: ignore[union-attr]
        for one in (first, second, third)
        if one is not None
    ]
    assert footprints[0] is footprints[1]
    assert footprints[2] is not footprints[1]


def test_other_subjects_of_the_account_are_left_alone(scene: Scene, book: Book) -> None:
    fence = scene.fence(all_subjects=False, subject_ids=(scene.house.subject.subject_id,))
    assert fence.subject_ids
    other = replace(scene.house.subject, subject_id=new_id())
    with scene.database.begin() as session:
        subjects_store.add(session, other)
        add_device(session, scene.house.viewer, other)
        version = book.refresh(session)
        account = book.of(session, [scene.account_id], version)[scene.account_id]
        assert account.watched(other.subject_id) is None
        assert account.watched(scene.house.subject.subject_id) is not None
