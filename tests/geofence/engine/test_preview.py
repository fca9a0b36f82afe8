"""What a rule would have raised: the live folds over the past."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.geofence.engine.script import HOME, START_S, at, circle, fixes
from tracker import registry
from tracker.domain import fields
from tracker.domain.fold import Running
from tracker.domain.observation import Observation
from tracker.domain.rule import Nearby, Notify, Rule, RuleKind, Setting
from tracker.domain.schedule import Schedule, Span, Weekly
from tracker.domain.subject import SubjectKind
from tracker.geofence.engine import Fences
from tracker.geofence.preview import Past, Preview, preview

NOW = datetime(2030, 1, 1, tzinfo=UTC)
THERE_AND_BACK = "0 0\n60 300\n120 300\n4000 0\n4060 0\n8000 300\n8060 300"
KINDS: Mapping[str, RuleKind] = {
    **registry.load("tracker.geofence.rules", "RULE"),
    **registry.load("tracker.watch.rules", "RULE"),
}


def running(kind: str, *, geofence_id: str | None = HOME, **args: Any) -> Running:
    """Return a rule made long after the past that it is tried on."""
    rule = Rule(
        account_id="a",
        rule_id=f"rule of {kind}",
        kind=kind,
        name="",
        subject_ids=("s",),
        all_subjects=False,
        geofence_id=geofence_id,
        args=fields.read(KINDS[kind].fields, args),
        schedule=None,
        notify=Notify(),
        enabled=True,
        version=1,
        active_from=NOW,
        created_at=NOW,
    )
    setting = Setting(rule, "s", SubjectKind.CHILD, None, ZoneInfo("UTC"), ("d", "e"), {})
    return Running(KINDS[kind], setting)


def previewed(rules: Sequence[Running], until: float = 20_000, **devices: list[Observation]) -> Preview:
    past = Past("a", "s", rules, Fences([circle()]), devices)
    return preview([past], START_S - 1, START_S + until)


def told(found: Preview) -> list[tuple[str, float]]:
    return [(event.raised.type, event.raised.at_s - START_S) for event in found.events]


def test_rules_are_replayed_as_if_they_had_been_there() -> None:
    found = previewed([running("arrived"), running("left")], d=fixes(THERE_AND_BACK))

    assert told(found) == [("left", 60), ("arrived", 4000), ("left", 8000)]
    assert found.by_type == {"left": 2, "arrived": 1}
    assert (found.would_tell, found.positions) == (3, 7)


def test_each_event_names_the_crossing_it_comes_of() -> None:
    event = previewed([running("arrived")], d=fixes(THERE_AND_BACK)).events[0]

    assert event.crossing is not None
    assert [line.at_s - START_S for line in event.crossing.evidence] == [4000, 4060]


def test_silence_after_the_last_position_is_part_of_the_past() -> None:
    rule = [running("dwell", dwell_s=1800)]

    assert told(previewed(rule, until=1700, d=fixes("0 900\n60 0\n120 0"))) == []
    assert [one for one, _ in told(previewed(rule, until=2000, d=fixes("0 900\n60 0\n120 0")))] == ["dwelt"]


def test_several_devices_of_a_subject_are_one_story() -> None:
    phone, watch = fixes("0 900\n60 0\n120 0"), fixes("5 900\n75 0\n135 0")

    assert told(previewed([running("arrived")], d=phone, e=watch)) == [("arrived", 60)]


def test_what_comes_while_the_rule_sleeps_is_counted_and_would_not_be_told() -> None:
    awake = running("arrived")
    hour = datetime.fromtimestamp(START_S + 4000, UTC) + timedelta(hours=3)
    span = Span(start=time(hour.hour), end=time((hour.hour + 1) % 24))
    elsewhen = Schedule(weekly=(Weekly(days=frozenset(range(7)), spans=(span,)),))
    rule = replace(awake.setting.rule, schedule=elsewhen)
    asleep = awake._replace(setting=awake.setting._replace(rule=rule))

    found = previewed([asleep], d=fixes(THERE_AND_BACK))
    assert (len(found.events), found.would_tell) == (1, 0)


def test_point_test_beside_it_counts_every_point_across_the_edge() -> None:
    drift = [at(60.0 * n, 100 + 40 * (-1) ** n, 60) for n in range(40)]

    found = previewed([running("arrived"), running("left")], d=drift)
    assert found.events == ()
    assert found.peer_point_test == 39


def test_rule_without_a_fence_has_no_point_test() -> None:
    rule = running("speed", geofence_id=None, limit_mps=20)

    assert previewed([rule], d=fixes("0 0")).peer_point_test is None


def test_others_are_looked_for_near_believed_fixes_only() -> None:
    asked: list[float] = []

    def near(device_id: str, fix: Observation) -> list[Nearby]:
        asked.append(fix.at_s - START_S)
        return []

    track = {"d": fixes("0 0\n10 90000\n20 0")}
    preview([Past("a", "s", [running("arrived")], Fences([circle()]), track, (), near)], 0, START_S)

    assert asked == [0, 20]


def test_nothing_stored_is_nothing_foreseen() -> None:
    assert preview([], 0, 1) == Preview((), {}, 0, 0, None)
