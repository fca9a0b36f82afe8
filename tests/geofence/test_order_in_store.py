"""The state of a device is written in the transaction of its positions, and in their order."""

import pytest

from tests.geofence.scene import START, Scene, walk
from tracker.store.session import Database


@pytest.fixture
def scene(database: Database) -> Scene:
    made = Scene(database)
    made.rule("arrived", made.fence())
    return made


def frontier_s(scene: Scene) -> float:
    return float((scene.one("SELECT frontier FROM fence_states") - START).total_seconds())


def test_the_newest_input_is_the_newest_position(scene: Scene) -> None:
    fixes = walk(scene, 0, 900.0, 800.0, 700.0, 600.0)
    scene.tell(fixes[2], fixes[0])
    assert frontier_s(scene) == 60
    scene.tell(fixes[1])
    assert frontier_s(scene) == 60
    scene.tell(fixes[3])
    assert frontier_s(scene) == 90


def test_a_position_without_its_step_cannot_be(scene: Scene) -> None:
    scene.tell(*walk(scene, 0, 900.0))
    with scene.database.begin() as session:
        scene.tell_in(session, *walk(scene, 30, 800.0))
        session.rollback()
    assert scene.one("SELECT count(*) FROM positions") == 1
    assert frontier_s(scene) == 0


def test_the_states_to_rewind_to_are_a_quarter_of_an_hour_apart(scene: Scene) -> None:
    seconds = list(range(0, 3600, 60))
    for second in seconds:
        scene.tell(scene.fix(second, 900.0))
    scene.tell(scene.fix(3601, 900.0))
    scene.tell(scene.fix(1750, 0.0))
    # 1750 s lies behind both: it is corrected in the background.
    assert scene.one("SELECT count(*) FROM fence_corrections") == 1
    scene.tell(scene.fix(3401, 900.0))
    assert scene.one("SELECT count(*) FROM fence_corrections") == 1


def test_two_devices_of_a_subject_are_one_arrival(scene: Scene) -> None:
    watch = scene.one_more_device()
    for second, north_m in (
        (0, 900.0),
        (30, 800.0),
        (60, 10.0),
        (90, 0.0),
        (120, 5.0),
        (150, 0.0),
        (180, 5.0),
    ):
        scene.tell(scene.fix(second, north_m))
        scene.tell(scene.fix(second + 5, north_m, watch))
    assert [kind for kind, _, _ in scene.events()] == ["arrived"]
    assert len(scene.crossings()) == 2
