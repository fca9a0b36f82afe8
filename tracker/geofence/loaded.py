"""The stored states of subjects: read and locked at the beginning of a transaction, written at its end."""

import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tracker.domain import fold
from tracker.domain.fold import RuleState
from tracker.domain.rule import InputKind
from tracker.geofence import engine, folding
from tracker.geofence.book import Bound, Watched
from tracker.geofence.device_state import CHECKPOINT_S
from tracker.geofence.folding import Point, Subject
from tracker.store import fence_states, rule_states
from tracker.store.fence_states import Anchor, Saved, StateRow
from tracker.store.rule_states import RuleRow
from tracker.store.session import Session

DAY_S = 86_400.0

_HEARS = frozenset({InputKind.MOVED, InputKind.HEARD})


@dataclass(slots=True)
class Loaded:
    """A subject's states; `move_on` and `rewind` change them, `save` stores what changed.

    `unread` are devices whose state is of another version: they begin anew.
    `anchor` is a state to be kept for corrections, if one fell due.
    """

    watched: Watched
    devices: Mapping[str, StateRow]
    rules: Mapping[str, RuleRow]
    live: Subject
    unread: Collection[str] = ()
    anchor: Subject | None = None
    new_mid: Subject | None = None
    new_old: Subject | None = None

    @property
    def mid(self) -> Subject:
        """The later of the states to rewind to."""
        return self.new_mid or _stage(self.watched, self.devices, self.rules, "mid")

    @property
    def old(self) -> Subject:
        """The earlier of the states to rewind to."""
        return self.new_old or _stage(self.watched, self.devices, self.rules, "old")

    @property
    def mid_cut_s(self) -> float:
        """The moment of `mid`."""
        if self.new_mid is not None:
            return self.new_mid.cut_s
        cuts = [folding.cut_of(row.mid) if row.mid else self.watched.since_s for row in self.devices.values()]
        return max(cuts, default=self.watched.since_s)

    def move_on(self, after: Subject) -> None:
        """Take a new live state; it becomes `mid` if that is a quarter of an hour old."""
        self.live = after
        reach_s = folding.reach_s(after)
        before_s = self.mid_cut_s
        if reach_s - before_s >= CHECKPOINT_S:
            self.new_old, self.new_mid = self.mid, folding.cut_at(after)
            if before_s // DAY_S != reach_s // DAY_S:
                self.anchor = self.new_old

    def rewind(self, base: Subject, *, is_old: bool) -> None:
        """Note that history after `base`, one of the states to rewind to, is being told anew."""
        if is_old:
            self.new_old = self.new_mid = base

    @property
    def is_new(self) -> bool:
        """Whether a device of it has just got its row."""
        return any(not row.live for row in self.devices.values())


def load(session: Session, watched: Sequence[Watched], known: Collection[tuple[str, str]]) -> list[Loaded]:
    """Read and lock the states of subjects; `known` are devices believed to have a row.

    Devices are locked before rules, each in one order, by everybody: nobody waits crosswise.
    """
    keys = [(each.account_id, device_id) for each in watched for device_id in each.device_ids]
    rows = {row.device_id: row for row in fence_states.lock(session, keys, known)}
    rule_rows: dict[tuple[str, str], dict[str, RuleRow]] = {}
    for row in rule_states.lock(session, [each.key for each in watched]):
        rule_rows.setdefault((row.account_id, row.subject_id), {})[row.rule_id] = row
    return [_loaded(each, rows, rule_rows.get(each.key, {})) for each in watched]


def _loaded(watched: Watched, rows: Mapping[str, StateRow], rules: Mapping[str, RuleRow]) -> Loaded:
    devices = {name: rows[name] for name in watched.device_ids if name in rows}
    versions = {bound.rule.rule_id: bound.rule.version for bound in watched.bound}
    mine = {name: row for name, row in rules.items() if versions.get(name) == row.rule_version}
    unread: list[str] = []
    live = _stage(watched, devices, mine, "live", unread)
    return Loaded(
        watched=watched,
        devices=devices,
        rules=mine,
        live=Subject(live.points, _as_heard(watched, live.points, live.rules)),
        unread=unread,
    )


def _stage(
    watched: Watched,
    devices: Mapping[str, StateRow],
    rules: Mapping[str, RuleRow],
    stage: str,
    unread: list[str] | None = None,
) -> Subject:
    """Return the states of one column; a device without one has not begun.

    One that cannot be read, for it is of another version, begins anew; `unread` is given its device.
    """
    points = {}
    for name, row in devices.items():
        data: bytes | None = getattr(row, stage)
        point = _point(data) if data else None
        if data and point is None and unread is not None:
            unread.append(name)
        points[name] = point or folding.begin_point(watched)
    states = {}
    for name, rule_row in rules.items():
        state: Any = getattr(rule_row, stage)
        if state is not None:
            states[name] = fold.from_json(json.loads(state) if isinstance(state, str) else state)
    return Subject(points, states)


def _point(data: bytes) -> Point | None:
    try:
        return folding.from_bytes(data)
    except ValueError:
        return None


def _as_heard(
    watched: Watched, points: Mapping[str, Point], states: Mapping[str, RuleState]
) -> dict[str, RuleState]:
    """Return the states with the newest input that they took.

    A state that an input left as it was is not stored again: what it took is known from the devices.
    """
    heard_s = max((point.heard_s for point in points.values()), default=-math.inf)
    kinds = {bound.rule.rule_id: bound.kind for bound in watched.bound}
    return {
        name: state._replace(until_s=max(heard_s, state.until_s or heard_s))
        if heard_s > -math.inf and kinds[name].inputs & _HEARS
        else state
        for name, state in states.items()
    }


def save(session: Session, loaded: Iterable[Loaded], *, ticked: bool = False) -> None:
    """Store what changed. With `ticked` due moments are set anew even where nothing else changed."""
    devices: list[Saved] = []
    rules: list[RuleRow] = []
    anchors: list[Anchor] = []
    for each in loaded:
        devices += _changed_devices(each)
        rules += _changed_rules(each, ticked)
        if each.anchor is not None:
            anchors += anchors_of(each.watched, each.anchor)
    fence_states.save(session, devices)
    rule_states.save(session, rules)
    fence_states.add_anchors(session, anchors)


def anchors_of(watched: Watched, subject: Subject) -> list[Anchor]:
    """Return a state to be kept for corrections."""
    versions = {bound.rule.rule_id: bound.rule.version for bound in watched.bound}
    rules = rule_states.to_json(
        {
            name: {"version": versions[name], **fold.to_json(state)}
            for name, state in subject.rules.items()
            if name in versions
        }
    )
    return [
        Anchor(watched.account_id, device_id, moment_of(subject.cut_s), folding.to_bytes(point), rules)
        for device_id, point in subject.points.items()
    ]


def moment_of(at_s: float) -> datetime:
    """Return a moment of epoch seconds, UTC."""
    return datetime.fromtimestamp(at_s, UTC)


def _changed_devices(each: Loaded) -> list[Saved]:
    found = []
    new_mid, new_old = each.new_mid, each.new_old
    for device_id, row in each.devices.items():
        point = each.live.points[device_id]
        live = folding.to_bytes(point)
        due_s = engine.due_s(point.state)
        due_at = None if due_s is None else moment_of(due_s)
        mid = row.mid if new_mid is None else folding.to_bytes(new_mid.points[device_id])
        old = row.old if new_old is None else folding.to_bytes(new_old.points[device_id])
        if (live, mid, old, due_at) != (row.live, row.mid, row.old, row.due_at):
            frontier = moment_of(max(point.state.frontier_s, 0.0))
            found.append(Saved(row.account_id, device_id, live, mid, old, frontier, due_at))
    return found


def _changed_rules(each: Loaded, ticked: bool) -> list[RuleRow]:
    found = []
    rotated = each.new_mid is not None
    mid, old = each.mid.rules if rotated else {}, each.old.rules if rotated else {}
    for bound in each.watched.bound:
        rule_id = bound.rule.rule_id
        state = each.live.rules.get(rule_id)
        if state is None:
            continue
        row = each.rules.get(rule_id)
        is_same = row is not None and not rotated and not _differs(row, state)
        # While a state stays, its moment can only move away; the tick that finds it due looks again.
        if is_same and not ticked:
            continue
        due_s = folding.due_s(each.watched, each.live, bound)
        due_at = None if due_s is None else moment_of(due_s)
        if is_same and row is not None and due_at == row.due_at:
            continue
        staged = (mid.get(rule_id), old.get(rule_id)) if rotated else None
        found.append(_row(each, bound, state, staged, due_at))
    return found


def _differs(row: RuleRow, state: RuleState) -> bool:
    return rule_states.to_json(row.live["state"]) != rule_states.to_json(state.state)


def _row(
    each: Loaded,
    bound: Bound,
    state: RuleState,
    staged: tuple[RuleState | None, RuleState | None] | None,
    due_at: datetime | None,
) -> RuleRow:
    rule_id = bound.rule.rule_id
    row = each.rules.get(rule_id)
    if staged is not None:
        mid, old = (
            None if one is None else rule_states.to_json(fold.to_json(one)).decode() for one in staged
        )
    else:
        mid, old = (row.mid, row.old) if row is not None else (None, None)
    return RuleRow(
        each.watched.account_id,
        rule_id,
        each.watched.subject_id,
        bound.rule.version,
        fold.to_json(state),
        mid,
        old,
        due_at,
    )
