"""A writer that is killed in the middle leaves nothing half done."""

import subprocess
import sys

import pytest

from tests.geofence.scene import Scene, walk
from tracker.store.session import Database

COMING = (900.0, 800.0, 700.0, 20.0, 10.0, 0.0, 5.0, 0.0)
_KILLED = """
import os, signal, sys
from tests.geofence.scene import Scene, new_watcher, walk
from tests.geofence.test_crash import COMING, again
scene = again(sys.argv[1], sys.argv[2:])
with scene.database.begin() as session:
    scene.tell_in(session, *walk(scene, 0, *COMING))
    session.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def again(url: str, ids: list[str]) -> Scene:
    """The family of another process."""
    account_id, subject_id, device_id = ids
    return Scene.of(Database(url), account_id, subject_id, device_id)


@pytest.fixture
def scene(database: Database) -> Scene:
    made = Scene(database)
    made.rule("arrived", made.fence())
    return made


def test_a_process_killed_before_its_commit_leaves_no_event_and_the_next_tells_once(scene: Scene) -> None:
    ids = [scene.account_id, scene.house.subject.subject_id, scene.device.device_id]
    ended = subprocess.run([sys.executable, "-c", _KILLED, scene.database.url, *ids], check=False)
    assert ended.returncode == -9
    assert scene.events() == []
    assert scene.one("SELECT count(*) FROM positions") == 0
    assert scene.one("SELECT count(*) FROM fence_states") == 0
    scene.tell(*walk(scene, 0, *COMING))
    assert scene.events() == [("arrived", 90.0, "told")]
    assert scene.alerts() == ["arrived"]
