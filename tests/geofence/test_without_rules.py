"""Accounts without fences and rules: nothing is kept of them, and hardly anything is asked."""

import pytest

from tests.geofence.scene import Counted, Scene, walk
from tracker.domain.position import Placed
from tracker.store.session import Database


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


def asked(scene: Scene, *batch: Placed) -> list[str]:
    """The statements of the watcher alone."""
    with scene.database.begin() as session:
        with Counted(session) as counted:
            scene.watcher.take(session, batch, (), scene.fix(0, 0).received_at)
        return counted.statements


def test_one_question_a_batch_and_nothing_stored(scene: Scene) -> None:
    asked(scene, *walk(scene, -60, 0.0))
    batch = walk(scene, 0, *(0.0 for _ in range(200)))
    assert asked(scene, *batch) == ["SELECT version FROM rulebook"]
    assert scene.one("SELECT count(*) FROM fence_states") == 0


def test_a_neighbour_with_rules_changes_nothing_of_that(scene: Scene, database: Database) -> None:
    other = Scene(database, phone="+79161234500")
    other.rule("arrived", other.fence())
    asked(scene, *walk(scene, 0, 0.0))
    assert asked(scene, *walk(scene, 60, 0.0)) == ["SELECT version FROM rulebook"]


def test_after_its_last_rule_went_an_account_is_not_folded(scene: Scene) -> None:
    fence = scene.fence()
    scene.tell(*walk(scene, 0, 900.0, 800.0))
    scene.rows("DELETE FROM geofences RETURNING geofence_id")
    before = scene.rows("SELECT live FROM fence_states")
    scene.tell(*walk(scene, 100, 0.0, 0.0, 0.0))
    assert scene.rows("SELECT live FROM fence_states") == before
    assert fence.geofence_id
    assert scene.crossings() == []
