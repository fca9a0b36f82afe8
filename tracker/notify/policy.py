"""Whom an alert is told, over what, and when. Pure: `now` and everything known are arguments.

When a message to one contact over one channel is due; the first line that holds:

    urgency       | condition                                         | due                 | with others
    alarm         |                                                   | now                 | no
    below his     | now, or when the throttle is over, lies in his    | when they end, at   | of the quiet
    threshold     | quiet hours                                       | most a day later    | hours
    below alarm   | he was told the like of this rule within          | when that time is   | of the rule
                  | `throttle_s`, or it waits                         | over, or with it    |
    below alarm   | he had `per_hour_most` messages over this channel | an hour after the   | held by the
                  | in the hour before that moment                    | oldest that counts  | cap
    below alarm   | else                                              | now                 | no

The throttle counts only events of the same type: that a child came after all, or a cat is back, waits for no
throttle of the alarm before. That of an urgent alert counts only what it was told of the same subject: two
children who did not arrive are two messages. An SOS is never muted.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tracker.domain.notification import Alert, AlertState, Contact, Mute
from tracker.domain.rule import Notify, Urgency
from tracker.domain.schedule import Schedule, covers, windows

HOUR = timedelta(hours=1)
QUIET_AT_MOST = timedelta(days=1)
"""Nothing is held longer by quiet hours: who is quiet always hears once a day."""
LIVES_FOR = timedelta(hours=24)
ALARM_LIVES_FOR = timedelta(hours=72)
USUAL_ORDER = ("webpush", "sms", "email", "mqtt")
"""The channels of a contact who said nothing of them, in the order of preference."""
NEVER_MUTED = frozenset({"sos"})


class Concern(NamedTuple):
    """What an alert is about, as far as telling goes."""

    type: str
    urgency: Urgency
    rule_id: str | None
    subject_id: str
    geofence_id: str | None


class Told(NamedTuple):
    """A message that a contact had lately, or that waits for him; `held`: it was not due when it was planned.

    Those held until the same moment are told together.
    """

    contact_id: str
    channel: str
    rule_id: str | None
    subject_id: str
    due_at: datetime
    held: bool
    type: str


class Planned(NamedTuple):
    """One message to be sent at `due_at`, together with the others of its `group` if it has one."""

    contact_id: str
    channel: str
    due_at: datetime
    group: str | None


class Ways(NamedTuple):
    """The channels by which a contact is told: those used at once, those only if all of them fail."""

    at_once: tuple[str, ...]
    spare: tuple[str, ...]


def lives_for(urgency: Urgency) -> timedelta:
    """Return how long an alert may still be sent: an alarm three days, others one."""
    return ALARM_LIVES_FOR if urgency is Urgency.ALARM else LIVES_FOR


def escalates_at(alert: Alert) -> datetime | None:
    """Return when the next contact is told unless somebody acknowledges; None: nobody is left to tell.

    Such an alert is looked at again only when it has lived.
    """
    ends_at = alert.told_at + lives_for(alert.urgency)
    if alert.state is not AlertState.OPEN or alert.escalate_at is None or alert.escalate_at >= ends_at:
        return None
    return alert.escalate_at


def is_muted(concern: Concern, mutes: Sequence[Mute], now: datetime) -> bool:
    """Tell whether a mute in force names everything it names of this event; an SOS is never muted."""
    return concern.type not in NEVER_MUTED and any(
        now < mute.until
        and (mute.rule_id, mute.subject_id, mute.geofence_id) != (None, None, None)
        and mute.rule_id in {None, concern.rule_id}
        and mute.subject_id in {None, concern.subject_id}
        and mute.geofence_id in {None, concern.geofence_id}
        for mute in mutes
    )


def address_of(contact: Contact, channel: str, *, has_push: bool) -> str | None:
    """Return where a channel reaches a contact; None: it does not.

    A phone for "sms", an address for "email", a device for "mqtt", for "webpush" the contact himself, whose
    browsers the channel looks up.
    """
    return {
        "sms": contact.phone,
        "email": contact.email,
        "mqtt": contact.mqtt_device_id,
        "webpush": contact.contact_id if has_push else None,
    }.get(channel)


def ladder(
    notify: Notify, contacts: Sequence[Contact], reachable: Mapping[str, Collection[str]]
) -> tuple[Contact, ...]:
    """Return the contacts that a rule tells, in the order of escalation.

    Those it names that are confirmed and `reachable` (channels by contact) at all; without any, the first
    such of the account by position: the owner.
    """
    known = {
        each.contact_id: each
        for each in contacts
        if each.confirmed_at is not None and reachable.get(each.contact_id)
    }
    named = tuple(known[each] for each in dict.fromkeys(notify.contact_ids) if each in known)
    return named or tuple(sorted(known.values(), key=_rank)[:1])


def last_resort(
    contacts: Sequence[Contact], told: Sequence[Contact], reachable: Mapping[str, Collection[str]]
) -> Contact | None:
    """Return who is told when nobody of the ladder can be: the account's first contact that is not on it."""
    on_it = {each.contact_id for each in told}
    others = (
        each
        for each in contacts
        if each.confirmed_at is not None and reachable.get(each.contact_id) and each.contact_id not in on_it
    )
    return min(others, key=_rank, default=None)


def ways(contact: Contact, notify: Notify, urgency: Urgency, reachable: Collection[str]) -> Ways:
    """Return the channels to a contact.

    Those the rule names, all at once. Without any: the contact's own, all at once from URGENT on, below that
    the one he prefers, and the others as spares. Channels that cannot reach him do not count; if the rule's
    cannot, his own do.
    """
    named = tuple(each for each in dict.fromkeys(notify.channels) if each in reachable)
    own = tuple(each for each in dict.fromkeys(contact.channels) if each in reachable)
    own = own or tuple(each for each in USUAL_ORDER if each in reachable) or tuple(sorted(reachable))
    if named:
        return Ways(named, tuple(each for each in own if each not in named))
    return Ways(own, ()) if urgency >= Urgency.URGENT else Ways(own[:1], own[1:])


def plan(
    concern: Concern,
    notify: Notify,
    ways_to: Sequence[tuple[Contact, Sequence[str]]],
    recent: Sequence[Told],
    now: datetime,
) -> tuple[Planned, ...]:
    """Return when each contact is told over each of these channels; see the table above.

    `recent` are the messages of these contacts of the last hour and of the throttle, and all that wait.
    Alerts planned one after another must find those before in it.
    """
    return tuple(
        Planned(contact.contact_id, channel, *_due(concern, notify, contact, channel, recent, now))
        for contact, channels in ways_to
        for channel in channels
    )


def _due(
    concern: Concern,
    notify: Notify,
    contact: Contact,
    channel: str,
    recent: Sequence[Told],
    now: datetime,
) -> tuple[datetime, str | None]:
    if concern.urgency is Urgency.ALARM:
        return now, None
    mine = [each for each in recent if (each.contact_id, each.channel) == (contact.contact_id, channel)]
    together = f"{contact.contact_id}/{channel}"
    due_at, group = now, None
    after = _throttled(concern, timedelta(seconds=notify.throttle_s), mine, now)
    if after is not None:
        due_at, group = after, f"{together}/{concern.rule_id}"
    if contact.quiet is not None and concern.urgency < contact.quiet_breaks_at:
        ends_at = quiet_until(contact.quiet, due_at, contact.time_zone)
        if ends_at is not None:
            return min(ends_at, now + QUIET_AT_MOST), f"{together}/quiet"
    after = _capped(contact.per_hour_most, mine, due_at)
    if after is not None:
        return after, f"{together}/hour"
    return due_at, group


def _throttled(concern: Concern, throttle: timedelta, mine: Sequence[Told], now: datetime) -> datetime | None:
    """Return when the next message of this rule may come; None: now."""
    if concern.rule_id is None:
        return None
    urgent = concern.urgency >= Urgency.URGENT
    last = max(
        (
            each.due_at
            for each in mine
            if (each.rule_id, each.type) == (concern.rule_id, concern.type)
            and (not urgent or each.subject_id == concern.subject_id)
        ),
        default=None,
    )
    if last is None:
        return None
    if last > now:
        # What waits for the end of the quiet hours or of the cap is no reason for an urgent one to wait.
        return min(last, now + throttle) if throttle else None
    return last + throttle if now < last + throttle else None


def _capped(most: int, mine: Sequence[Told], due_at: datetime) -> datetime | None:
    """Return when one more message fits under the cap; None: at `due_at`. Messages told together are one."""
    sent: dict[object, datetime] = {}
    for number, each in enumerate(mine):
        if due_at - HOUR < each.due_at <= due_at:
            sent[each.due_at if each.held else number] = each.due_at
    if len(sent) < most:
        return None
    return sorted(sent.values())[-most] + HOUR


def quiet_until(quiet: Schedule, moment: datetime, time_zone: str) -> datetime | None:
    """Return when the quiet hours that `moment` lies in end, looking two days ahead; None: it is not quiet.

    `time_zone` is the contact's, used where the schedule names none.
    """
    zone = ZoneInfo(quiet.time_zone or time_zone)
    if not covers(quiet, moment, zone):
        return None
    ahead = moment + timedelta(days=2)
    for window in windows(quiet, moment, ahead, zone):
        if window.start <= moment < window.end:
            return window.end
    return ahead


def _rank(contact: Contact) -> tuple[int, datetime]:
    return contact.position, contact.created_at
