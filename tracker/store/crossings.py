"""Crossings of fences' edges: who was where."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    Row,
    Table,
    Text,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from tracker.domain.crossing import Crossing, Evidence, How, Phase, Side
from tracker.store.schema import Id, id_to_int, metadata, moment
from tracker.store.session import Session, cursor_of

AFTER_GAP = timedelta(minutes=20)

crossings = Table(
    "crossings",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("device_id", Id, primary_key=True, autoincrement=False),
    Column("geofence_id", Id, primary_key=True, autoincrement=False),
    moment("at", primary_key=True),
    Column("subject_id", Id, nullable=False),
    Column("into_phase", Text, nullable=False),
    Column("how", Text, nullable=False),
    Column("fence_version", Integer, nullable=False),
    moment("earliest"),
    moment("decided_at"),
    Column("evidence", JSONB, nullable=False),
    moment("recorded_at"),
    ForeignKeyConstraint(
        ["account_id", "geofence_id"], ["geofences.account_id", "geofences.geofence_id"], ondelete="CASCADE"
    ),
    ForeignKeyConstraint(
        ["account_id", "device_id"], ["devices.account_id", "devices.device_id"], ondelete="CASCADE"
    ),
    Index("ix_crossings_account_id_device_id_at", "account_id", "device_id", "at"),
    Index("ix_crossings_account_id_geofence_id_at", "account_id", "geofence_id", "at"),
)


def value(row: Row[Any]) -> Crossing:
    """Return the crossing of a row."""
    return Crossing(
        account_id=row.account_id,
        subject_id=row.subject_id,
        device_id=row.device_id,
        geofence_id=row.geofence_id,
        fence_version=row.fence_version,
        into=Phase(row.into_phase),
        how=How(row.how),
        at=row.at,
        earliest=row.earliest,
        decided_at=row.decided_at,
        after_gap=row.at - row.earliest > AFTER_GAP,
        evidence=tuple(evidence_value(each) for each in row.evidence),
    )


def evidence_json(evidence: Evidence) -> list[Any]:
    """Return a line of evidence as it is stored: its values in their order."""
    return [*evidence[:6], evidence.side.value, evidence.weak]


def evidence_value(stored: list[Any]) -> Evidence:
    """Return what `evidence_json` stored."""
    at_s, lat, lon, accuracy_m, distance_m, probability, side, weak = stored
    return Evidence(at_s, lat, lon, accuracy_m, distance_m, probability, Side(side), weak)


Key = tuple[str, str, str, datetime]
"""Account id, device id, fence id and moment of a crossing."""

# Fences and devices are locked first: one that is being removed is waited for and then passed over, where the
# foreign keys alone would refuse the whole batch.
_ADD = """
WITH one AS (SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::bigint[],
    %s::text[], %s::text[], %s::int[], %s::timestamptz[], %s::timestamptz[], %s::text[])
  AS one (account_id, device_id, geofence_id, at, subject_id, into_phase, how, fence_version, earliest,
    decided_at, evidence)),
there AS MATERIALIZED (SELECT account_id, geofence_id FROM geofences
  WHERE (account_id, geofence_id) IN (SELECT account_id, geofence_id FROM one)
  ORDER BY geofence_id FOR KEY SHARE)
INSERT INTO crossings (account_id, device_id, geofence_id, at, subject_id, into_phase, how, fence_version,
  earliest, decided_at, evidence, recorded_at)
SELECT account_id, device_id, geofence_id, at, subject_id, into_phase, how, fence_version, earliest,
  decided_at, CAST(evidence AS jsonb), %s
FROM one JOIN there USING (account_id, geofence_id) ORDER BY 1, 2, 3, 4
ON CONFLICT (account_id, device_id, geofence_id, at) DO UPDATE SET into_phase = excluded.into_phase,
  how = excluded.how, fence_version = excluded.fence_version, earliest = excluded.earliest,
  decided_at = excluded.decided_at, evidence = excluded.evidence
"""
_REMOVE = """
DELETE FROM crossings WHERE (account_id, device_id, geofence_id, at) IN
  (SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[]))
"""


def add(session: Session, new: Sequence[Crossing], now: datetime) -> None:
    """Store crossings; one of the same device, fence and moment is replaced, one of a gone fence left out."""
    if not new:
        return
    values = [
        (
            id_to_int(each.account_id),
            id_to_int(each.device_id),
            id_to_int(each.geofence_id),
            each.at,
            id_to_int(each.subject_id),
            each.into.value,
            each.how.value,
            each.fence_version,
            each.earliest,
            each.decided_at,
            msgspec.json.encode([evidence_json(line) for line in each.evidence]).decode(),
        )
        for each in {key_of(each): each for each in new}.values()
    ]
    cursor_of(session).execute(_ADD, (*map(list, zip(*values, strict=True)), now))


def remove(session: Session, gone: Collection[Key]) -> None:
    """Delete crossings that history no longer has."""
    if not gone:
        return
    values = [(*map(id_to_int, key[:3]), key[3]) for key in sorted(gone)]
    cursor_of(session).execute(_REMOVE, tuple(map(list, zip(*values, strict=True))))


def decided_after(session: Session, spans: Sequence[tuple[str, str, datetime]]) -> list[Crossing]:
    """Return, of each (account id, device id, moment), the crossings decided after the moment, by moment."""
    if not spans:
        return []
    span = func.unnest(
        literal([account for account, _, _ in spans], ARRAY(Id)),
        literal([device for _, device, _ in spans], ARRAY(Id)),
        literal([since for _, _, since in spans], ARRAY(DateTime(timezone=True))),
    ).table_valued(
        Column("account_id", Id), Column("device_id", Id), Column("since", DateTime(timezone=True))
    )
    named = span.render_derived()
    rows = session.execute(
        select(crossings)
        .join(
            named,
            (crossings.c.account_id == named.c.account_id) & (crossings.c.device_id == named.c.device_id),
        )
        .where(crossings.c.decided_at > named.c.since)
        .order_by(crossings.c.at)
    )
    return [value(row) for row in rows]


def key_of(crossing: Crossing) -> Key:
    """Return what tells a stored crossing from every other one."""
    return crossing.account_id, crossing.device_id, crossing.geofence_id, crossing.at
