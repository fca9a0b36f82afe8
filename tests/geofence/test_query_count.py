"""A batch costs the same number of statements whatever it holds."""

import pytest

from tests.geofence.scene import Counted, Scene, store, walk
from tracker.domain.position import Placed
from tracker.store.session import Database


def families(database: Database, count: int) -> list[Scene]:
    made = []
    watcher = None
    for number in range(count):
        scene = Scene(database, phone=f"+791612{number:05d}")
        watcher = watcher or scene.watcher
        scene.watcher = watcher
        fence = scene.fence()
        for kind in ("arrived", "left", "dwell", "silence"):
            scene.rule(kind, fence if kind != "silence" else None)
        made.append(scene)
    return made


def statements(scene: Scene, batch: list[Placed]) -> list[str]:
    with scene.database.begin() as session:
        store(session, batch)
        with Counted(session) as counted:
            scene.watcher.take(session, batch, (), max(each.received_at for each in batch))
        return counted.statements


@pytest.mark.parametrize("late", [False, True])
def test_many_families_cost_what_one_does(database: Database, late: bool) -> None:
    scenes = families(database, 12)
    for scene in scenes:
        fixes = walk(scene, 0, 900.0, 800.0, 700.0)
        scene.tell(*([fixes[0], fixes[2]] if late else fixes))
    first, *others = scenes

    def coming(scene: Scene) -> list[Placed]:
        return (
            walk(scene, 30, 800.0) + walk(scene, 90, 10.0, 0.0, 5.0, 0.0, 5.0)
            if late
            else walk(scene, 90, 10.0, 0.0, 5.0, 0.0, 5.0)
        )

    alone = statements(first, coming(first))
    together = statements(first, [fix for scene in others for fix in coming(scene)])
    # An account whose pages are woken is one more.
    plain = [each for each in together if "pg_notify" not in each]
    assert len(plain) == len([each for each in alone if "pg_notify" not in each])
    assert len(plain) <= 16
    assert sum(len(scene.events()) for scene in scenes) == len(scenes)


def test_fixes_that_say_nothing_new_cost_five(database: Database) -> None:
    (scene,) = families(database, 1)
    scene.tell(*walk(scene, 0, 900.0, 800.0, 700.0))
    assert len(statements(scene, walk(scene, 200, 700.0, 690.0))) <= 5
