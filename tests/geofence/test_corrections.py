"""What is too late for a batch is corrected in the background, a part at a time."""

import pytest

from tests.geofence.scene import Scene, walk
from tests.geofence.test_ticks import Work
from tracker.domain.position import Placed
from tracker.geofence import corrections
from tracker.geofence.corrections import correct
from tracker.store import fence_states, imports, positions
from tracker.store.session import Database

COMING = (900.0, 800.0, 700.0, 20.0, 10.0, 0.0, 5.0, 0.0)
LONG_S = 4 * 3600.0


@pytest.fixture
def scene(database: Database) -> Scene:
    made = Scene(database)
    fence = made.fence()
    made.rule("arrived", fence)
    made.rule("left", fence)
    return made


def work_off(scene: Scene) -> int:
    for turns in range(100):
        with scene.database.begin() as session:
            if not correct(scene.watcher, session, scene.fix(LONG_S, 0).received_at):
                return turns
    raise AssertionError("corrections do not end")


def drive(scene: Scene) -> list[Placed]:
    """Four hours: out, home for a while, out again, with a fix every minute."""
    minutes = int(LONG_S // 60)
    return [
        scene.fix(60.0 * minute, 0.0 if 20 <= minute % 60 < 40 else 900.0 + minute % 7)
        for minute in range(minutes)
    ]


def test_hours_late_are_asked_for_and_corrected_and_no_news(scene: Scene) -> None:
    fixes = drive(scene)
    missing = fixes[15:45]
    for begin in range(0, len(fixes), 10):
        batch = [fix for fix in fixes[begin : begin + 10] if fix not in missing]
        if batch:
            scene.tell(*batch)
    told = scene.alerts()
    before = scene.events()
    scene.tell(*missing, now=fixes[-1].received_at)
    assert scene.events() == before
    assert scene.one("SELECT count(*) FROM fence_corrections") == 1
    assert work_off(scene) >= 1
    found = [(kind, at_s, news) for kind, at_s, news in scene.events() if at_s < 3600]
    assert found == [("arrived", 1200.0, "old"), ("left", 2400.0, "old")]
    assert scene.alerts() == told
    assert scene.one("SELECT count(*) FROM fence_corrections") == 0


def test_a_correction_ends_in_what_order_would_have_come_to(database: Database) -> None:
    ends = []
    for number in range(2):
        scene = Scene(database, phone=f"+7916123450{number}")
        fence = scene.fence()
        scene.rule("arrived", fence)
        scene.rule("left", fence)
        fixes = drive(scene)
        later = fixes[::2] if number else []
        for begin in range(0, len(fixes), 10):
            scene.tell(*(fix for fix in fixes[begin : begin + 10] if fix not in later))
        for begin in range(0, len(later), 40):
            scene.tell(*later[begin : begin + 40], now=fixes[-1].received_at)
        work_off(scene)
        ends.append((scene.crossings(), [each[:2] for each in scene.events()]))
    assert ends[0] == ends[1]
    assert len(ends[0][1]) >= 7


def test_parts_come_to_what_one_would(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    fixes = drive(scene)
    scene.tell(fixes[0], fixes[-1])
    monkeypatch.setattr(corrections, "POSITIONS_AT_ONCE", 50)
    with scene.database.begin() as session:
        positions.append(session, fixes)
        fence_states.ask_correction_of_history(session, fixes)
    assert work_off(scene) > 3
    assert [each[:2] for each in scene.events()][:3] == [
        ("arrived", 1200.0),
        ("left", 2400.0),
        ("arrived", 4800.0),
    ]
    assert {each[2] for each in scene.events() if each[1] < LONG_S - 3600} == {"old"}


def test_an_import_is_folded_and_tells_nobody(scene: Scene) -> None:
    scene.tell(*walk(scene, 10_000, 900.0, 900.0))
    history = walk(scene, 0, *COMING, 900.0, 950.0, 900.0, 920.0, 910.0)
    with scene.database.begin() as session:
        assert imports.append_history(session, history) == len(history)
    Work(scene).turn(10_100)
    assert scene.events() == [("arrived", 90.0, "old"), ("left", 240.0, "old")]
    assert scene.alerts() == []


def test_an_import_from_before_every_fence_asks_for_nothing(scene: Scene) -> None:
    scene.tell(*walk(scene, 0, 900.0, 900.0))
    history = walk(scene, -400 * 86_400, *COMING)
    with scene.database.begin() as session:
        positions.ensure_partitions(
            session, {positions.week_of(each.position.recorded_at) for each in history}
        )
        imports.append_history(session, history)
    assert scene.one("SELECT count(*) FROM fence_corrections") == 0


def test_a_correction_of_a_device_that_is_gone_is_dropped(scene: Scene) -> None:
    scene.tell(*walk(scene, 0, 900.0))
    with scene.database.begin() as session:
        fence_states.ask_correction_of_history(session, walk(scene, 100, 0.0))
    scene.rows("DELETE FROM geofences RETURNING geofence_id")
    assert work_off(scene) == 1
    assert scene.one("SELECT count(*) FROM fence_corrections") == 0


def test_states_of_another_version_are_folded_anew_from_the_beginning(scene: Scene) -> None:
    scene.tell(*walk(scene, 0, *COMING))
    with scene.database.begin() as session:
        anchor = fence_states.Anchor(
            scene.account_id, scene.device.device_id, scene.fix(100, 0).received_at, b"x" * 40, b"{}"
        )
        fence_states.add_anchors(session, [anchor])
    before = scene.crossings(), scene.events()
    scene.rows(
        "UPDATE fence_states SET live = overlay(live PLACING '\\xff' FROM 17 FOR 1), mid = NULL, old = NULL"
        " RETURNING device_id"
    )
    scene.restart()
    scene.tell(*walk(scene, 300, 0.0, 5.0))
    assert scene.one("SELECT count(*) FROM fence_corrections") == 1
    assert work_off(scene) >= 1
    assert (scene.crossings(), scene.events()) == before
    assert scene.one("SELECT count(*) FROM fence_anchors WHERE get_byte(state, 0) = ascii('x')") == 0
    scene.tell(*walk(scene, 400, 900.0, 950.0, 900.0, 920.0, 910.0))
    assert [each[0] for each in scene.events()] == ["arrived", "left"]
    assert scene.one("SELECT count(*) FROM fence_corrections") == 0
