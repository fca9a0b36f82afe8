"""However often a message comes, and whichever transaction fails, an event is told once."""

import pytest

from tests.geofence.scene import Scene, walk
from tracker.store.session import Database

COMING = (900.0, 800.0, 700.0, 20.0, 10.0, 0.0, 5.0, 0.0)


@pytest.fixture
def scene(database: Database) -> Scene:
    made = Scene(database)
    made.rule("arrived", made.fence())
    return made


def test_messages_that_come_again_change_nothing(scene: Scene) -> None:
    fixes = walk(scene, 0, *COMING)
    scene.tell(*fixes)
    states = scene.rows("SELECT live, mid, old, frontier FROM fence_states")
    scene.tell(*fixes)
    for fix in fixes:
        scene.tell(fix)
    assert scene.events() == [("arrived", 90.0, "told")]
    assert scene.one("SELECT count(*) FROM alerts") == 1
    assert scene.rows("SELECT live, mid, old, frontier FROM fence_states") == states


def test_a_transaction_that_fails_leaves_nothing_and_coming_again_tells_once(scene: Scene) -> None:
    fixes = walk(scene, 0, *COMING)
    scene.tell(*fixes[:4])
    with scene.database.begin() as session:
        scene.tell_in(session, *fixes[4:])
        session.rollback()
    assert scene.events() == []
    assert scene.crossings() == []
    scene.tell(*fixes[4:])
    assert scene.events() == [("arrived", 90.0, "told")]
    assert scene.one("SELECT count(*) FROM alerts") == 1


def test_a_watcher_that_begins_anew_goes_on_where_the_last_one_was(scene: Scene) -> None:
    fixes = walk(scene, 0, *COMING)
    for fix in fixes:
        scene.restart()
        scene.tell(fix)
    assert scene.events() == [("arrived", 90.0, "told")]
    assert scene.one("SELECT count(*) FROM alerts") == 1


def test_an_alert_wakes_whoever_tells_only_by_the_commit(scene: Scene) -> None:
    listener = scene.database.listen("tracker_outbox")
    fixes = walk(scene, 0, *COMING)
    with scene.database.begin() as session:
        scene.tell_in(session, *fixes)
        assert listener.wait(0.05) == []
    assert listener.wait(5.0) == [("tracker_outbox", "alert")]
    listener.close()
