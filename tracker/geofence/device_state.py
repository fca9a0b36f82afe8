"""What the fold of one device knows, its bytes, its checkpoints, and what late input makes of them. Pure."""

import math
from typing import NamedTuple

import msgspec

from tracker.domain.crossing import Evidence, Phase
from tracker.domain.observation import Observation

CHECKPOINT_S = 900.0
"""How far apart, in the data's time, the states are that late input can rewind to."""
_FORMAT = b"\x01"


class Candidate(NamedTuple):
    """Evidence for the other side that is not enough yet.

    `first_s` and `last_s` are of the `sure` fixes (of poor ones as long as there are only those); `strong` of
    them are strong, `small` of them count only because the fence is small. `weak` poor ones say the same,
    since `weak_first_s`. The device came to the first of all at `leg_mps`.
    """

    into: Phase
    first_s: float
    last_s: float
    sure: int
    strong: int
    small: int
    weak: int
    weak_first_s: float | None
    leg_mps: float
    evidence: tuple[Evidence, ...]


class FenceState(NamedTuple):
    """Where a device is of one fence, of what version, since when; `sure_s`: the last fix surely there."""

    phase: Phase
    since_s: float
    sure_s: float
    version: int
    candidate: Candidate | None


class Quiet(NamedTuple):
    """A disc in which a fix no worse than `accuracy_m` changes nothing, before `until_s`.

    `stamp` tells for which fences: with others it says nothing.
    """

    lat: float
    lon: float
    radius_m: float
    accuracy_m: float
    until_s: float
    stamp: int


class DeviceState(NamedTuple):
    """Everything the fold of one device over its fences knows. Immutable: `fences` is never written to.

    `frontier_s` is the newest input, `until_s` the later of it and the last decision that time alone made;
    asking for more time changes nothing by itself, so a state is a function of the sorted input. `last` is
    the newest believed fix, `prior` the one before it, `held` at most one later that is not believed yet. A
    fence without an entry has never been near, or is left for good: the device is out of it. `quiet` None:
    the next fix is looked at.
    """

    frontier_s: float
    until_s: float
    last: Observation | None
    prior: Observation | None
    held: tuple[Observation, ...]
    fences: dict[str, FenceState]
    quiet: Quiet | None


class Checkpoints(NamedTuple):
    """The states of a device: of now, and two of before that late input can rewind to, `old` the older."""

    live: DeviceState
    mid: DeviceState
    old: DeviceState


def begin(since_s: float = -math.inf) -> DeviceState:
    """Return the state of a device of which nothing is known; input not after `since_s` is never taken.

    Choose a moment that does not hang on the order of arrival, as that of the making of the oldest fence.
    """
    return DeviceState(since_s, since_s, None, None, (), {}, None)


def begin_checkpoints(since_s: float = -math.inf) -> Checkpoints:
    """Return what a new row holds."""
    state = begin(since_s)
    return Checkpoints(state, state, state)


def rotate(points: Checkpoints, live: DeviceState) -> Checkpoints:
    """Return the checkpoints after a step to `live`; it becomes `mid` if that is `CHECKPOINT_S` older."""
    if live.frontier_s - points.mid.frontier_s >= CHECKPOINT_S:
        return Checkpoints(live, live, points.mid)
    return Checkpoints(live, points.mid, points.old)


def settled(state: DeviceState) -> DeviceState:
    """Return the state without what only saves work: two ways to one history end in equal ones."""
    if state.quiet is None or state.last is None:
        return state._replace(quiet=None)
    sure_s = state.last.at_s
    fences = {name: fence._replace(sure_s=sure_s) for name, fence in state.fences.items()}
    return state._replace(fences=fences, quiet=None)


_ENCODER = msgspec.msgpack.Encoder(order="deterministic")
_DECODER = msgspec.msgpack.Decoder(DeviceState)


def to_bytes(state: DeviceState) -> bytes:
    """Return the state as a format byte and MessagePack (arrays in the order of the fields, keys sorted).

    Equal states give equal bytes.
    """
    return _FORMAT + _ENCODER.encode(state)


def from_bytes(data: bytes) -> DeviceState:
    """Return the state that `to_bytes` wrote.

    Raises:
        ValueError: not such bytes.
    """
    if data[:1] != _FORMAT:
        raise ValueError("not a device's state, or of another version")
    try:
        return _DECODER.decode(data[1:])
    except msgspec.MsgspecError as error:
        raise ValueError("not a device's state") from error
