"""What every kind of rule of places must keep to."""

import json
import random
from datetime import UTC, datetime

import pytest

from tests.geofence.rules.day import KINDS, NEEDED, PHONE, SUBJECT, WATCH, Day, clock, crossing, setting
from tracker.domain import fields, fold
from tracker.domain.crossing import How, Phase
from tracker.domain.observation import Observation
from tracker.domain.rule import Crossed, Heard, InputKind, Moved, Nearby, Passed, Raised, RuleKind
from tracker.notify.compose import event_args, event_text

UNTIL_S = clock("23:59")
LINK = "https://example.org/alerts/0123456789abcdef"


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> RuleKind:
    return KINDS[request.param]


def journey(kind: RuleKind, seed: int) -> Day:
    """Two devices come, go, pass, drive, stand, fall silent."""
    chance = random.Random(seed)
    day = Day(kind.name, devices=(PHONE, WATCH), **NEEDED.get(kind.name, {}))
    inside = {PHONE: False, WATCH: False}
    at_s, north_m = clock("0:10"), {PHONE: 0.0, WATCH: 5000.0}
    while at_s < clock("23:00"):
        at_s += chance.choice((5.0, 20.0, 20.0, 60.0, 300.0, 1200.0, 2400.0))
        device_id = chance.choice((PHONE, WATCH))
        match chance.randrange(12):
            case 0 | 1:
                into = Phase.OUT if inside[device_id] else Phase.IN
                inside[device_id] = into is Phase.IN
                how = chance.choice((How.CONFIRMED, How.SETTLED, How.FIRST, How.REDRAWN))
                decided_s = at_s + chance.choice((0, 12, 120))
                early_s = at_s - chance.choice((0, 60, 3000))
                day.crosses(into, at_s, how=how, device_id=device_id, decided_s=decided_s, earliest_s=early_s)
            case 2:
                day.passes(at_s, until=at_s + 60, device_id=device_id)
            case 3:
                day.inputs.append(fold.Timed(at_s, device_id, Heard(device_id, at_s, "status", {})))
            case _:
                if chance.random() < 0.1:
                    north_m[device_id] = chance.choice((0.0, 95.0, 400.0, 5000.0))
                day.is_at(
                    at_s,
                    north_m[device_id],
                    device_id=device_id,
                    speed_mps=chance.choice((None, 0.0, 8.0, 12.0)),
                    battery_pct=chance.choice((None, 20.0, 80.0)),
                    ignition=chance.choice((None, False, False, True)) if chance.random() < 0.3 else None,
                )
    return day


def told_of(kind: RuleKind, seed: int) -> list[Raised]:
    return journey(kind, seed).told(UNTIL_S)


def test_the_issue_asks_for_these_kinds() -> None:
    assert set(KINDS) == {
        *("arrived", "left", "dwell", "not_arrived", "left_early"),
        *("crossed", "speed_in_place", "escape", "parked_moved"),
    }


def test_its_file_is_named_as_itself(kind: RuleKind) -> None:
    assert type(kind).__module__ == f"tracker.geofence.rules.{kind.name}"
    assert kind.title
    assert kind.inputs <= set(InputKind)


def test_args_have_defaults_that_are_right_or_must_be_given(kind: RuleKind) -> None:
    args = fields.read(kind.fields, NEEDED.get(kind.name, {}))
    assert fields.read(kind.fields, json.loads(json.dumps(args))) == args
    assert json.dumps(fields.json_schema(kind.fields))
    assert {each.name for each in kind.fields if each.default is None} == set(NEEDED.get(kind.name, {}))


def test_over_many_days_every_type_is_raised_and_no_other(kind: RuleKind) -> None:
    types = {each.type for seed in range(40) for each in told_of(kind, seed)}
    assert types == set(kind.types)


@pytest.mark.parametrize("how", [How.FIRST, How.REDRAWN])
@pytest.mark.parametrize("into", [Phase.IN, Phase.OUT])
def test_where_a_device_is_found_to_be_is_no_news(kind: RuleKind, how: How, into: Phase) -> None:
    day = Day(kind.name, active="9:00").crosses(into, "10:00", how=how)
    assert day.tells("10:05") == []
    if kind.name != "dwell":
        assert day.tells() == []
    # Nor is what has been so for long, as a rule that begins is told it.
    long_ago = Crossed(crossing(into, clock("10:00") - 86_400, how=how))
    _, raised = kind.step(day.setting, kind.begin(day.setting), long_ago, clock("10:00"))
    assert raised == ()


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_arrival_comes_to_the_same(kind: RuleKind, seed: int) -> None:
    day = journey(kind, seed)
    expected = day.told(UNTIL_S)
    for again in range(3):
        random.Random(again).shuffle(day.inputs)
        assert day.told(UNTIL_S) == expected


@pytest.mark.parametrize("seed", range(4))
def test_batches_a_restart_and_ticks_between_change_nothing(kind: RuleKind, seed: int) -> None:
    day = journey(kind, seed)
    expected = day.told(UNTIL_S)
    ordered = sorted(day.inputs, key=fold.key_of)
    chance, heard, raised = random.Random(seed), dict[str, float](), list[Raised]()
    states: dict[str, fold.RuleState] = {}
    while ordered:
        size = chance.randint(1, 12)
        batch, ordered = ordered[:size], ordered[size:]
        tick_s = batch[-1].at_s + chance.random() * (
            (ordered[0].at_s if ordered else UNTIL_S) - batch[-1].at_s
        )
        running = fold.Running(kind, day.setting._replace(heard_s=dict(heard)))
        run = fold.run([running], states, batch, tick_s)
        raised += [each.raised for each in run.raised]
        for timed in batch:
            if isinstance(timed.given, Moved | Heard):
                heard[timed.device_id] = max(timed.at_s, heard.get(timed.device_id, timed.at_s))
        states = {
            rule_id: fold.from_json(json.loads(json.dumps(fold.to_json(state))))
            for rule_id, state in run.states.items()
        }
        assert all(len(json.dumps(fold.to_json(state))) <= 8192 for state in states.values())
    running = fold.Running(kind, day.setting._replace(heard_s=heard))
    raised += [each.raised for each in fold.run([running], states, [], UNTIL_S).raised]
    assert [repr(each) for each in raised] == [repr(each) for each in expected]


@pytest.mark.parametrize("seed", range(4))
def test_time_in_many_strides_or_in_one_comes_to_the_same(kind: RuleKind, seed: int) -> None:
    day = journey(kind, seed)
    ordered = sorted(day.inputs, key=fold.key_of)[: 40 + seed]
    (state,) = fold.run([fold.Running(kind, day.setting)], {}, ordered).states.values()
    at_s = ordered[-1].at_s
    whole, raised = kind.advance(day.setting, state.state, UNTIL_S)
    parts, pieces = state.state, list[Raised]()
    for stride in range(1, 51):
        parts, more = kind.advance(day.setting, parts, at_s + (UNTIL_S - at_s) * stride / 50)
        pieces += more
    assert parts == whole
    assert tuple(pieces) == raised
    assert kind.advance(day.setting, whole, UNTIL_S) == (whole, ())


@pytest.mark.parametrize("seed", range(4))
def test_when_it_is_due_something_is_done_and_it_is_due_later_or_never(kind: RuleKind, seed: int) -> None:
    day = journey(kind, seed)
    ordered = sorted(day.inputs, key=fold.key_of)
    for size in range(1, len(ordered), 7):
        (state,) = fold.run([fold.Running(kind, day.setting)], {}, ordered[:size]).states.values()
        due_s = kind.due_s(day.setting, state.state)
        if due_s is None:
            continue
        assert kind.advance(day.setting, state.state, due_s - 1e-3) == (state.state, ())
        after, _ = kind.advance(day.setting, state.state, due_s)
        assert after != state.state
        again_s = kind.due_s(day.setting, after)
        assert again_s is None or again_s > due_s


@pytest.mark.parametrize("seed", range(4))
def test_events_are_told_apart_and_carry_json_and_their_reasons(kind: RuleKind, seed: int) -> None:
    told = told_of(kind, seed)
    keys = [(each.type, each.slot) for each in told]
    assert len(keys) == len(set(keys))
    for each in told:
        assert json.loads(json.dumps(each.data, allow_nan=False)) == each.data
        assert json.dumps([each.why, each.suppressed])
        assert each.at_s <= each.decided_at_s
        assert each.why or each.type == "not_arrived_silent"


def test_an_odd_input_is_passed_over(kind: RuleKind) -> None:
    nan = float("nan")
    odd = setting(kind, devices=("x",))
    elsewhere = crossing(Phase.IN, clock("9:00"))
    state = kind.begin(odd)
    inputs = (
        Moved("x", Observation(clock("9:00"), 90.0, 180.0, nan, nan, nan, nan), None),
        Moved("x", Observation(clock("9:00"), -90.0, -180.0, 0.0, -5.0, battery_pct=1e9), None),
        Heard("x", clock("9:00"), "", {"a": object()}),
        Nearby(clock("9:00"), "y", nan, nan),
        Passed("x", "another", clock("9:00"), clock("9:01"), nan),
        Crossed(elsewhere),
        Crossed(crossing(Phase.UNKNOWN, clock("9:00"))),
    )
    for given in inputs:
        state, raised = kind.step(odd, state, given, clock("9:00"))
        assert all(each.type in kind.types for each in raised)
    assert json.dumps(state, allow_nan=False)


def words(kind: RuleKind, raised: Raised, locale: str) -> tuple[str, str]:
    args = event_args(
        event_type=raised.type,
        subject="Маша",
        place="Школа",
        rule=kind.title,
        at=moment(raised.at_s),
        earliest=moment(raised.data["earliest_at"]) if raised.data.get("after_gap") else None,
        told_at=moment(raised.decided_at_s),
        time_zone="Europe/Moscow",
        data=raised.data,
        link=LINK,
        step=0,
    )
    text = event_text(json.loads(json.dumps(args)), locale)
    return text.subject or "", text.body


def moment(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()


@pytest.mark.parametrize("locale", ["ru", "en"])
def test_every_event_has_words_that_fit_an_sms_in_two_parts(kind: RuleKind, locale: str) -> None:
    told = [each for seed in range(25) for each in told_of(kind, seed)]
    assert {each.type for each in told} == set(kind.types)
    for each in told:
        subject, body = words(kind, each, locale)
        title = subject.removeprefix("Маша: ")
        assert 3 < len(title) <= 40
        fallback = f"Маша: {title.lower()}"
        if "heard_at" in each.data or each.type != "not_arrived_silent":
            assert not body.startswith(fallback), body
        assert "{" not in body
        assert len(f"{body}\n{LINK}") <= 134, body
        assert SUBJECT not in body
