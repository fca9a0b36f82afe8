"""A day of one subject at one fence, told to one rule through the fold that also runs in the service."""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tracker import registry
from tracker.domain import fields, fold
from tracker.domain.crossing import Crossing, Evidence, How, Phase, Side
from tracker.domain.geo import LatLon
from tracker.domain.geofence import Circle, FenceOrigin, Geofence
from tracker.domain.observation import Observation
from tracker.domain.rule import Heard, Moved, Notify, Passed, Raised, Rule, RuleKind, Setting
from tracker.domain.schedule import Schedule, moment_of
from tracker.domain.subject import SubjectKind

ZONE = ZoneInfo("Europe/Moscow")
MONDAY = date(2026, 11, 23)
PHONE, WATCH = "a" * 16, "b" * 16
SUBJECT, PLACE, ACCOUNT = "1" * 16, "f" * 16, "e" * 16
MIDDLE = LatLon(lat=60.0, lon=30.0)
RADIUS_M = 100.0
DEGREE_M = 111_195.0
KINDS: Mapping[str, RuleKind] = registry.load("tracker.geofence.rules", "RULE")
NEEDED: Mapping[str, Mapping[str, Any]] = {
    "not_arrived": {"by": "08:30"},
    "left_early": {"until": "13:00"},
    "speed_in_place": {"limit_mps": 5.0},
}


def clock(text: str, day: date = MONDAY) -> float:
    """Return the moment of a local "H:MM" or "H:MM:SS" of Monday or another day."""
    return moment_of(
        day, time.fromisoformat(text.rjust(8 if text.count(":") > 1 else 5, "0")), ZONE
    ).timestamp()


def fence(schedule: Schedule | None = None) -> Geofence:
    return Geofence(
        account_id=ACCOUNT,
        geofence_id=PLACE,
        name="School",
        shape="circle",
        geometry=Circle(center=MIDDLE, radius_m=RADIUS_M),
        subject_ids=(SUBJECT,),
        all_subjects=False,
        time_zone=ZONE.key,
        schedule=schedule,
        template=None,
        origin=FenceOrigin.DRAWN,
        version=1,
        created_at=datetime(2026, 11, 1, tzinfo=UTC),
        changed_at=datetime(2026, 11, 1, tzinfo=UTC),
    )


def setting(
    kind: RuleKind,
    *,
    schedule: Schedule | None = None,
    asleep: Schedule | None = None,
    devices: tuple[str, ...] = (PHONE,),
    active: str = "0:00",
    **args: Any,
) -> Setting:
    active_from = datetime.fromtimestamp(clock(active), UTC)
    rule = Rule(
        account_id=ACCOUNT,
        rule_id="9" * 16,
        kind=kind.name,
        name="Rule",
        subject_ids=(SUBJECT,),
        all_subjects=False,
        geofence_id=PLACE if kind.needs_fence else None,
        args=fields.read(kind.fields, {**NEEDED.get(kind.name, {}), **args}),
        schedule=schedule,
        notify=Notify(),
        enabled=True,
        version=1,
        active_from=active_from,
        created_at=active_from,
    )
    subject_kind = min(kind.fits, default=SubjectKind.CHILD)
    place = fence(asleep) if kind.needs_fence else None
    return Setting(rule, SUBJECT, subject_kind, place, ZONE, devices, {})


def crossing(
    into: Phase,
    at_s: float,
    *,
    decided_s: float | None = None,
    earliest_s: float | None = None,
    how: How = How.CONFIRMED,
    device_id: str = PHONE,
) -> Crossing:
    at, moment = datetime.fromtimestamp(at_s, UTC), timedelta(seconds=60)
    decided = at + moment if decided_s is None else datetime.fromtimestamp(decided_s, UTC)
    earliest = at - moment if earliest_s is None else datetime.fromtimestamp(earliest_s, UTC)
    side, away_m = (Side.IN, -80.0) if into is Phase.IN else (Side.OUT, 80.0)
    return Crossing(
        account_id=ACCOUNT,
        subject_id=SUBJECT,
        device_id=device_id,
        geofence_id=PLACE,
        fence_version=1,
        into=into,
        how=how,
        at=at,
        earliest=earliest,
        decided_at=decided,
        after_gap=(at - earliest).total_seconds() > 1200,
        evidence=(Evidence(at_s, 60.0, 30.0, 10.0, away_m, 0.5 - away_m / 200, side, False),) * 2,
    )


class Day:
    """What is heard, in any order; `told` folds it all anew."""

    def __init__(self, kind: str, **given: Any) -> None:
        self.kind = KINDS[kind]
        self.setting = setting(self.kind, **given)
        self.inputs: list[fold.Timed] = []

    def crosses(self, into: Phase, at: str | float, **given: Any) -> "Day":
        at_s = at if isinstance(at, float) else clock(at)
        given = {name: clock(each) if isinstance(each, str) and name.endswith("_s") else each
                 for name, each in given.items()}  # fmt: skip
        self.inputs.append(fold.crossed_at(crossing(into, at_s, **given)))
        return self

    def comes(self, at: str | float, **given: Any) -> "Day":
        return self.crosses(Phase.IN, at, **given)

    def goes(self, at: str | float, **given: Any) -> "Day":
        return self.crosses(Phase.OUT, at, **given)

    def is_at(
        self,
        at: str | float,
        north_m: float,
        *,
        known_s: float | None = None,
        device_id: str = PHONE,
        accuracy_m: float | None = 10.0,
        **more: Any,
    ) -> "Day":
        """Report a fix so far north of the middle of the fence."""
        at_s = at if isinstance(at, float) else clock(at)
        fix = Observation(at_s, MIDDLE.lat + north_m / DEGREE_M, MIDDLE.lon, accuracy_m, **more)
        self.inputs.append(fold.Timed(known_s or at_s, device_id, Moved(device_id, fix, None)))
        return self

    def reports(self, since: str, until: str, north_m: float, *, every_s: float = 300, **more: Any) -> "Day":
        """Report fixes from one place, from one moment to another."""
        for step in range(math.floor((clock(until) - clock(since)) / every_s) + 1):
            self.is_at(clock(since) + step * every_s, north_m, **more)
        return self

    def hears(self, at: str, kind: str = "status", device_id: str = PHONE) -> "Day":
        self.inputs.append(fold.Timed(clock(at), device_id, Heard(device_id, clock(at), kind, {})))
        return self

    def passes(self, at: str | float, *, until: str | float, device_id: str = PHONE) -> "Day":
        at_s, until_s = (each if isinstance(each, float) else clock(each) for each in (at, until))
        passed = Passed(device_id, PLACE, at_s, until_s, 150.0)
        self.inputs.append(fold.Timed(until_s, device_id, passed))
        return self

    def told(self, until: str | float = "23:59") -> list[Raised]:
        """Return what is raised by all that is known until then."""
        until_s = until if isinstance(until, float) else clock(until)
        known = [timed for timed in self.inputs if timed.at_s <= until_s]
        run = fold.run([fold.Running(self.kind, self.setting)], {}, known, until_s)
        return [each.raised for each in run.raised]

    def tells(self, until: str | float = "23:59") -> list[tuple[str, str]]:
        """Return type and local time of what is raised until then."""
        return [(each.type, local(each.at_s)) for each in self.told(until)]

    def watched_by(self, *devices: str) -> "Day":
        self.setting = self.setting._replace(device_ids=devices)
        return self

    def renamed(self, **changes: Any) -> "Day":
        self.setting = self.setting._replace(rule=replace(self.setting.rule, **changes))
        return self


def local(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, ZONE).strftime("%H:%M:%S").removesuffix(":00")
