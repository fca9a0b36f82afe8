"""Where a subject is, as its devices tell: the part that the rules of coming and going share.

The subject is inside once the first of its devices is, and outside when the last one that is still heard is.
One that stays inside while another is gone holds the subject for half an hour, no longer: a phone lies
forgotten more often than a watch walks alone. What a device told with its first fix, or when a fence was
drawn anew, moves the subject and is no news.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tracker.domain.crossing import Crossing, Evidence, How, Phase, Side
from tracker.domain.rule import Crossed, Input, JsonState, Raised, Setting

FRESH_S = 1800.0
"""A device that is inside and was heard within this time holds its subject inside, for as long again."""
SIBLINGS_MOST = 8
"""So many crossings that were not told are named in an event."""

_SILENT = frozenset({How.FIRST, How.REDRAWN})


class Turn(NamedTuple):
    """The subject came in or went out; JSON as a list. Moments are epoch seconds.

    `silent`: it is known now, but did not happen now. `why` holds `Evidence` as lists, `siblings` what other
    devices told of the same.
    """

    into: str
    at_s: float
    decided_s: float
    earliest_s: float
    after_gap: bool
    how: str
    device_id: str
    geofence_id: str
    key: str
    silent: bool
    why: list[list[Any]]
    siblings: list[Mapping[str, Any]]

    @property
    def came_in(self) -> bool:
        """Tell whether it came in."""
        return self.into == Phase.IN


class Presence(NamedTuple):
    """What is known of a subject: `side` "in", "out" or None, its devices, a going out not certain yet.

    `devices` holds by device [side, when that was decided]. `held` is the last crossing out while another
    device is still heard inside.
    """

    side: str | None = None
    devices: Mapping[str, list[Any]] = {}
    held: Turn | None = None

    def as_json(self) -> JsonState:
        """Return it as JSON values."""
        return {
            "side": self.side,
            "devices": self.devices,
            "held": None if self.held is None else list(self.held),
        }


def presence_of(state: JsonState) -> Presence:
    """Return what `as_json` gave."""
    held = state["held"]
    return Presence(state["side"], state["devices"], None if held is None else Turn(*held))


def cross(setting: Setting, presence: Presence, crossing: Crossing) -> tuple[Presence, Turn | None]:
    """Take a crossing of one of the subject's devices; return also the subject's own, if it makes one."""
    turn = _turn(crossing)
    if crossing.into is Phase.UNKNOWN or crossing.subject_id != setting.subject_id:
        return presence, None
    devices = {**presence.devices, turn.device_id: [turn.into, turn.decided_s]}
    if turn.came_in:
        return Presence(turn.into, devices), None if presence.side == turn.into else turn
    out = presence.held if turn.silent else _after(presence.held, turn)
    if (_held_until_s(setting, devices) or 0.0) >= turn.decided_s:
        side = presence.side or Phase.IN.value
        return Presence(side, devices, out if side == Phase.IN else None), None
    return Presence(turn.into, devices), None if presence.side == turn.into else out or turn


def due_s(setting: Setting, presence: Presence) -> float | None:
    """Return when a going out is believed, though another device was inside."""
    if presence.held is None:
        return None
    longest_s = presence.held.decided_s + FRESH_S
    return min(longest_s, _held_until_s(setting, presence.devices) or longest_s)


def give_up(setting: Setting, presence: Presence, at_s: float) -> tuple[Presence, Turn | None]:
    """Take that the moment `due_s` has come."""
    held = presence.held
    if held is None:
        return presence, None
    left_behind = [
        {"device_id": device_id, "at_s": since_s, "why": "inside, but silent or alone for 30 minutes"}
        for device_id, (side, since_s) in presence.devices.items()
        if side == Phase.IN and device_id in setting.device_ids
    ]
    turn = held._replace(decided_s=at_s, siblings=[*held.siblings, *left_behind][-SIBLINGS_MOST:])
    return Presence(turn.into, presence.devices), turn


def event_of(
    turn: Turn, event_type: str, decided_s: float, *, at_s: float | None = None, **data: Any
) -> Raised:
    """Return the event that a turn makes; `at_s` None: that of the turn."""
    return Raised(
        type=event_type,
        at_s=turn.at_s if at_s is None else at_s,
        decided_at_s=max(decided_s, turn.decided_s),
        slot=turn.key,
        data={
            "device_id": turn.device_id,
            "how": turn.how,
            "earliest_at": turn.earliest_s,
            "after_gap": turn.after_gap,
            **data,
        },
        why=tuple(Evidence._make([*each[:6], Side(each[6]), each[7]]) for each in turn.why),
        suppressed=tuple(turn.siblings),
    )


def _turn(crossing: Crossing) -> Turn:
    return Turn(
        into=crossing.into.value,
        at_s=crossing.at.timestamp(),
        decided_s=crossing.decided_at.timestamp(),
        earliest_s=crossing.earliest.timestamp(),
        after_gap=crossing.after_gap,
        how=crossing.how.value,
        device_id=crossing.device_id,
        geofence_id=crossing.geofence_id,
        key=crossing.key,
        silent=crossing.how in _SILENT,
        why=[[*each[:6], each.side.value, each.weak] for each in crossing.evidence],
        siblings=[],
    )


def _after(held: Turn | None, turn: Turn) -> Turn:
    """Return a going out that follows one that had to wait."""
    if held is None:
        return turn
    waited = {"device_id": held.device_id, "at_s": held.at_s, "why": "waited for another device"}
    return turn._replace(siblings=[*held.siblings, waited][-SIBLINGS_MOST:])


def _held_until_s(setting: Setting, devices: Mapping[str, list[Any]]) -> float | None:
    """Return until when a device that is inside, and still the subject's, counts as heard; None: none is."""
    heard = [
        max(setting.heard_s.get(device_id, since_s), since_s)
        for device_id, (side, since_s) in devices.items()
        if side == Phase.IN and device_id in setting.device_ids
    ]
    return max(heard) + FRESH_S if heard else None


class Coming:
    """A rule of coming and going: what side tells what, and how long the side must last for that.

    State: `presence`, `wait` (a turn, and when it will have lasted long enough), `memo` of the kind itself.
    """

    def begin(self, setting: Setting) -> JsonState:
        """Return that nothing is known."""
        return {**Presence().as_json(), "wait": None, "memo": None}

    def step(
        self, setting: Setting, state: JsonState, given: Input, at_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Take a crossing of the rule's fence."""
        if not isinstance(given, Crossed) or not concerns(setting, given.crossing):
            return state, ()
        presence, turn = cross(setting, presence_of(state), given.crossing)
        return self._turned(setting, {**state, **presence.as_json()}, turn, at_s)

    def advance(
        self, setting: Setting, state: JsonState, until_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Let time pass: a stay becomes long enough, a going out is believed; whichever is first."""
        raised: tuple[Raised, ...] = ()
        while (at_s := self.due_s(setting, state)) is not None and at_s <= until_s:
            if state["wait"] is not None and state["wait"][0] <= at_s:
                turn = Turn(*state["wait"][1])
                state, more = self.tell(setting, {**state, "wait": None}, turn, at_s)
            else:
                presence, gone = give_up(setting, presence_of(state), at_s)
                state, more = self._turned(setting, {**state, **presence.as_json()}, gone, at_s)
            raised += more
        return state, raised

    def due_s(self, setting: Setting, state: JsonState) -> float | None:
        """Return when the next of the two comes."""
        silent_s = due_s(setting, presence_of(state))
        moments = [moment for moment in (silent_s, state["wait"] and state["wait"][0]) if moment is not None]
        return min(moments, default=None)

    def lasts_s(self, setting: Setting, turn: Turn) -> float | None:
        """Return how long the side must last to be told; None: it is nothing to tell."""
        raise NotImplementedError

    def tell(
        self, setting: Setting, state: JsonState, turn: Turn, decided_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Return what is raised of a turn whose side has lasted."""
        raise NotImplementedError

    def _turned(
        self, setting: Setting, state: JsonState, turn: Turn | None, at_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        if turn is None:
            return state, ()
        state = {**state, "wait": None}
        lasts_s = self.lasts_s(setting, turn)
        if lasts_s is None:
            return state, ()
        due = turn.at_s + lasts_s
        # What is known at once, but was not seen to happen, is never told at once.
        if due <= at_s and not turn.silent:
            return self.tell(setting, state, turn, at_s)
        return {**state, "wait": [due, list(turn)]}, ()


def concerns(setting: Setting, crossing: Crossing) -> bool:
    """Tell whether a crossing is of the rule's fence and subject."""
    return crossing.geofence_id == setting.rule.geofence_id and crossing.subject_id == setting.subject_id
