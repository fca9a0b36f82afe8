"""What is counted of fences and rules."""

import pytest
from prometheus_client import CollectorRegistry

from tests.geofence.scene import Scene, kinds, new_watcher, shapes, walk
from tests.geofence.test_ticks import Work
from tracker.domain.rule import RuleKind
from tracker.geofence.service import Watcher
from tracker.store import fence_states
from tracker.store.session import Database

COMING = (900.0, 800.0, 700.0, 20.0, 10.0, 0.0, 5.0, 0.0)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def scene(database: Database, registry: CollectorRegistry) -> Scene:
    return Scene(database, watcher=new_watcher(registry=registry))


def test_events_are_counted_by_their_news_and_crossings_by_their_decision(
    scene: Scene, registry: CollectorRegistry
) -> None:
    fence = scene.fence()
    scene.rule("arrived", fence)
    scene.rule("left", fence)
    scene.tell(*walk(scene, 0, *COMING, 900.0, 950.0, 900.0, 920.0, 910.0))
    told = {
        (kind, news): registry.get_sample_value("tracker_alerts_total", {"type": kind, "news": news})
        for kind, _, news in scene.events()
    }
    assert told == {("arrived", "told"): 1, ("left", "told"): 1}
    hows = [how for _, _, how in scene.crossings()]
    assert hows
    for how in hows:
        counted = registry.get_sample_value("tracker_crossings_total", {"how": how})
        assert counted == hows.count(how)


def test_what_comes_late_is_counted_as_told_once(scene: Scene, registry: CollectorRegistry) -> None:
    scene.rule("arrived", scene.fence())
    fixes = walk(scene, 0, *COMING, 0.0)
    scene.tell(*fixes[:3], scene.fix(211, 300, accuracy_m=900.0))
    scene.tell(*fixes[3:8])
    assert registry.get_sample_value("tracker_fence_replays_total", {"depth": "old"}) == 1
    assert registry.get_sample_value("tracker_alerts_total", {"type": "arrived", "news": "told"}) == 1
    scene.tell(fixes[8])
    assert registry.get_sample_value("tracker_alerts_total", {"type": "arrived", "news": "told"}) == 1


def test_corrections_that_wait_and_those_done_are_counted(scene: Scene, registry: CollectorRegistry) -> None:
    scene.rule("arrived", scene.fence())
    fixes = walk(scene, 0, *COMING)
    scene.tell(*fixes)
    with scene.database.begin() as session:
        fence_states.ask_correction_of_history(session, fixes)
    Work(scene).turn(400)
    assert registry.get_sample_value("tracker_fence_replays_total", {"depth": "correction"}) == 1
    assert registry.get_sample_value("tracker_corrections_waiting") == 0


@pytest.fixture
def failing(scene: Scene) -> CollectorRegistry:
    """The metrics of a watcher whose rules of arrival fail."""
    made = CollectorRegistry()
    scene.watcher = Watcher(shapes(), {"arrived": _broken()}, registry=made)
    scene.rule("arrived", scene.fence())
    return made


def _broken() -> RuleKind:
    arrived = kinds()["arrived"]

    class Broken(type(arrived)):  # type: ignore[misc]
        def step(self, *_: object) -> object:
            raise ZeroDivisionError

    broken: RuleKind = Broken()
    return broken


def failures(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value("tracker_rule_failures_total", {"kind": "arrived"})


def test_a_rule_that_fails_is_counted_by_its_kind(scene: Scene, failing: CollectorRegistry) -> None:
    scene.tell(*walk(scene, 0, *COMING))
    assert failures(failing) == 1


def test_a_rule_that_fails_when_history_is_told_anew_is_counted_as_well(
    scene: Scene, failing: CollectorRegistry
) -> None:
    fixes = walk(scene, 0, *COMING)
    scene.tell(*fixes[:3], *fixes[4:])
    scene.tell(fixes[3])
    assert failing.get_sample_value("tracker_fence_replays_total", {"depth": "old"}) == 1
    assert failures(failing) == 2
