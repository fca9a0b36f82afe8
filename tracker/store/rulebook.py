"""Which accounts have fences or rules, since which version of the rulebook, and what is in it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Select,
    Table,
    cast,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from tracker.domain.geofence import Geofence
from tracker.domain.rule import Rule
from tracker.domain.subject import SubjectKind
from tracker.store import geofences as fences_store
from tracker.store import rules as rules_store
from tracker.store.devices import devices
from tracker.store.geofences import geofence_subjects, geofences
from tracker.store.rules import rule_subjects, rules
from tracker.store.schema import Id, id_from_int, metadata, moment
from tracker.store.session import Session, cursor_of
from tracker.store.subjects import subjects

rulebook = Table(
    "rulebook",
    metadata,
    Column("one", Boolean, CheckConstraint("one", name="one"), primary_key=True, server_default=true()),
    Column("version", BigInteger, nullable=False),
    Column("changed_by", BigInteger, nullable=False),
)
"""One row; triggers on fences and rules move its version, once a transaction (`changed_by`)."""

account_rulebooks = Table(
    "account_rulebooks",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    moment("changed_at"),
    Index("ix_account_rulebooks_version", "version"),
)
"""An account stays a day longer than its last fence and rule, so that their readers learn of the end."""


class Kept(NamedTuple):
    """A subject of an account, with its devices in the order of their ids.

    `devices_since` and `fences_since` are when some of them became the subject's later than they were made.
    """

    account_id: str
    subject_id: str
    kind: SubjectKind
    device_ids: tuple[str, ...]
    devices_since: Mapping[str, datetime]
    fences_since: Mapping[str, datetime]


def version(session: Session) -> int:
    """Return a number that moves with every committed change of any fence or rule, or whom they concern."""
    row = cursor_of(session).execute("SELECT version FROM rulebook").fetchone()
    return int(row[0]) if row else 0


def changed_since(session: Session, seen: int) -> list[tuple[str, int]]:
    """Return the accounts whose fences, rules or subjects changed after version `seen`, and at which."""
    rows = cursor_of(session).execute(
        "SELECT account_id, version FROM account_rulebooks WHERE version > %s", (seen,)
    )
    return [(id_from_int(account), at) for account, at in rows.fetchall()]


def fences_of(session: Session, account_ids: Collection[str]) -> list[Geofence]:
    """Return every fence of the accounts, by account and fence."""
    named = _subject_ids(
        select(_ids(geofence_subjects.c.subject_id)).where(
            geofence_subjects.c.account_id == geofences.c.account_id,
            geofence_subjects.c.geofence_id == geofences.c.geofence_id,
        )
    )
    rows = session.execute(
        select(geofences, func.ST_AsBinary(geofences.c.geom).label("wkb"), named)
        .where(geofences.c.account_id == func.any(_array(account_ids)))
        .order_by(geofences.c.account_id, geofences.c.geofence_id)
    )
    return [fences_store.value(row) for row in rows]


def rules_of(session: Session, account_ids: Collection[str]) -> list[Rule]:
    """Return every rule of the accounts that is enabled, by account and rule."""
    named = _subject_ids(
        select(_ids(rule_subjects.c.subject_id)).where(
            rule_subjects.c.account_id == rules.c.account_id, rule_subjects.c.rule_id == rules.c.rule_id
        )
    )
    rows = session.execute(
        select(rules, named)
        .where(rules.c.account_id == func.any(_array(account_ids)), rules.c.enabled)
        .order_by(rules.c.account_id, rules.c.rule_id)
    )
    return [rules_store.value(row) for row in rows]


def subjects_of(session: Session, account_ids: Collection[str]) -> list[Kept]:
    """Return every subject of the accounts with its devices."""
    of_subject = (
        devices.c.account_id == subjects.c.account_id,
        devices.c.subject_id == subjects.c.subject_id,
    )
    of_fence = (
        geofence_subjects.c.account_id == subjects.c.account_id,
        geofence_subjects.c.subject_id == subjects.c.subject_id,
    )
    rows = session.execute(
        select(
            subjects.c.account_id,
            subjects.c.subject_id,
            subjects.c.kind,
            _subject_ids(select(_ids(devices.c.device_id)).where(*of_subject)),
            *_since(devices.c.device_id, devices.c.given_at, of_subject),
            *_since(geofence_subjects.c.geofence_id, geofence_subjects.c.since, of_fence),
        )
        .where(subjects.c.account_id == func.any(_array(account_ids)))
        .order_by(subjects.c.account_id, subjects.c.subject_id)
    )
    # By the text of the id, as everywhere in the fold: the column's order is that of signed numbers.
    return [
        Kept(
            account,
            subject,
            SubjectKind(kind),
            tuple(sorted(ids)),
            dict(zip(given or (), given_at or (), strict=True)),
            dict(zip(fenced or (), since or (), strict=True)),
        )
        for account, subject, kind, ids, given, given_at, fenced, since in rows
    ]


def _since(named: Column[Any], since: Column[Any], where: Sequence[Any]) -> tuple[Any, Any]:
    """Return as two arrays what became the subject's later than it was made, and when."""
    later = select(_ids(named)).where(*where, since.is_not(None))
    moments = func.array_agg(aggregate_order_by(since, named), type_=ARRAY(DateTime(timezone=True)))
    return later.scalar_subquery(), select(moments).where(*where, since.is_not(None)).scalar_subquery()


def _array(account_ids: Collection[str]) -> Any:
    return literal(sorted(account_ids), ARRAY(Id))


def _ids(column: Column[Any]) -> Any:
    return func.array_agg(aggregate_order_by(column, column), type_=ARRAY(Id))


def _subject_ids(query: Select[Any]) -> Any:
    empty: Sequence[str] = ()
    return func.coalesce(
        query.scalar_subquery(), cast(literal(empty, ARRAY(Id)), ARRAY(Id)), type_=ARRAY(Id)
    ).label("subject_ids")


def accounts_with_new_rules(session: Session, until: datetime, limit: int) -> list[str]:
    """Return up to `limit` accounts with an enabled rule in force since `until` or before that has not begun.

    A rule has begun when how far it has come is stored, of its present version, for any subject that has a
    device.
    """
    rows = cursor_of(session).execute(
        "SELECT DISTINCT account_id FROM rules AS rule WHERE enabled AND active_from <= %s AND NOT EXISTS ("
        "  SELECT FROM rule_states AS state WHERE state.account_id = rule.account_id"
        "  AND state.rule_id = rule.rule_id AND state.rule_version = rule.version) LIMIT %s",
        (until, limit),
    )
    return [id_from_int(account) for (account,) in rows.fetchall()]


def has_rules_from(session: Session, since: datetime) -> bool:
    """Tell whether some enabled rule comes into force after `since`."""
    row = (
        cursor_of(session)
        .execute("SELECT EXISTS (SELECT FROM rules WHERE enabled AND active_from > %s)", (since,))
        .fetchone()
    )
    return bool(row and row[0])


def forget_empty(session: Session, now: datetime) -> None:
    """Forget the accounts that have had neither fences nor rules for a day."""
    cursor_of(session).execute(_FORGET_EMPTY, (now - timedelta(days=1),))


_FORGET_EMPTY = """
DELETE FROM account_rulebooks AS each WHERE changed_at < %s
  AND NOT EXISTS (SELECT FROM geofences WHERE geofences.account_id = each.account_id)
  AND NOT EXISTS (SELECT FROM rules WHERE rules.account_id = each.account_id)
"""
