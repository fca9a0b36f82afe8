"""A rule: what about which subjects is worth telling; and the words between rules and those that run them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from tracker.domain.crossing import Crossing, Evidence
from tracker.domain.fields import Field
from tracker.domain.geofence import Geofence
from tracker.domain.observation import Observation
from tracker.domain.schedule import Schedule
from tracker.domain.subject import SubjectKind

NAME_LENGTH = 80
JsonState = Mapping[str, Any]
"""JSON values only, at most 8 KiB; each kind of rule has its own typed view of it inside its file."""


class Urgency(IntEnum):
    """How much a message presses: urgent ones break quiet hours, an alarm is not grouped either."""

    QUIET = 0
    NORMAL = 1
    URGENT = 2
    ALARM = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Whom a rule tells, and how.

    `contact_ids` are in the order of escalation, empty: the account's owner. `channels` empty: each contact's
    own. `urgency` None: the kind's. Without `all_at_once` the first contact is told and each next one after
    `escalate_after_s` (60..86,400; None: never) without an acknowledgement. Within `throttle_s` a contact
    hears of a rule once; what comes meanwhile is told together.
    """

    contact_ids: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    urgency: Urgency | None = None
    all_at_once: bool = True
    escalate_after_s: int | None = None
    throttle_s: int = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of one account; `kind` names its file in `geofence.rules` or `watch.rules`.

    `subject_ids` with `all_subjects` False are the ones watched; `all_subjects`: all of the fence, else all
    of the account that the kind fits. `args` are as `fields.read` left them. `schedule` None: always.
    `version` moves with each change of what it says; `active_from` is when this version was made: what was
    before it raises nothing.
    """

    account_id: str
    rule_id: str
    kind: str
    name: str
    subject_ids: tuple[str, ...]
    all_subjects: bool
    geofence_id: str | None
    args: Mapping[str, Any]
    schedule: Schedule | None
    notify: Notify
    enabled: bool
    version: int
    active_from: datetime
    created_at: datetime


class Moved(NamedTuple):
    """A believed position of one of the subject's devices, and the believed one before it."""

    device_id: str
    fix: Observation
    before: Observation | None


class Crossed(NamedTuple):
    """The edge of the rule's fence was crossed, or of any fence of the subject if the rule has none."""

    crossing: Crossing


class Passed(NamedTuple):
    """A device went through a fence between two fixes that were both outside; `inside_m` of its way."""

    device_id: str
    geofence_id: str
    at_s: float
    until_s: float
    inside_m: float


class Heard(NamedTuple):
    """A device told something besides a position: a `Fact` of `kind` with its data."""

    device_id: str
    at_s: float
    kind: str
    data: Mapping[str, Any]


class Nearby(NamedTuple):
    """Another subject of the same account was this near at the moment."""

    at_s: float
    other_subject_id: str
    distance_m: float
    accuracy_m: float


Input = Moved | Crossed | Passed | Heard | Nearby


class InputKind(StrEnum):
    """The kinds of input that a rule can ask for."""

    MOVED = "moved"
    CROSSED = "crossed"
    PASSED = "passed"
    HEARD = "heard"
    NEARBY = "nearby"


class Raised(NamedTuple):
    """What a rule says has happened; an event is made of it.

    `slot` is its identity within rule, subject and type: the crossing's key, the window's or episode's start.
    `data` fills the texts, with units in names. `ends`: the episode `slot` is over.
    """

    type: str
    at_s: float
    decided_at_s: float
    slot: str
    data: Mapping[str, Any]
    why: tuple[Evidence | Mapping[str, Any], ...] = ()
    suppressed: tuple[Mapping[str, Any], ...] = ()
    ends: bool = False


class Setting(NamedTuple):
    """What a rule may know besides its input; made once a rule and subject.

    `heard_s` is, by device, the moment of its newest believed fix or fact not after the input.
    """

    rule: Rule
    subject_id: str
    subject_kind: SubjectKind
    fence: Geofence | None
    zone: ZoneInfo
    device_ids: tuple[str, ...]
    heard_s: Mapping[str, float]


class RuleKind(Protocol):
    """One kind of rule: pure, total, the same for any order of arrival.

    An odd value in an input is passed over, never an error: a good position must not be lost by a rule.
    """

    @property
    def name(self) -> str:
        """The contract's `kind`."""
        ...

    @property
    def title(self) -> str:
        """English msgid of its name."""
        ...

    @property
    def fields(self) -> tuple[Field, ...]:
        """What `args` it takes."""
        ...

    @property
    def inputs(self) -> frozenset[InputKind]:
        """What it wants to be given."""
        ...

    @property
    def fits(self) -> frozenset[SubjectKind]:
        """Kinds of subjects; empty: all."""
        ...

    @property
    def needs_fence(self) -> bool:
        """Whether it is about one geofence."""
        ...

    @property
    def urgency(self) -> Urgency:
        """How much its events press unless the rule says otherwise."""
        ...

    @property
    def types(self) -> tuple[str, ...]:
        """Events that it raises, the contract's `type`."""
        ...

    def begin(self, setting: Setting) -> JsonState:
        """Return the state before the first input."""
        ...

    def step(
        self, setting: Setting, state: JsonState, given: Input, at_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Take one input of the moment `at_s`; `advance` to that moment has been called before."""
        ...

    def advance(
        self, setting: Setting, state: JsonState, until_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Let time pass to `until_s` with nothing heard; in two strides or in one comes to the same."""
        ...

    def due_s(self, setting: Setting, state: JsonState) -> float | None:
        """Return when `advance` will next do something; None: never by time alone."""
        ...


class Untimed:
    """For kinds that time alone does not move."""

    def advance(
        self, setting: Setting, state: JsonState, until_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Change nothing."""
        return state, ()

    def due_s(self, setting: Setting, state: JsonState) -> float | None:
        """Return None."""
        return None
