"""Rules over everything heard of a subject: the same for any order, restart-safe, one device or several."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.domain import fold
from tracker.domain.crossing import Crossing, How, Phase
from tracker.domain.fields import Field
from tracker.domain.fold import RuleState, Run, Running, Timed, crossed_at, from_json, to_json
from tracker.domain.observation import Observation
from tracker.domain.rule import (
    Crossed,
    Heard,
    Input,
    InputKind,
    JsonState,
    Moved,
    Notify,
    Passed,
    Raised,
    Rule,
    RuleKind,
    Setting,
    Urgency,
)
from tracker.domain.schedule import Schedule, Span, Weekly
from tracker.domain.subject import SubjectKind

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
START_S = START.timestamp()


class Probe:
    """Raises every input with who had been heard when; counts a minute of silence after each, once."""

    name = "probe"
    title = "Probe"
    fields: tuple[Field, ...] = ()
    fits: frozenset[SubjectKind] = frozenset()
    needs_fence = False
    urgency = Urgency.NORMAL
    types = ("heard", "quiet")

    def __init__(self, *inputs: InputKind) -> None:
        self.inputs = frozenset(inputs)

    def begin(self, setting: Setting) -> JsonState:  # noqa: ARG002
        return {"last_s": None, "count": 0}

    def step(
        self, setting: Setting, state: JsonState, given: Input, at_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        after = {"last_s": at_s, "count": state["count"] + 1}
        said = {"what": type(given).__name__, "count": after["count"], "heard": dict(setting.heard_s)}
        return after, (Raised("heard", at_s, at_s, f"{after['count']}", said),)

    def advance(
        self, setting: Setting, state: JsonState, until_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        due_s = self.due_s(setting, state)
        if due_s is None or due_s > until_s:
            return state, ()
        said = {"count": state["count"], "heard": dict(setting.heard_s)}
        return {**state, "last_s": None}, (Raised("quiet", due_s, due_s, f"{due_s}", said),)

    def due_s(self, setting: Setting, state: JsonState) -> float | None:  # noqa: ARG002
        return None if state["last_s"] is None else state["last_s"] + 60.0


ANY = Probe(InputKind.MOVED, InputKind.CROSSED, InputKind.PASSED, InputKind.HEARD)


def running(
    kind: RuleKind = ANY,
    *,
    rule_id: str = "r",
    geofence_id: str | None = None,
    active_from: datetime = START - timedelta(days=1),
    schedule: Schedule | None = None,
    heard_s: Mapping[str, float] | None = None,
) -> Running:
    rule = Rule(
        account_id="a",
        rule_id=rule_id,
        kind=kind.name,
        name="",
        subject_ids=("s",),
        all_subjects=False,
        geofence_id=geofence_id,
        args={},
        schedule=schedule,
        notify=Notify(),
        enabled=True,
        version=1,
        active_from=active_from,
        created_at=active_from,
    )
    setting = Setting(rule, "s", SubjectKind.CHILD, None, ZoneInfo("UTC"), ("d", "e"), heard_s or {})
    return Running(kind, setting)


def moved(seconds: float, device_id: str = "d") -> Timed:
    at_s = START_S + seconds
    return Timed(at_s, device_id, Moved(device_id, Observation(at_s, 1.0, 2.0), None))


def heard(seconds: float, device_id: str = "d", kind: str = "presence") -> Timed:
    return Timed(START_S + seconds, device_id, Heard(device_id, START_S + seconds, kind, {"n": 1}))


def crossed(seconds: float, device_id: str = "d", geofence_id: str = "g", before: float = 0) -> Timed:
    decided = START + timedelta(seconds=seconds)
    return crossed_at(
        Crossing(
            account_id="a",
            subject_id="s",
            device_id=device_id,
            geofence_id=geofence_id,
            fence_version=1,
            into=Phase.IN,
            how=How.CONFIRMED,
            at=decided - timedelta(seconds=before),
            earliest=decided - timedelta(seconds=before),
            decided_at=decided,
            after_gap=False,
            evidence=(),
        )
    )


def passed(seconds: float, geofence_id: str) -> Timed:
    return Timed(START_S + seconds, "d", Passed("d", geofence_id, START_S, START_S + seconds, 50.0))


def run(inputs: Sequence[Timed], *rules: Running, until: float | None = None, **states: RuleState) -> Run:
    return fold.run(rules or (running(),), states, inputs, None if until is None else START_S + until)


def said(result: Run) -> list[tuple[str, Any]]:
    return [(one.raised.type, one.raised.data.get("what")) for one in result.raised]


INPUTS = st.lists(
    st.one_of(
        st.builds(moved, st.integers(0, 600), st.sampled_from(["d", "e"])),
        st.builds(heard, st.integers(0, 600), st.sampled_from(["d", "e"]), st.sampled_from(["a", "b"])),
        st.builds(crossed, st.integers(0, 600), st.sampled_from(["d", "e"]), st.sampled_from(["g", "h"])),
    ),
    max_size=20,
    unique_by=fold.key_of,
)


@given(st.data(), INPUTS)
@settings(max_examples=100, deadline=None)
def test_any_order_of_inputs_is_the_same(data: st.DataObject, inputs: list[Timed]) -> None:
    assert run(data.draw(st.permutations(inputs)), until=900) == run(inputs, until=900)


@given(INPUTS, st.lists(st.integers(0, 700), max_size=4))
@settings(max_examples=100, deadline=None)
def test_in_parts_through_json_or_at_once_is_the_same(inputs: list[Timed], cuts: list[int]) -> None:
    rules = (running(rule_id="r"), running(Probe(InputKind.CROSSED), rule_id="q"))
    states: dict[str, RuleState] = {}
    raised: list[fold.RuleRaised] = []
    since = -1.0
    heard_s: dict[str, float] = {}
    for cut in [*sorted(cuts), 900]:
        part = [one for one in inputs if since < one.at_s - START_S <= cut]
        now = [one._replace(setting=one.setting._replace(heard_s=dict(heard_s))) for one in rules]
        result = fold.run(now, states, part, START_S + cut)
        states = {
            name: from_json(json.loads(json.dumps(to_json(state)))) for name, state in result.states.items()
        }
        raised += result.raised
        since = float(cut)
        for one in part:
            if not isinstance(one.given, Crossed):
                heard_s[one.device_id] = max(one.at_s, heard_s.get(one.device_id, 0))
    whole = run(inputs, *rules, until=900)

    assert raised == list(whole.raised)
    assert states == whole.states


def test_silence_is_closed_before_the_next_input() -> None:
    assert said(run([moved(0), moved(100)])) == [("heard", "Moved"), ("quiet", None), ("heard", "Moved")]


def test_input_at_the_very_moment_of_a_decision_comes_after_it() -> None:
    assert said(run([moved(0), moved(60)]))[1][0] == "quiet"


def test_crossing_comes_before_the_fix_that_decided_it() -> None:
    assert said(run([moved(10), crossed(10, before=5)])) == [("heard", "Crossed"), ("heard", "Moved")]


def test_crossing_stands_at_its_decision() -> None:
    assert said(run([crossed(30, before=30), moved(10)])) == [("heard", "Moved"), ("heard", "Crossed")]


def test_rule_is_told_only_what_it_asks_for_of_its_own_fence() -> None:
    inputs = [moved(0), crossed(1), crossed(2, geofence_id="other"), passed(3, "g"), passed(4, "other")]

    assert said(run(inputs, running(Probe(InputKind.CROSSED)))) == [("heard", "Crossed")] * 2
    assert said(run(inputs, running(geofence_id="g")))[1:] == [("heard", "Crossed"), ("heard", "Passed")]


def test_all_devices_of_a_subject_are_one_story() -> None:
    result = run([moved(0, "d"), moved(20, "e"), moved(10, "e")])

    assert [one.raised.data["heard"] for one in result.raised] == [
        {"d": START_S},
        {"d": START_S, "e": START_S + 10},
        {"d": START_S, "e": START_S + 20},
    ]


def test_rule_knows_who_is_heard_though_it_is_not_told_positions() -> None:
    result = run([moved(0, "e"), crossed(5)], running(Probe(InputKind.CROSSED), heard_s={"d": START_S - 9}))

    assert result.raised[0].raised.data["heard"] == {"d": START_S - 9, "e": START_S}


def test_what_falls_due_is_judged_by_what_had_been_heard_until_then() -> None:
    result = run([crossed(0), moved(100, "e"), crossed(300)], running(Probe(InputKind.CROSSED)))

    quiet = next(one for one in result.raised if one.raised.type == "quiet")
    assert quiet.at_s == START_S + 60
    assert quiet.raised.data["heard"] == {}


def test_what_is_decided_before_a_rule_was_made_raises_nothing_but_is_known() -> None:
    result = run([moved(0), moved(10)], running(active_from=START + timedelta(seconds=5)))

    assert [one.raised.data["count"] for one in result.raised] == [2]


def test_older_input_is_refused() -> None:
    state = run([moved(0), moved(10)], until=70).states["r"]

    for older in (moved(10), moved(5), moved(69)):
        assert not fold.reaches(state, older)
        with pytest.raises(ValueError, match="older"):
            run([older], r=state)
    assert fold.reaches(state, moved(70))


def test_asking_for_time_that_decides_nothing_changes_nothing() -> None:
    assert run([moved(0)], until=59).states == run([moved(0)]).states
    assert run([moved(0)], until=60).states == run([moved(0)], until=90_000).states


def test_rule_that_never_ends_its_silence_is_left() -> None:
    class Restless(Probe):
        def advance(
            self,
            setting: Setting,  # noqa: ARG002
            state: JsonState,
            until_s: float,  # noqa: ARG002
        ) -> tuple[JsonState, tuple[Raised, ...]]:
            return {**state, "count": state["count"] + 1}, ()

    assert run([moved(0)], running(Restless(InputKind.MOVED)), until=1e6).raised


def test_schedule_tells_when_a_rule_sleeps() -> None:
    monday = Schedule(weekly=(Weekly(days=frozenset({0}), spans=(Span(start=time(7), end=time(9)),)),))
    rule = running(schedule=monday)

    assert not is_asleep(rule, START)
    assert is_asleep(rule, START + timedelta(hours=2))
    assert not is_asleep(running(), START)


def is_asleep(one: Running, at: datetime) -> bool:
    setting = one.setting
    return fold.is_asleep(setting.rule, setting.fence, setting.zone, at)
