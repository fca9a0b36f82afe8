"""Two writers, and the ticks, work on one account at once and never wait for each other in a circle."""

import threading
from collections.abc import Callable

import pytest

from tests.geofence.scene import Scene, at, new_watcher, walk
from tests.geofence.test_ticks import Work
from tracker.domain.device import Device
from tracker.store.session import Database


@pytest.fixture
def scene(database: Database) -> Scene:
    made = Scene(database)
    fence = made.fence()
    for kind in ("arrived", "left", "dwell"):
        made.rule(kind, fence)
    made.rule("silence")
    return made


def at_once(*parts: Callable[[], object]) -> None:
    failures: list[BaseException] = []
    start = threading.Barrier(len(parts))

    def run(part: Callable[[], object]) -> None:
        start.wait()
        try:
            part()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []


def test_two_writers_with_devices_of_the_same_subjects(scene: Scene) -> None:
    """Each batch holds devices of both; one watcher serves both threads, as in ingest."""
    watch = scene.one_more_device()

    def writes(device: Device, other: Device, shift: float) -> Callable[[], None]:
        def run() -> None:
            for turn in range(25):
                north_m = 0.0 if turn % 10 < 5 else 900.0
                begin = 60.0 * turn + shift
                scene.tell(scene.fix(begin, north_m, device), scene.fix(begin + 7, north_m, other))

        return run

    at_once(writes(scene.device, watch, 0.0), writes(watch, scene.device, 3.0))
    assert scene.one("SELECT count(*) FROM positions") == 100
    assert scene.one("SELECT count(*) FROM fence_states") == 2
    assert [kind for kind, _, _ in scene.events()].count("arrived") >= 2


def test_facts_and_positions_in_opposite_order(scene: Scene, database: Database) -> None:
    """A batch of positions of one subject and facts of another, and the other way round."""
    other = Scene(database, phone="+79161234500", watcher=scene.watcher)
    other.rule("arrived", other.fence())

    def writes(first: Scene, second: Scene, shift: float) -> Callable[[], None]:
        def run() -> None:
            for turn in range(25):
                begin = 60.0 * turn + shift
                first.tell(first.fix(begin, 0.0), second.fact(begin, "status", number=turn))

        return run

    at_once(writes(scene, other, 0.0), writes(other, scene, 1.0))
    assert scene.one("SELECT count(*) FROM facts") == 50


def test_ticks_beside_writers(scene: Scene) -> None:
    def writes() -> None:
        for turn in range(40):
            scene.tell(*walk(scene, 300.0 * turn, 900.0 if turn % 2 else 0.0, 0.0))

    def ticks() -> None:
        work = Work(scene)
        work.ticker = type(work.ticker)(new_watcher(), scene.database, work.clock)
        for turn in range(40):
            work.turn(300.0 * turn)

    at_once(writes, ticks)
    assert scene.one("SELECT count(*) FROM positions") == 80


def test_a_rule_that_is_removed_while_it_is_folded_costs_no_position(scene: Scene) -> None:
    """The batch is folded by what the rules were a moment ago; the position is stored all the same."""
    removed = threading.Event()
    fixes = walk(scene, 0, 900.0, 800.0, 700.0, 10.0, 0.0, 5.0)
    scene.tell(*fixes[:3])
    version = scene.one("SELECT version FROM rulebook")
    with scene.database.begin() as session:
        scene.watcher.book.refresh(session)
        scene.rows("DELETE FROM geofences RETURNING geofence_id")
        removed.set()
        # As if its own question had been asked just before the removal.
        scene.watcher.book.refresh = lambda _session: version  # type: ignore[method-assign, assignment]
        scene.tell_in(session, *fixes[3:])
    assert removed.is_set()
    assert scene.one("SELECT count(*) FROM positions") == 6
    assert scene.crossings() == []


def test_a_row_that_is_not_there_any_more_is_made_again(scene: Scene) -> None:
    scene.tell(*walk(scene, 0, 900.0))
    scene.rows("DELETE FROM fence_states RETURNING device_id")
    scene.tell(*walk(scene, 60, 800.0), now=at(100))
    assert scene.one("SELECT count(*) FROM fence_states") == 1
