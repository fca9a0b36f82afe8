"""What every kind of rule without a place must keep to."""

import json
import random
from collections.abc import Mapping
from typing import Any

import pytest

from tests.watch.rules.driving import BEGIN_S, DEVICE, Driven, inputs_of_every_kind
from tracker import registry
from tracker.domain import fields
from tracker.domain.rule import RuleKind

KINDS: Mapping[str, RuleKind] = registry.load("tracker.watch.rules", "RULE")
GIVEN: dict[str, dict[str, Any]] = {
    "speed": {"limit_mps": 20.0},
    "maintenance": {"every_km": 500.0},
    "travelling_along": {"for_s": 300.0, "way_m": 100.0},
    "moves_without_owner": {"owner_subject_id": "c" * 16},
}


@pytest.fixture(params=sorted(KINDS))
def driven(request: pytest.FixtureRequest) -> Driven:
    return Driven(KINDS[request.param], **GIVEN.get(request.param, {}))


def test_the_issue_asks_for_these_kinds() -> None:
    assert set(KINDS) == {
        *("battery", "harsh_driving", "ignition", "long_stop", "maintenance", "moves_without_owner"),
        *("silence", "sim_changed", "sos", "speed", "travelling_along"),
    }


def test_args_have_defaults_that_are_right_or_must_be_given(driven: Driven) -> None:
    assert fields.read(driven.kind.fields, driven.setting.rule.args) == driven.setting.rule.args


def test_an_odd_input_is_passed_over(driven: Driven) -> None:
    for given in inputs_of_every_kind():
        driven.state, _ = driven.kind.step(driven.setting, driven.state, given, BEGIN_S)


def _journey(driven: Driven, *, restarted: bool, strides: int) -> None:
    chance = random.Random(7)
    last_s = 0.0
    for _ in range(300):
        at_s = last_s + chance.choice((*(1, 5, 60, 300) * 3, 5000))
        for stride in range(1, strides):
            driven.wait(last_s + (at_s - last_s) * stride / strides)
        if chance.random() < 0.2:
            driven.near(at_s, "c" * 16, chance.choice((5.0, 5000.0)))
        elif chance.random() < 0.5:
            driven.hear(
                at_s, chance.choice(("seen", "seen", "sos", "status")), tracker="t", sim=chance.choice("xy")
            )
        else:
            driven.move(
                at_s,
                60 + chance.random() / 100,
                speed_mps=chance.uniform(0, 40),
                battery_pct=chance.uniform(0, 100),
                ignition=chance.random() < 0.5,
                odometer_m=at_s * 20,
                alarm=chance.choice((None, "sos")),
                sim=chance.choice(("x", "y")),
            )
        if restarted:
            driven.state = json.loads(json.dumps(driven.state))
        last_s = at_s


def test_it_raises_something_and_only_types_it_names(driven: Driven) -> None:
    _journey(driven, restarted=False, strides=1)
    assert driven.raised
    assert {each.type for each in driven.raised} <= set(driven.kind.types)


def test_a_restart_after_any_input_changes_nothing(driven: Driven) -> None:
    other = Driven(driven.kind, **GIVEN.get(driven.kind.name, {}))
    _journey(driven, restarted=False, strides=1)
    _journey(other, restarted=True, strides=1)
    assert other.raised == driven.raised
    assert len(json.dumps(other.state)) <= 8192


def test_time_in_many_strides_or_in_one_comes_to_the_same(driven: Driven) -> None:
    other = Driven(driven.kind, **GIVEN.get(driven.kind.name, {}))
    _journey(driven, restarted=False, strides=1)
    _journey(other, restarted=False, strides=5)
    assert other.raised == driven.raised


def test_slots_tell_events_apart(driven: Driven) -> None:
    _journey(driven, restarted=False, strides=1)
    keys = [(each.type, each.slot) for each in driven.raised]
    assert len(keys) == len(set(keys))


def test_when_it_is_due_something_is_done_or_it_is_not_due_any_more(driven: Driven) -> None:
    driven.move(0.0, by=DEVICE)
    due_s = driven.kind.due_s(driven.setting, driven.state)
    if due_s is not None:
        driven.wait(due_s - BEGIN_S)
        again_s = driven.kind.due_s(driven.setting, driven.state)
        assert again_s is None or again_s > due_s
