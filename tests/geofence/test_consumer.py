"""What the watcher makes of positions, in the transaction that stores them."""

from datetime import time
from zoneinfo import ZoneInfo

import pytest

from tests.geofence.scene import START, Scene, at, shapes, walk
from tracker.domain.ids import new_id
from tracker.domain.notification import Mute
from tracker.domain.schedule import Schedule, Span, Weekly
from tracker.geofence.service import Watcher
from tracker.store import mutes
from tracker.store.schema import id_from_int
from tracker.store.session import Database

AWAY = (900.0, 800.0, 700.0)
HOME_NOW = (20.0, 10.0, 0.0, 5.0, 0.0)


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


def test_coming_home_is_a_crossing_an_event_and_an_alert(scene: Scene) -> None:
    scene.rule("arrived", scene.fence())
    for fix in walk(scene, 0, *AWAY, *HOME_NOW):
        scene.tell(fix)
    assert [each[:2] for each in scene.crossings()] == [("in", 90.0)]
    assert scene.events() == [("arrived", 90.0, "told")]
    assert scene.alerts() == ["arrived"]


def test_one_batch_or_many_come_to_the_same(scene: Scene, database: Database) -> None:
    scene.rule("arrived", scene.fence())
    scene.tell(*walk(scene, 0, *AWAY, *HOME_NOW))
    assert [each[:2] for each in scene.crossings()] == [("in", 90.0)]
    assert scene.events() == [("arrived", 90.0, "told")]
    assert scene.alerts() == ["arrived"]


def test_an_event_carries_its_reasons(scene: Scene) -> None:
    fence = scene.fence()
    rule = scene.rule("arrived", fence)
    scene.tell(*walk(scene, 0, *AWAY, *HOME_NOW))
    ((explanation, device_id),) = scene.rows("SELECT explanation, device_id FROM events")
    assert explanation["rule"]["kind"] == "arrived"
    assert explanation["rule"]["version"] == rule.version
    assert explanation["fence"]["properties"]["name"] == fence.name
    assert explanation["how"] == scene.one("SELECT how FROM crossings")
    assert explanation["gap_s"] == 30
    assert len(explanation["evidence"]) >= 2
    assert id_from_int(device_id) == scene.device.device_id


def test_outside_its_hours_a_rule_only_notes(scene: Scene) -> None:
    day = START.astimezone(ZoneInfo("Europe/Helsinki")).weekday()
    other_days = frozenset(range(7)) - {day}
    sleeping = Schedule(weekly=(Weekly(days=other_days, spans=(Span(start=time(0), end=time(0)),)),))
    scene.rule("arrived", scene.fence(), schedule=sleeping)
    scene.tell(*walk(scene, 0, *AWAY, *HOME_NOW))
    assert scene.events() == [("arrived", 90.0, "asleep")]
    assert scene.alerts() == []


def test_what_is_muted_is_noted_and_not_told(scene: Scene) -> None:
    fence = scene.fence()
    rules = [scene.rule("arrived", fence), scene.rule("dwell", fence, dwell_s=60)]
    mute = Mute(
        account_id=scene.account_id,
        mute_id=new_id(),
        rule_id=rules[0].rule_id,
        subject_id=None,
        geofence_id=None,
        until=at(3600),
        created_at=START,
    )
    with scene.database.begin() as session:
        mutes.add(session, mute)
    scene.tell(*walk(scene, 0, *AWAY, *HOME_NOW))
    assert [(kind, news) for kind, _, news in scene.events()] == [("arrived", "muted"), ("dwelt", "told")]
    assert scene.alerts() == ["dwelt"]


def test_a_rule_that_fails_costs_neither_the_position_nor_another_rule(scene: Scene) -> None:
    fence = scene.fence()
    arrived = scene.watcher.book._kinds["arrived"]

    class Broken(type(arrived)):  # type: ignore[misc]
        name = "left"

        def step(self, *_: object) -> object:
            raise ZeroDivisionError

    scene.watcher = Watcher(shapes(), {"arrived": arrived, "left": Broken()})
    scene.rule("left", fence)
    scene.rule("arrived", fence)
    scene.tell(*walk(scene, 0, *AWAY, *HOME_NOW))
    assert scene.one("SELECT count(*) FROM positions") == 8
    assert scene.events() == [("arrived", 90.0, "told")]


def test_what_was_before_a_rule_was_made_raises_nothing(scene: Scene) -> None:
    scene.rule("arrived", scene.fence(), made_at=at(1000))
    scene.tell(*walk(scene, 0, *AWAY, *HOME_NOW))
    scene.tell(*walk(scene, 1100, 0.0, 5.0))
    assert scene.events() == []


def test_a_new_rule_knows_where_the_subject_is(scene: Scene) -> None:
    fence = scene.fence()
    scene.tell(*walk(scene, 0, *AWAY, *HOME_NOW))
    scene.rule("left", fence, made_at=at(300))
    scene.tell(*walk(scene, 400, 0.0, 800.0, 900.0, 950.0, 920.0, 910.0))
    assert scene.events() == [("left", 430.0, "told")]


def test_a_jump_that_cannot_be_is_no_crossing(scene: Scene) -> None:
    fence = scene.fence()
    scene.rule("arrived", fence)
    scene.rule("left", fence)
    home = walk(scene, 0, *AWAY, *HOME_NOW)
    jump = scene.fix(215, 40_000.0)
    scene.tell(*home, jump, *walk(scene, 220, 0.0, 5.0, 0.0))
    assert [kind for kind, _, _ in scene.events()] == ["arrived"]


def test_a_fact_reaches_the_rules_that_hear(scene: Scene) -> None:
    scene.rule("sos")
    scene.tell(scene.fact(0, "sos"))
    assert [(kind, news) for kind, _, news in scene.events()] == [("sos", "told")]
    assert scene.alerts() == ["sos"]
