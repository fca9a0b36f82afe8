"""What comes late corrects history; what it brings that is new is told once, what was told is not again."""

import random

import pytest

from tests.geofence.scene import Scene, at, walk
from tracker.domain.position import Placed
from tracker.store.session import Database

COMING = (900.0, 800.0, 700.0, 20.0, 10.0, 0.0, 5.0, 0.0)
STAYING = (0.0, 5.0, 0.0, 5.0)


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


def test_any_order_of_arrival_ends_in_the_same_history(database: Database) -> None:
    there, away = (10.0, 0.0, 5.0, 0.0, 5.0), (900.0, 950.0, 920.0, 910.0, 930.0)
    ways = [(*away, *there, *away, *there), (0.0, 900.0, *there, 900.0, *away)]
    chooser = random.Random(4)
    for number, way in enumerate(ways):
        ends = []
        for attempt in range(3):
            scene = Scene(database, phone=f"+7916123{number}{attempt}00")
            fence = scene.fence()
            scene.rule("arrived", fence)
            scene.rule("left", fence)
            fixes: list[Placed] = walk(scene, 0, *way)
            if attempt:
                chooser.shuffle(fixes)
            size = attempt or len(fixes)
            for batch in (fixes[begin : begin + size] for begin in range(0, len(fixes), size)):
                scene.tell(*batch, now=max(fixes, key=lambda fix: fix.received_at).received_at)
            ends.append((scene.crossings(), [each[:2] for each in scene.events()]))
        assert ends[1:] == [ends[0]] * (len(ends) - 1)
        assert ends[0][1]


def test_coming_and_leaving_learnt_late_are_told_as_if_they_had_come_in_order(scene: Scene) -> None:
    fence = scene.fence()
    scene.rule("arrived", fence)
    scene.rule("left", fence)
    fixes = walk(scene, 0, *COMING, 900.0, 950.0, 900.0, 920.0, 910.0)
    scene.tell(*fixes[:3], *fixes[10:])
    assert scene.events() == []
    scene.tell(*fixes[3:10])
    assert scene.events() == [("arrived", 90.0, "told"), ("left", 240.0, "told")]
    assert scene.alerts() == ["arrived", "left"]


def test_what_late_fixes_say_of_now_is_told_once(scene: Scene) -> None:
    scene.rule("arrived", scene.fence())
    fixes = walk(scene, 0, *COMING, *STAYING)
    # Its newest fix before the late ones come says nothing sure of home.
    unsure = scene.fix(211, 300, accuracy_m=900.0)
    scene.tell(*fixes[:3], unsure)
    scene.tell(*fixes[3:8])
    assert scene.events() == [("arrived", 90.0, "told")]
    assert scene.alerts() == ["arrived"]
    for fix in fixes[8:]:
        scene.tell(fix)
    assert scene.alerts() == ["arrived"]


def test_what_comes_an_hour_late_is_noted_only(scene: Scene) -> None:
    scene.rule("arrived", scene.fence())
    fixes = walk(scene, 0, *COMING, 900.0, 950.0, 900.0)
    scene.tell(*fixes[:3], *fixes[8:])
    scene.tell(*fixes[3:8], now=at(210 + 3601))
    assert scene.events() == [("arrived", 90.0, "old")]
    assert scene.alerts() == []


def test_a_told_event_that_is_told_more_truly_keeps_its_alert(scene: Scene) -> None:
    scene.rule("arrived", scene.fence())
    fixes = walk(scene, 0, *COMING)
    scene.tell(*fixes[:3], *fixes[4:])
    assert scene.events() == [("arrived", 120.0, "told")]
    scene.tell(fixes[3])
    assert scene.events() == [("arrived", 90.0, "told")]
    assert scene.alerts() == ["arrived"]
    assert scene.one("SELECT count(*) FROM events WHERE superseded_by IS NOT NULL") == 1


def test_an_event_that_history_takes_back_is_retracted_and_its_alert_resolved(scene: Scene) -> None:
    scene.rule("arrived", scene.fence())
    far = walk(scene, 0, 900.0, 800.0)
    # One strong fix at home; silence settles it.
    scene.tell(*far, scene.fix(60, 0.0))
    scene.tell(scene.fix(600, 0.0))
    assert scene.events() == [("arrived", 60.0, "told")]
    scene.tell(
        scene.fix(90, 900.0), scene.fix(120, 950.0), scene.fix(150, 900.0), now=scene.fix(610, 0).received_at
    )
    assert [each[1] for each in scene.events()] != [60.0]
    assert scene.one("SELECT count(*) FROM events WHERE retracted_at IS NOT NULL") == 1
    assert scene.rows("SELECT state FROM alerts") == [("resolved",)]


def test_what_is_older_than_an_hour_is_no_news(scene: Scene) -> None:
    scene.rule("arrived", scene.fence())
    fixes = walk(scene, 0, *COMING)
    scene.tell(*fixes, now=scene.fix(210 + 3601, 0).position.recorded_at)
    assert scene.events() == [("arrived", 90.0, "old")]
    assert scene.alerts() == []


def test_a_batch_that_brings_coming_and_leaving_tells_both(scene: Scene) -> None:
    fence = scene.fence()
    scene.rule("arrived", fence)
    scene.rule("left", fence)
    scene.tell(*walk(scene, 0, *COMING, 900.0, 950.0, 900.0, 920.0, 910.0))
    assert scene.events() == [("arrived", 90.0, "told"), ("left", 240.0, "told")]
    assert scene.alerts() == ["arrived", "left"]
