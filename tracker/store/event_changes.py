"""Writes events as ingest and its corrections find them: new, truer than before, or no more.

Here, beside `events`, whose other functions answer for one account.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Column, DateTime, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from tracker.domain.event import Event
from tracker.domain.notification import Mute
from tracker.store import mutes as mutes_store
from tracker.store.events import events, explanation_json, value
from tracker.store.mutes import mutes
from tracker.store.schema import Id, id_from_int, id_to_int
from tracker.store.session import Session, cursor_of

Key = tuple[str, str]
"""Account id and event id."""

# Subjects are locked first: one that is being removed is waited for and then passed over.
_ADD = """
WITH one AS (SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::int[], %s::bigint[],
    %s::bigint[], %s::bigint[], %s::text[], %s::smallint[], %s::timestamptz[], %s::timestamptz[],
    %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::text[])
  AS one (account_id, event_id, rule_id, rule_version, subject_id, device_id, geofence_id, type, urgency, at,
    decided_at, recorded_at, slot, data, explanation, news)),
there AS MATERIALIZED (SELECT account_id, subject_id FROM subjects
  WHERE (account_id, subject_id) IN (SELECT account_id, subject_id FROM one)
  ORDER BY subject_id FOR KEY SHARE)
INSERT INTO events (account_id, event_id, rule_id, rule_version, subject_id, device_id, geofence_id, type,
  urgency, at, decided_at, recorded_at, slot, data, explanation, news, updated_at)
SELECT account_id, event_id, rule_id, rule_version, subject_id, device_id, geofence_id, type, urgency, at,
  decided_at, recorded_at, slot, CAST(data AS jsonb), CAST(explanation AS jsonb), news, clock_timestamp()
FROM one JOIN there USING (account_id, subject_id) ORDER BY account_id, event_id
ON CONFLICT (account_id, event_id) DO UPDATE
  SET retracted_at = NULL, superseded_by = NULL, updated_at = clock_timestamp()
  WHERE events.retracted_at IS NOT NULL OR events.superseded_by IS NOT NULL
RETURNING event_id, xmax = 0
"""
_SUPERSEDE = """
UPDATE events SET superseded_by = one.by_id, updated_at = clock_timestamp()
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS one (account_id, event_id, by_id)
WHERE events.account_id = one.account_id AND events.event_id = one.event_id
"""
_RETRACT = """
UPDATE events SET retracted_at = %s, updated_at = clock_timestamp()
FROM unnest(%s::bigint[], %s::bigint[]) AS one (account_id, event_id)
WHERE events.account_id = one.account_id AND events.event_id = one.event_id
"""


def add_many(session: Session, new: Sequence[Event]) -> set[str]:
    """Store events; return the ids of those that were not there yet.

    One that was retracted or superseded stands again as it was. Of subjects that are gone none is stored.
    """
    if not new:
        return set()
    rows = cursor_of(session).execute(_ADD, tuple(map(list, zip(*map(_values, new), strict=True)))).fetchall()
    return {id_from_int(event) for event, is_new in rows if is_new}


def decided_after(session: Session, spans: Sequence[tuple[str, str, datetime]]) -> list[Event]:
    """Return, of each (account id, subject id, moment), the events of rules decided after the moment.

    Retracted and superseded ones are among them.
    """
    if not spans:
        return []
    span = (
        func.unnest(
            literal([account for account, _, _ in spans], ARRAY(Id)),
            literal([subject for _, subject, _ in spans], ARRAY(Id)),
            literal([since for _, _, since in spans], ARRAY(DateTime(timezone=True))),
        )
        .table_valued(
            Column("account_id", Id), Column("subject_id", Id), Column("since", DateTime(timezone=True))
        )
        .render_derived()
    )
    rows = session.execute(
        select(events)
        .join(span, (events.c.account_id == span.c.account_id) & (events.c.subject_id == span.c.subject_id))
        .where(events.c.decided_at > span.c.since, events.c.rule_id.is_not(None))
        .order_by(events.c.at, events.c.event_id)
    )
    return [value(row) for row in rows]


def supersede(session: Session, pairs: Sequence[tuple[str, str, str]]) -> None:
    """Note of each (account id, event id, other's id) that the other event tells it truly."""
    if pairs:
        values = [tuple(map(id_to_int, pair)) for pair in sorted(pairs)]
        cursor_of(session).execute(_SUPERSEDE, tuple(map(list, zip(*values, strict=True))))


def retract(session: Session, gone: Collection[Key], now: datetime) -> None:
    """Note that history no longer has these events."""
    if gone:
        cursor_of(session).execute(_RETRACT, (now, *_arrays(gone)))


def openings(session: Session, slots: Collection[tuple[str, str, str]]) -> dict[str, list[str]]:
    """Return, by account, the ids of the events of these (account id, rule id, slot): of an episode."""
    if not slots:
        return {}
    values = [(id_to_int(account), id_to_int(rule), slot) for account, rule, slot in sorted(slots)]
    rows = cursor_of(session).execute(
        "SELECT account_id, event_id FROM events WHERE (account_id, rule_id, slot) IN"
        " (SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::text[]))",
        tuple(map(list, zip(*values, strict=True))),
    )
    found: dict[str, list[str]] = {}
    for account, event in rows.fetchall():
        found.setdefault(id_from_int(account), []).append(id_from_int(event))
    return found


def mutes_in_force(session: Session, account_ids: Collection[str], now: datetime) -> list[Mute]:
    """Return the mutes of the accounts that have not ended."""
    if not account_ids:
        return []
    rows = session.execute(
        select(mutes).where(
            mutes.c.account_id == func.any(literal(sorted(account_ids), ARRAY(Id))), mutes.c.until > now
        )
    )
    return [mutes_store.value(row) for row in rows]


def _values(event: Event) -> tuple[Any, ...]:
    return (
        id_to_int(event.account_id),
        id_to_int(event.event_id),
        _number(event.rule_id),
        event.rule_version,
        id_to_int(event.subject_id),
        _number(event.device_id),
        _number(event.geofence_id),
        event.type,
        event.urgency.value,
        event.at,
        event.decided_at,
        event.recorded_at,
        event.slot,
        msgspec.json.encode(dict(event.data)).decode(),
        msgspec.json.encode(explanation_json(event.explanation)).decode(),
        event.news.value,
    )


def _number(identity: str | None) -> int | None:
    return None if identity is None else id_to_int(identity)


def _arrays(keys: Collection[Key]) -> tuple[list[int], list[int]]:
    ordered = sorted(keys)
    return [id_to_int(account) for account, _ in ordered], [id_to_int(event) for _, event in ordered]
