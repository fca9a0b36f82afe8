"""What is next for an alert that was told: a table. Pure.

The first line that holds:

    state      | condition                                                | next
    not open   |                                                          | stop
    open       | it is older than it may live                             | expire
    open       | nobody was told yet                                      | tell the first, or all at once
    open       | a contact's messages all failed, he has another channel  | tell him by that, same step
    open       | all messages to everybody told failed, somebody is left  | tell the next one, at once
    open       | the last step's time ran out, somebody is left           | tell the next one
    open       | else                                                     | wait

A message failed when it was refused or expired. A step's time runs from when it was planned, whether its
messages were sent or wait: somebody's quiet hours or a dead gateway hold up nobody else. When nobody of the
ladder can be reached, the last resort is next.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from tracker.domain.notification import Alert, AlertState, Delivery, DeliveryState

_FAILED = frozenset({DeliveryState.REFUSED, DeliveryState.EXPIRED})


class Move(StrEnum):
    """What to do with an alert."""

    TELL = "tell"
    WAIT = "wait"
    EXPIRE = "expire"
    STOP = "stop"


class Ladder(NamedTuple):
    """Who may be told of an alert: contact ids in order, each one's channels in order, and how long to wait.

    `channels` holds the sets that are tried one after another. `after` None: time alone never escalates.
    """

    contact_ids: tuple[str, ...]
    channels: Mapping[str, tuple[tuple[str, ...], ...]]
    resort: str | None
    all_at_once: bool
    after: timedelta | None
    lives_for: timedelta


class Step(NamedTuple):
    """The next move; `tell` pairs contacts with channels, `number` is the step that they belong to.

    `again_at` is when the alert must be looked at again if nothing happens; None: never.
    """

    move: Move
    tell: tuple[tuple[str, tuple[str, ...]], ...]
    number: int
    again_at: datetime | None


def next_step(alert: Alert, ladder: Ladder, deliveries: Sequence[Delivery], now: datetime) -> Step:
    """Return what is next; `deliveries` are all of this alert so far. See the table above."""
    ends_at = alert.told_at + ladder.lives_for
    if alert.state is not AlertState.OPEN:
        return Step(Move.STOP, (), alert.step, None)
    if now >= ends_at:
        return Step(Move.EXPIRE, (), alert.step, None)
    if not deliveries:
        return _first(ladder, now, ends_at)
    told = {each.contact_id for each in deliveries}
    spares = tuple(
        (each, channels) for each in sorted(told) if (channels := _spare(ladder, each, deliveries))
    )
    due_at = _due_at(alert, ladder, deliveries, told)
    if spares:
        return Step(Move.TELL, spares, alert.step, min(due_at or ends_at, ends_at))
    nobody_reached = all(each.state in _FAILED for each in deliveries)
    if not nobody_reached and (due_at is None or now < due_at):
        return Step(Move.WAIT, (), alert.step, min(due_at or ends_at, ends_at))
    return _next(alert, ladder, told, now, ends_at, with_resort=nobody_reached)


def _first(ladder: Ladder, now: datetime, ends_at: datetime) -> Step:
    first = ladder.contact_ids if ladder.all_at_once else ladder.contact_ids[:1]
    tell = _by_first_channels(ladder, first)
    if not tell:
        return Step(Move.WAIT, (), 0, ends_at)
    return Step(Move.TELL, tell, 0, _again_at(ladder, set(first), now, ends_at))


def _next(
    alert: Alert, ladder: Ladder, told: set[str], now: datetime, ends_at: datetime, *, with_resort: bool
) -> Step:
    left = [each for each in ladder.contact_ids if each not in told]
    if not left and with_resort and ladder.resort is not None and ladder.resort not in told:
        left = [ladder.resort]
    tell = _by_first_channels(ladder, left[:1])
    if not tell:
        return Step(Move.WAIT, (), alert.step, ends_at)
    return Step(Move.TELL, tell, alert.step + 1, _again_at(ladder, told | {left[0]}, now, ends_at))


def _by_first_channels(ladder: Ladder, contact_ids: Sequence[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((each, ladder.channels[each][0]) for each in contact_ids if ladder.channels.get(each))


def _spare(ladder: Ladder, contact_id: str, deliveries: Sequence[Delivery]) -> tuple[str, ...]:
    """Return the next channels of a contact whose messages all failed; empty: not all did, or none left."""
    mine = [each for each in deliveries if each.contact_id == contact_id]
    if any(each.state not in _FAILED for each in mine):
        return ()
    tried = {each.channel for each in mine}
    for channels in ladder.channels.get(contact_id, ()):
        untried = tuple(each for each in channels if each not in tried)
        if untried:
            return untried
    return ()


def _due_at(alert: Alert, ladder: Ladder, deliveries: Sequence[Delivery], told: set[str]) -> datetime | None:
    """Return when the last step's time runs out, or None if nobody is left or time does not count."""
    if ladder.after is None or all(each in told for each in ladder.contact_ids):
        return None
    last = [each.created_at for each in deliveries if each.step == alert.step]
    return max(last, default=alert.told_at) + ladder.after


def _again_at(ladder: Ladder, told: set[str], now: datetime, ends_at: datetime) -> datetime:
    left = any(each not in told for each in ladder.contact_ids)
    return min(now + ladder.after, ends_at) if ladder.after is not None and left else ends_at
