"""What of an event that had to wait is told: that it is news, and how exactly its moment is known."""

from datetime import datetime
from typing import Any

import pytest

from tests.geofence.scene import Scene, at, walk
from tracker.store.session import Database

AWAY, THERE = (900.0, 800.0, 700.0), (20.0, 10.0, 0.0, 5.0, 0.0)


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


def test_an_event_held_back_by_its_rule_is_news_for_an_hour_from_its_decision(scene: Scene) -> None:
    scene.rule("arrived", scene.fence(), min_stay_s=1200)
    scene.tell(*walk(scene, 0, *AWAY, *THERE), scene.fix(1300, 0.0), now=at(90 + 3700))
    assert scene.events() == [("arrived", 90.0, "told")]
    assert scene.alerts() == ["arrived"]


def test_an_hour_after_its_decision_it_is_news_no_more(scene: Scene) -> None:
    scene.rule("arrived", scene.fence(), min_stay_s=1200)
    scene.tell(*walk(scene, 0, *AWAY, *THERE), scene.fix(1300, 0.0), now=at(1290 + 3601))
    assert scene.events() == [("arrived", 90.0, "old")]


@pytest.mark.parametrize("kind", [("arrived", "min_stay_s", 0.0), ("dwell", "dwell_s", 600.0)])
@pytest.mark.parametrize("apart", [True, False])
def test_an_event_that_waited_says_as_one_told_at_once_between_when_it_was(
    scene: Scene, kind: tuple[str, str, float], apart: bool
) -> None:
    name, field, later_s = kind
    args: dict[str, Any] = {field: 600}
    scene.rule(name, scene.fence(), **args)
    # Nothing was heard between the last fix away, at 60 s, and the first at home.
    coming, stay = [*walk(scene, 0, *AWAY), *walk(scene, 2400, *THERE)], scene.fix(3100, 0.0)
    if apart:
        scene.tell(*coming)
        scene.tell(stay)
    else:
        scene.tell(*coming, stay)
    ((moment, told),) = scene.rows("SELECT at, explanation FROM events")
    assert moment == at(2400 + later_s)
    assert datetime.fromisoformat(told["earliest"]) == at(60 + later_s)
    assert told["gap_s"] == 2340
    assert told["how"] == scene.one("SELECT how FROM crossings WHERE into_phase = 'in'")


def test_an_sos_is_not_explained_by_a_crossing_of_its_moment(
    scene: Scene,
) -> None:
    scene.fence()
    scene.rule("sos")
    scene.tell(scene.fix(0, 0.0, attrs={"alarm": "sos"}))
    ((geofence_id, told),) = scene.rows("SELECT geofence_id, explanation FROM events")
    assert geofence_id is None
    assert (told["how"], told["fence"]) == (None, None)
