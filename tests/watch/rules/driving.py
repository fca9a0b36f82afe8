"""Drives one rule of one subject through inputs, in time order, as the fold does."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from tracker.domain import fields
from tracker.domain.crossing import Phase
from tracker.domain.observation import Observation
from tracker.domain.rule import (
    Crossed,
    Heard,
    Input,
    InputKind,
    Moved,
    Nearby,
    Notify,
    Passed,
    Raised,
    Rule,
    RuleKind,
    Setting,
)
from tracker.domain.subject import SubjectKind

DEVICE = "d" * 16
_KIND_OF: dict[type[Any], InputKind] = {
    Moved: InputKind.MOVED,
    Crossed: InputKind.CROSSED,
    Passed: InputKind.PASSED,
    Heard: InputKind.HEARD,
    Nearby: InputKind.NEARBY,
}
BEGIN_S = 1_790_000_000.0


class Driven:
    """One rule and its state; moments are seconds after the beginning."""

    def __init__(self, kind: RuleKind, **args: Any) -> None:
        self.kind = kind
        rule = Rule(
            account_id="a" * 16,
            rule_id="e" * 16,
            kind=kind.name,
            name="",
            subject_ids=("b" * 16,),
            all_subjects=False,
            geofence_id=None,
            args=fields.read(kind.fields, args),
            schedule=None,
            notify=Notify(),
            enabled=True,
            version=1,
            active_from=datetime.fromtimestamp(BEGIN_S, UTC),
            created_at=datetime.fromtimestamp(BEGIN_S, UTC),
        )
        self.heard: dict[str, float] = {}
        self.setting = Setting(
            rule, "b" * 16, SubjectKind.VEHICLE, None, ZoneInfo("Europe/Helsinki"), (DEVICE,), self.heard
        )
        self.state: Mapping[str, Any] = kind.begin(self.setting)
        self.raised: list[Raised] = []
        self._before: dict[str, Observation] = {}

    @property
    def told(self) -> list[tuple[str, float]]:
        """Types and moments of what was raised."""
        return [(each.type, each.at_s - BEGIN_S) for each in self.raised]

    def wait(self, until_s: float) -> "Driven":
        """Let time pass to this moment."""
        self.state, raised = self.kind.advance(self.setting, self.state, BEGIN_S + until_s)
        self.raised += raised
        return self

    def give(self, at_s: float, given: Input, device_id: str = DEVICE) -> "Driven":
        """Let time pass and give one input."""
        self.wait(at_s)
        if isinstance(given, Moved | Heard):
            self.heard[device_id] = BEGIN_S + at_s
        if _KIND_OF[type(given)] not in self.kind.inputs:
            return self
        self.state, raised = self.kind.step(self.setting, self.state, given, BEGIN_S + at_s)
        self.raised += raised
        return self

    def move(
        self, at_s: float, lat: float = 60.0, lon: float = 25.0, *, by: str = DEVICE, **said: Any
    ) -> "Driven":
        """Give a position."""
        fix = Observation(BEGIN_S + at_s, lat, lon, **said)
        given = Moved(by, fix, self._before.get(by))
        self._before[by] = fix
        return self.give(at_s, given, by)

    def hear(self, at_s: float, kind: str, *, by: str = DEVICE, **data: Any) -> "Driven":
        """Give a fact."""
        return self.give(at_s, Heard(by, BEGIN_S + at_s, kind, data), by)

    def near(self, at_s: float, other: str, distance_m: float, accuracy_m: float = 10.0) -> "Driven":
        """Give the distance of another subject."""
        return self.give(at_s, Nearby(BEGIN_S + at_s, other, distance_m, accuracy_m))

    def cross(self, at_s: float, into: str) -> "Driven":
        """Give a crossing of a fence."""
        crossing: Any = SimpleNamespace(device_id=DEVICE, geofence_id="f" * 16, into=Phase(into))
        return self.give(at_s, Crossed(crossing))


def inputs_of_every_kind() -> list[Input]:
    """Return one odd input of each kind."""
    crossing: Any = SimpleNamespace(device_id=DEVICE, geofence_id="f" * 16, into="in", at=BEGIN_S, key="k")
    return [
        Moved(DEVICE, Observation(BEGIN_S, 90.0, 180.0, alarm="", sim=""), None),
        Heard(DEVICE, BEGIN_S, "seen", {"tracker": 5}),
        Heard(DEVICE, BEGIN_S, "status", {"battery_pct": "full", "sim": ["x"]}),
        Passed(DEVICE, "f" * 16, BEGIN_S, BEGIN_S, 0.0),
        Nearby(BEGIN_S, "c" * 16, 0.0, 0.0),
        Crossed(crossing),
    ]
