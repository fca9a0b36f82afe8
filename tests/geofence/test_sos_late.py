"""A call for help is told whenever it becomes known: late is no reason to keep it."""

import pytest

from tests.geofence.scene import Scene, at
from tracker.store.session import Database


@pytest.fixture
def scene(database: Database) -> Scene:
    made = Scene(database)
    made.rule("sos")
    return made


def test_one_that_comes_after_a_newer_fix_is_told_at_once(scene: Scene) -> None:
    scene.tell(scene.fix(0, 0.0), scene.fix(600, 0.0))
    scene.tell(scene.fix(300, 0.0, attrs={"alarm": "sos"}), now=at(610))
    assert scene.alerts() == ["sos"]


def test_one_of_longer_ago_than_an_hour_is_told(scene: Scene) -> None:
    scene.tell(scene.fix(0, 0.0))
    scene.tell(scene.fix(300, 0.0, attrs={"alarm": "sos"}), now=at(2 * 3600))
    assert scene.alerts() == ["sos"]


def test_it_is_told_once_however_it_comes(scene: Scene) -> None:
    scene.tell(scene.fix(0, 0.0), scene.fix(600, 0.0))
    for _ in range(2):
        scene.tell(scene.fix(300, 0.0, attrs={"alarm": "sos"}), now=at(610))
    scene.tell(scene.fix(700, 0.0))
    assert scene.alerts() == ["sos"]
