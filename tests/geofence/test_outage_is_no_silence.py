"""An outage of ours is not told as a silence of theirs."""

import pytest

from tests.geofence.scene import Scene, at, new_watcher, walk
from tests.geofence.test_ticks import Work
from tracker.geofence.heartbeat import CATCHES_UP, Heartbeat
from tracker.store.session import Database


@pytest.fixture
def scene(database: Database) -> Scene:
    made = Scene(database)
    made.rule("silence", after_s=600)
    made.tell(*walk(made, 0, 0.0, 5.0, 0.0))
    return made


def beat(scene: Scene, heartbeat: Heartbeat, seconds: float) -> None:
    with scene.database.begin() as session:
        heartbeat.beat(session, at(seconds))


def test_while_ingest_is_away_nobody_is_silent(scene: Scene) -> None:
    beat(scene, Heartbeat(), 100)
    work = Work(scene)
    for seconds in (700, 2000, 90_000):
        work.turn(seconds, beats=False)
    assert scene.events() == []


def test_after_it_is_back_devices_have_time_to_bring_what_waited(scene: Scene) -> None:
    heartbeat = Heartbeat()
    beat(scene, heartbeat, 100)
    beat(scene, heartbeat, 5000)
    work = Work(scene)
    work.turn(5001, beats=False)
    assert scene.events() == []
    scene.tell(*(scene.fix(seconds, 0.0) for seconds in range(90, 5010, 300)))
    after = 5001 + CATCHES_UP.total_seconds()
    beat(scene, heartbeat, after)
    work.turn(after, beats=False)
    assert scene.events() == []


def test_who_stays_silent_after_it_is_back_is_told(scene: Scene) -> None:
    heartbeat = Heartbeat()
    beat(scene, heartbeat, 100)
    beat(scene, heartbeat, 5000)
    after = 5001 + CATCHES_UP.total_seconds()
    beat(scene, heartbeat, after)
    Work(scene).turn(after, beats=False)
    assert [kind for kind, _, _ in scene.events()] == ["silent"]


def test_without_any_ingest_yet_nobody_is_silent(scene: Scene) -> None:
    Work(scene).turn(90_000, beats=False)
    assert scene.events() == []


def test_the_watcher_of_ingest_beats_with_nothing_to_take(scene: Scene) -> None:
    watcher = new_watcher(beats_as="ingest")
    with scene.database.begin() as session:
        watcher.take(session, (), (), at(0))
    assert scene.one("SELECT count(*) FROM heartbeats WHERE name = 'ingest'") == 1
