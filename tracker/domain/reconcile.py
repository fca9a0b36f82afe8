"""What a history told anew changes of what was noted before: pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tracker.domain.crossing import Crossing
from tracker.domain.event import Event, event_id_of
from tracker.domain.rule import Raised

PAIRED_S = 1_800.0
"""An event and the one in its place are less than this apart; farther apart they are two events."""


class Span(NamedTuple):
    """The part of history that was told anew, by moments of decision: after `after_s`, up to `until_s`."""

    after_s: float
    until_s: float

    def covers(self, decided_s: float) -> bool:
        """Tell whether what was decided then is of this part."""
        return self.after_s < decided_s <= self.until_s


class Identified(NamedTuple):
    """What a rule raised, with the identity of its event."""

    event_id: str
    raised: Raised


class Changes(NamedTuple):
    """What to write: new events; those that stand as they are; those that come back after a retraction (never
    told again); old ones that another one tells truly; and those that history no longer has.

    Each new one of `supersede` is also in `add`, in `revive` or in `keep`.
    """

    add: tuple[Identified, ...]
    keep: tuple[Identified, ...]
    revive: tuple[Identified, ...]
    supersede: tuple[tuple[Event, Identified], ...]
    retract: tuple[Event, ...]


def identify(rule_id: str, rule_version: int, subject_id: str, raised: Raised) -> Identified:
    """Return what was raised with its event's identity."""
    return Identified(event_id_of(rule_id, rule_version, subject_id, raised.type, raised.slot), raised)


def reconcile(
    rule_id: str,
    rule_version: int,
    subject_id: str,
    stored: Sequence[Event],
    folded: Iterable[Raised],
    span: Span,
) -> Changes:
    """Compare what is stored with what the fold of one rule and subject raised over `span`.

    `stored` are events of the rule and subject, those of other versions and outside the span are left alone.
    An old event that is gone and a new one of its type that stands less than 30 minutes from it, nearest
    first, are one corrected event; the rest is new or retracted.
    """
    told: dict[str, Identified] = {}
    for raised in folded:
        one = identify(rule_id, rule_version, subject_id, raised)
        told.setdefault(one.event_id, one)
    known = {event.event_id: event for event in stored if event.rule_version == rule_version}
    standing = {name: event for name, event in known.items() if _stands(event)}
    add = [one for name, one in told.items() if name not in known]
    revive = [one for name, one in told.items() if name in known and name not in standing]
    keep = [one for name, one in told.items() if name in standing]
    gone = [
        event
        for name, event in standing.items()
        if name not in told and span.covers(event.decided_at.timestamp())
    ]
    pairs = _pairs(gone, [*add, *revive])
    paired = {event.event_id for event, _ in pairs}
    return Changes(
        add=tuple(add),
        keep=tuple(keep),
        revive=tuple(revive),
        supersede=tuple(pairs),
        retract=tuple(event for event in gone if event.event_id not in paired),
    )


def _stands(event: Event) -> bool:
    return event.superseded_by is None and event.retracted_at is None


def _pairs(gone: Sequence[Event], new: Sequence[Identified]) -> list[tuple[Event, Identified]]:
    near = sorted(
        (apart_s, event.event_id, one.event_id, event, one)
        for event in gone
        for one in new
        if event.type == one.raised.type
        and (apart_s := abs(event.at.timestamp() - one.raised.at_s)) < PAIRED_S
    )
    pairs: list[tuple[Event, Identified]] = []
    used: set[str] = set()
    for _, old_id, new_id, event, one in near:
        if old_id not in used and new_id not in used:
            used |= {old_id, new_id}
            pairs.append((event, one))
    return pairs


class CrossingChanges(NamedTuple):
    """Crossings to write (new, or known with other evidence) and to remove."""

    write: tuple[Crossing, ...]
    remove: tuple[Crossing, ...]


def reconcile_crossings(
    stored: Iterable[Crossing], folded: Iterable[Crossing], versions: dict[str, int], span: Span
) -> CrossingChanges:
    """Compare one device's stored crossings with those of its fold over `span`.

    `versions` are of the fences in force: crossings of another shape of a fence, or of a fence that is no
    more, cannot be told anew and stay.
    """
    before = {crossing.key: crossing for crossing in stored}
    after = {crossing.key: crossing for crossing in folded}
    gone = (
        crossing
        for key, crossing in before.items()
        if key not in after
        and versions.get(crossing.geofence_id) == crossing.fence_version
        and span.covers(crossing.decided_at.timestamp())
    )
    return CrossingChanges(
        write=tuple(crossing for key, crossing in after.items() if before.get(key) != crossing),
        remove=tuple(gone),
    )
