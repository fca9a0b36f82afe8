"""What time alone decides, the ticker of `work` tells; a little behind the clock."""

from datetime import timedelta

import pytest

from tests.geofence.scene import START, Scene, at, walk
from tests.kit.clock import StandingClock
from tracker.geofence.ticker import GRACE, Ticker
from tracker.store.session import Database

COMING = (900.0, 800.0, 700.0, 20.0, 10.0, 0.0, 5.0, 0.0)


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


class Work:
    """A ticker with a clock that the test moves; ingest beats as long as it is said to."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.clock = StandingClock()
        self.ticker = Ticker(scene.watcher, scene.database, self.clock)

    def turn(self, seconds: float, *, beats: bool = True) -> int:
        self.clock.now = at(seconds)
        if beats:
            self.scene.beat(at(seconds))
        return self.ticker.turn()


def test_one_strong_fix_and_silence_is_a_coming(scene: Scene) -> None:
    scene.rule("arrived", scene.fence())
    scene.tell(*walk(scene, 0, 900.0, 800.0), scene.fix(60, 0.0))
    work = Work(scene)
    due_s = 60 + 120 + GRACE.total_seconds()
    work.turn(due_s - 1)
    assert scene.events() == []
    work.turn(due_s + 1)
    assert scene.events() == [("arrived", 60.0, "told")]
    assert scene.alerts() == ["arrived"]
    for later in (2, 3, 600):
        work.turn(due_s + later)
    scene.tell(scene.fix(2000, 0.0))
    assert scene.alerts() == ["arrived"]


def test_a_device_that_falls_silent_is_told_once_and_again_when_it_speaks(scene: Scene) -> None:
    scene.rule("silence", after_s=600)
    scene.tell(*walk(scene, 0, 0.0, 5.0, 0.0))
    work = Work(scene)
    work.turn(600)
    assert scene.events() == []
    work.turn(60 + 600 + 31)
    work.turn(60 + 600 + 32)
    work.turn(5000)
    assert scene.events() == [("silent", 660.0, "told")]
    scene.tell(scene.fix(6000, 0.0))
    assert [each[0] for each in scene.events()] == ["silent", "heard_again"]
    assert scene.rows(
        "SELECT state FROM alerts JOIN events USING (account_id, event_id) WHERE type = 'silent'"
    ) == [("resolved",)]


def test_nothing_is_due_again_and_again(scene: Scene) -> None:
    fence = scene.fence()
    scene.rule("arrived", fence)
    scene.rule("silence", after_s=600)
    scene.tell(*walk(scene, 0, *COMING))
    work = Work(scene)
    work.turn(400)
    assert [work.turn(seconds) for seconds in (401, 402, 403)] == [0, 0, 0]


def test_a_rule_begins_without_anything_being_told(scene: Scene) -> None:
    fence = scene.fence()
    scene.tell(*walk(scene, 0, *COMING))
    scene.rule("dwell", fence, made_at=at(300), dwell_s=600)
    work = Work(scene)
    work.turn(340)
    assert scene.one("SELECT count(*) FROM rule_states") == 1
    work.turn(90 + 600 + 31)
    work.turn(90 + 600 + 32)
    assert [(kind, news) for kind, _, news in scene.events()] == [("dwelt", "told")]


def test_ticks_and_input_come_to_what_input_alone_comes_to(database: Database) -> None:
    ends = []
    for number in range(2):
        scene = Scene(database, phone=f"+7916123450{number}")
        fence = scene.fence()
        for kind in ("arrived", "left", "dwell"):
            scene.rule(kind, fence)
        way = walk(scene, 0, 900.0, 0.0, 5.0, 900.0, 950.0, 0.0, every_s=1000.0)
        work = Work(scene)
        for fix in way:
            if number:
                seconds = (fix.position.recorded_at - START) / timedelta(seconds=1)
                for before in (900, 500, 100):
                    work.turn(seconds - before)
            scene.tell(fix)
        ends.append((scene.crossings(), [each[:2] for each in scene.events()]))
    assert ends[0] == ends[1]
    assert ends[0][1]
