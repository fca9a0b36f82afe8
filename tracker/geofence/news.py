"""Makes events of what rules raised, and tells which of them are news. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tracker.domain.crossing import Crossing, How
from tracker.domain.event import Event, Explanation, News, event_id_of
from tracker.domain.fold import RuleRaised, is_asleep
from tracker.domain.notification import Mute
from tracker.domain.rule import InputKind, Raised
from tracker.geofence._table import NUMBERS
from tracker.geofence.book import Bound, Watched
from tracker.geofence.folding import Folding
from tracker.store import rules

NEWS_FOR = timedelta(minutes=60)
"""What was decided longer ago is no news any more: it is noted, and nobody is told."""
NEVER_MUTED = frozenset({"sos"})
NEVER_MUTED_FOR = timedelta(hours=72)
"""A call for help is news that long, as long as an alarm is tried to be delivered."""

_THRESHOLDS: Mapping[str, float] = {name: float(each) for name, each in NUMBERS._asdict().items()}


def event_of(
    watched: Watched,
    bound: Bound,
    one: RuleRaised,
    made: Folding,
    feature: Mapping[str, Any] | None,
    now: datetime,
) -> Event:
    """Return the event of what a rule raised; its news are `TOLD`, which others may make less."""
    rule, raised = bound.rule, one.raised
    crossing = crossing_of(bound, one, made.crossings)
    at, decided_at = _moment(raised.at_s), _moment(raised.decided_at_s)
    urgency = rule.notify.urgency if rule.notify.urgency is not None else bound.kind.urgency
    how, earliest = _known_of(raised, crossing)
    device_id = crossing.device_id if crossing is not None else _device_of(watched, one, made)
    data = dict(raised.data)
    data.setdefault("time_zone", bound.zone.key)
    explanation = Explanation(
        evidence=tuple(raised.why) or (crossing.evidence if crossing is not None else ()),
        rule=rules.document(rule),
        fence=feature,
        how=how,
        thresholds=_THRESHOLDS,
        earliest=earliest,
        gap_s=(at - earliest).total_seconds() if earliest is not None and earliest < at else None,
        suppressed=raised.suppressed,
        delays={
            "decided_s": (decided_at - at).total_seconds(),
            "told_s": (now - decided_at).total_seconds(),
        },
    )
    return Event(
        account_id=rule.account_id,
        event_id=event_id_of(rule.rule_id, rule.version, watched.subject_id, raised.type, raised.slot),
        rule_id=rule.rule_id,
        rule_version=rule.version,
        subject_id=watched.subject_id,
        device_id=device_id,
        geofence_id=rule.geofence_id or (crossing.geofence_id if crossing is not None else None),
        type=raised.type,
        urgency=urgency,
        at=at,
        decided_at=decided_at,
        recorded_at=now,
        slot=raised.slot,
        data=data,
        explanation=explanation,
        news=News.TOLD,
    )


def _known_of(raised: Raised, crossing: Crossing | None) -> tuple[How | None, datetime | None]:
    """Return how what was raised is known, and from when on it may have happened.

    An event that had to wait says so itself: its crossing was told to an earlier fold. So does one of another
    moment than its crossing's.
    """
    if crossing is not None and crossing.at.timestamp() == raised.at_s:
        return crossing.how, crossing.earliest
    how, earliest_s = raised.data.get("how"), raised.data.get("earliest_at")
    return (
        How(how) if how is not None else crossing.how if crossing is not None else None,
        _moment(earliest_s) if earliest_s is not None else None,
    )


def _device_of(watched: Watched, one: RuleRaised, made: Folding) -> str | None:
    """Return the device that an event without a crossing of this fold is about; None: it cannot be told."""
    # A crossing's key, and an episode's name, begin with the device's.
    named = one.raised.slot.partition(":")[0]
    if named in watched.device_ids:
        return named
    only = watched.device_ids[0] if len(watched.device_ids) == 1 else None
    return made.devices.get(one.at_s) or only


def crossing_of(bound: Bound, one: RuleRaised, crossings: Iterable[Crossing]) -> Crossing | None:
    """Return the crossing that made a rule raise something; None: another input, or time, did."""
    geofence_id = bound.rule.geofence_id
    found = None
    for crossing in crossings if InputKind.CROSSED in bound.kind.inputs else ():
        if crossing.key == one.raised.slot:
            return crossing
        mine = geofence_id is None or crossing.geofence_id == geofence_id
        if (
            mine
            and crossing.decided_at.timestamp() == one.at_s
            and crossing.at.timestamp() == one.raised.at_s
        ):
            found = crossing
    return found


def news_of(event: Event, bound: Bound, now: datetime, news_for: timedelta = NEWS_FOR) -> News:
    """Tell what becomes of a new event, mutes aside: of the last hour it is news, however late it came.

    A phone that was without a network tells of coming and going again at once: both are news.
    """
    is_call = event.type in NEVER_MUTED
    if now - event.decided_at > (NEVER_MUTED_FOR if is_call else news_for):
        return News.OLD
    return News.ASLEEP if sleeps(event, bound) else News.TOLD


def sleeps(event: Event, bound: Bound) -> bool:
    """Tell whether the event is of a time when its rule, or its fence, sleeps."""
    return is_asleep(bound.rule, bound.fence, bound.zone, event.at)


def is_muted(event: Event, mutes: Iterable[Mute]) -> bool:
    """Tell whether one of the account's mutes, all in force, keeps the event from being told."""
    if event.type in NEVER_MUTED:
        return False
    return any(
        mute.account_id == event.account_id
        and mute.rule_id in (None, event.rule_id)
        and mute.subject_id in (None, event.subject_id)
        and mute.geofence_id in (None, event.geofence_id)
        for mute in mutes
    )


def _moment(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)
