"""How far each rule has come with each subject: now and at two earlier moments."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Column, ForeignKeyConstraint, Index, Integer, Table, text
from sqlalchemy.dialects.postgresql import JSONB

from tracker.store.schema import Id, id_from_int, id_to_int, metadata, moment
from tracker.store.session import Session, cursor_of

rule_states = Table(
    "rule_states",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("rule_id", Id, primary_key=True, autoincrement=False),
    Column("subject_id", Id, primary_key=True, autoincrement=False),
    Column("rule_version", Integer, nullable=False),
    Column("live", JSONB, nullable=False),
    Column("mid", JSONB(none_as_null=True)),
    Column("old", JSONB(none_as_null=True)),
    moment("due_at", nullable=True),
    ForeignKeyConstraint(
        ["account_id", "rule_id"], ["rules.account_id", "rules.rule_id"], ondelete="CASCADE"
    ),
    ForeignKeyConstraint(
        ["account_id", "subject_id"], ["subjects.account_id", "subjects.subject_id"], ondelete="CASCADE"
    ),
    Index("ix_rule_states_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    Index("ix_rule_states_account_id_subject_id", "account_id", "subject_id"),
    postgresql_with={"fillfactor": "50"},
)


class RuleRow(NamedTuple):
    """How far a rule of this version has come with a subject.

    The earlier states are JSON texts: they are seldom asked for.
    """

    account_id: str
    rule_id: str
    subject_id: str
    rule_version: int
    live: Mapping[str, Any]
    mid: str | None
    old: str | None
    due_at: datetime | None


# Rules are locked first: one that is being removed is waited for and then passed over, where the foreign key
# alone would refuse the whole batch.
_SAVE = """
WITH one AS (SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::int[], %s::text[], %s::text[],
    %s::text[], %s::timestamptz[])
  AS one (account_id, rule_id, subject_id, rule_version, live, mid, old, due_at)),
there AS MATERIALIZED (SELECT account_id, rule_id FROM rules
  WHERE (account_id, rule_id) IN (SELECT account_id, rule_id FROM one) ORDER BY rule_id FOR KEY SHARE),
kept AS MATERIALIZED (SELECT account_id, subject_id FROM subjects
  WHERE (account_id, subject_id) IN (SELECT account_id, subject_id FROM one)
  ORDER BY subject_id FOR KEY SHARE)
INSERT INTO rule_states (account_id, rule_id, subject_id, rule_version, live, mid, old, due_at)
SELECT account_id, rule_id, subject_id, rule_version, CAST(live AS jsonb), CAST(mid AS jsonb),
  CAST(old AS jsonb), due_at
FROM one JOIN there USING (account_id, rule_id) JOIN kept USING (account_id, subject_id)
ORDER BY account_id, subject_id, rule_id
ON CONFLICT (account_id, rule_id, subject_id) DO UPDATE SET rule_version = excluded.rule_version,
  live = excluded.live, mid = excluded.mid, old = excluded.old, due_at = excluded.due_at
"""
to_json = msgspec.json.Encoder(order="deterministic").encode
"""Writes a state: equal ones as equal bytes."""
_from_json = msgspec.json.Decoder(dict[str, Any]).decode


def lock(session: Session, subjects: Collection[tuple[str, str]]) -> list[RuleRow]:
    """Lock every rule's row of these subjects (account id, subject id), in one order for everybody.

    The rows of the subjects' devices must be locked already.
    """
    if not subjects:
        return []
    rows = cursor_of(session).execute(
        "SELECT account_id, rule_id, subject_id, rule_version, live::text, mid::text, old::text, due_at"
        " FROM rule_states WHERE (account_id, subject_id) IN"
        " (SELECT * FROM unnest(%s::bigint[], %s::bigint[]))"
        " ORDER BY account_id, subject_id, rule_id FOR UPDATE",
        ([id_to_int(account) for account, _ in subjects], [id_to_int(subject) for _, subject in subjects]),
    )
    return [
        RuleRow(
            id_from_int(account),
            id_from_int(rule),
            id_from_int(subject),
            version,
            _from_json(live),
            mid,
            old,
            due_at,
        )
        for account, rule, subject, version, live, mid, old, due_at in rows.fetchall()
    ]


def save(session: Session, rows: Sequence[RuleRow]) -> None:
    """Store how far rules have come; what became of a rule or subject that is gone is passed over."""
    if not rows:
        return
    values = [
        (
            *map(id_to_int, row[:3]),
            row.rule_version,
            to_json(row.live).decode(),
            row.mid,
            row.old,
            row.due_at,
        )
        for row in rows
    ]
    cursor_of(session).execute(_SAVE, tuple(map(list, zip(*values, strict=True))))


def due(session: Session, until: datetime, limit: int) -> list[tuple[str, str]]:
    """Return the subjects (account id, subject id) of up to `limit` rules that time alone moves by `until`.

    They are not locked, the longest due come first.
    """
    rows = cursor_of(session).execute(
        "SELECT account_id, subject_id FROM rule_states WHERE due_at <= %s ORDER BY due_at LIMIT %s",
        (until, limit),
    )
    return [(id_from_int(account), id_from_int(subject)) for account, subject in rows.fetchall()]
