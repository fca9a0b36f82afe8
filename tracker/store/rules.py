"""Rules, the subjects that each watches, and what earlier versions said."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    Row,
    Select,
    Table,
    Text,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, aggregate_order_by

from tracker.domain.errors import NotFound
from tracker.domain.rule import Notify, Rule, Urgency
from tracker.store import schedules
from tracker.store.schema import Id, metadata, moment
from tracker.store.session import Session

rules = Table(
    "rules",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("rule_id", Id, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("geofence_id", Id),
    Column("all_subjects", Boolean, nullable=False, server_default=text("false")),
    Column("args", JSONB, nullable=False, server_default=text("'{}'")),
    Column("schedule", JSONB(none_as_null=True)),
    Column("notify", JSONB, nullable=False, server_default=text("'{}'")),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("version", Integer, nullable=False, server_default=text("1")),
    moment("active_from"),
    moment("created_at"),
    moment("changed_at"),
    ForeignKeyConstraint(["account_id"], ["accounts.account_id"], ondelete="CASCADE"),
    ForeignKeyConstraint(
        ["account_id", "geofence_id"], ["geofences.account_id", "geofences.geofence_id"], ondelete="CASCADE"
    ),
    Index("ix_rules_account_id_geofence_id", "account_id", "geofence_id"),
)

rule_subjects = Table(
    "rule_subjects",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("rule_id", Id, primary_key=True, autoincrement=False),
    Column("subject_id", Id, primary_key=True, autoincrement=False),
    ForeignKeyConstraint(
        ["account_id", "rule_id"], ["rules.account_id", "rules.rule_id"], ondelete="CASCADE"
    ),
    ForeignKeyConstraint(
        ["account_id", "subject_id"], ["subjects.account_id", "subjects.subject_id"], ondelete="CASCADE"
    ),
    Index("ix_rule_subjects_account_id_subject_id", "account_id", "subject_id"),
)

rule_versions = Table(
    "rule_versions",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("rule_id", Id, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("document", JSONB, nullable=False),
    Column("fence", JSONB(none_as_null=True)),
    moment("made_at"),
    ForeignKeyConstraint(["account_id"], ["accounts.account_id"], ondelete="CASCADE"),
)
"""What an old event was judged by; outlives the rule."""


def value(row: Row[Any]) -> Rule:
    """Return the rule of a row that carries `subject_ids` beside the columns."""
    return Rule(
        account_id=row.account_id,
        rule_id=row.rule_id,
        kind=row.kind,
        name=row.name,
        subject_ids=tuple(row.subject_ids or ()),
        all_subjects=row.all_subjects,
        geofence_id=row.geofence_id,
        args=row.args,
        schedule=schedules.from_json(row.schedule),
        notify=notify_value(row.notify),
        enabled=row.enabled,
        version=row.version,
        active_from=row.active_from,
        created_at=row.created_at,
    )


def notify_value(stored: Mapping[str, Any]) -> Notify:
    """Return what `notify_json` stored."""
    urgency = stored.get("urgency")
    return Notify(
        contact_ids=tuple(stored.get("contact_ids", ())),
        channels=tuple(stored.get("channels", ())),
        urgency=None if urgency is None else Urgency[urgency.upper()],
        all_at_once=stored.get("all_at_once", True),
        escalate_after_s=stored.get("escalate_after_s"),
        throttle_s=stored.get("throttle_s", Notify().throttle_s),
    )


def notify_json(notify: Notify) -> dict[str, Any]:
    """Return whom a rule tells as it is stored and as the API writes it."""
    return {
        "contact_ids": list(notify.contact_ids),
        "channels": list(notify.channels),
        "urgency": None if notify.urgency is None else notify.urgency.name.lower(),
        "all_at_once": notify.all_at_once,
        "escalate_after_s": notify.escalate_after_s,
        "throttle_s": notify.throttle_s,
    }


def document(rule: Rule) -> dict[str, Any]:
    """Return what a rule says, as an explanation and an earlier version carry it."""
    return {
        "kind": rule.kind,
        "name": rule.name,
        "subject_ids": list(rule.subject_ids),
        "all_subjects": rule.all_subjects,
        "geofence_id": rule.geofence_id,
        "args": dict(rule.args),
        "schedule": schedules.to_json(rule.schedule),
        "version": rule.version,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVersion:
    """What a version of a rule said, and its fence as it was when the version was made."""

    rule_id: str
    version: int
    document: Mapping[str, Any]
    fence: Mapping[str, Any] | None
    made_at: datetime


def add(session: Session, rule: Rule, now: datetime, *, fence: Mapping[str, Any] | None) -> None:
    """Store a new rule and its first version; `fence` is the GeoJSON Feature of its fence."""
    columns = _columns(rule, now) | {
        "account_id": rule.account_id,
        "rule_id": rule.rule_id,
        "kind": rule.kind,
        "created_at": rule.created_at,
    }
    session.execute(insert(rules).values(columns))
    _set_subjects(session, rule)
    _add_version(session, rule, now, fence)


def change(session: Session, rule: Rule, now: datetime, *, fence: Mapping[str, Any] | None) -> None:
    """Store what is new of a rule; a version that is not stored yet is added with the fence as it is."""
    session.execute(update(rules).where(*_is(rule.account_id, rule.rule_id)).values(_columns(rule, now)))
    session.execute(
        delete(rule_subjects).where(
            rule_subjects.c.account_id == rule.account_id, rule_subjects.c.rule_id == rule.rule_id
        )
    )
    _set_subjects(session, rule)
    known = exists().where(
        rule_versions.c.account_id == rule.account_id,
        rule_versions.c.rule_id == rule.rule_id,
        rule_versions.c.version == rule.version,
    )
    if not session.execute(select(known)).scalar_one():
        _add_version(session, rule, now, fence)


def remove(session: Session, account_id: str, rule_id: str) -> None:
    """Delete a rule with its states; its events and versions stay."""
    session.execute(delete(rules).where(*_is(account_id, rule_id)))


def get(session: Session, account_id: str, rule_id: str) -> Rule:
    """Return one rule of the account.

    Raises:
        NotFound: this account has no such rule.
    """
    row = session.execute(_whole().where(*_is(account_id, rule_id))).one_or_none()
    if row is None:
        raise NotFound("rule")
    return value(row)


def hold(session: Session, account_id: str, rule_id: str) -> Rule:
    """Return what `get` does and let nobody else change it until the end of the transaction.

    Raises:
        NotFound: this account has no such rule.
    """
    session.execute(select(rules.c.rule_id).where(*_is(account_id, rule_id)).with_for_update(key_share=True))
    return get(session, account_id, rule_id)


def of_account(
    session: Session,
    account_id: str,
    *,
    geofence_id: str | None = None,
    subject_id: str | None = None,
    after: str | None = None,
    limit: int = 1000,
) -> list[Rule]:
    """Return up to `limit` rules in id order, behind the id `after`: of a fence, or that watch a subject."""
    query = _whole().where(rules.c.account_id == account_id)
    if geofence_id:
        query = query.where(rules.c.geofence_id == geofence_id)
    if subject_id:
        named = exists().where(
            rule_subjects.c.account_id == rules.c.account_id,
            rule_subjects.c.rule_id == rules.c.rule_id,
            rule_subjects.c.subject_id == subject_id,
        )
        query = query.where(or_(rules.c.all_subjects, named))
    if after:
        query = query.where(rules.c.rule_id > after)
    return [value(row) for row in session.execute(query.order_by(rules.c.rule_id).limit(limit))]


def count(session: Session, account_id: str) -> int:
    """Return how many rules an account has."""
    query = select(func.count()).select_from(rules).where(rules.c.account_id == account_id)
    return int(session.execute(query).scalar_one())


def version(session: Session, account_id: str, rule_id: str, number: int) -> RuleVersion:
    """Return what an earlier or the present version of a rule said, of a removed rule too.

    Raises:
        NotFound: there was no such version, or it is forgotten.
    """
    row = session.execute(
        select(rule_versions).where(
            rule_versions.c.account_id == account_id,
            rule_versions.c.rule_id == rule_id,
            rule_versions.c.version == number,
        )
    ).one_or_none()
    if row is None:
        raise NotFound("rule version")
    return RuleVersion(
        rule_id=row.rule_id,
        version=row.version,
        document=row.document,
        fence=row.fence,
        made_at=row.made_at,
    )


_FORGET_VERSIONS = text("""
DELETE FROM rule_versions AS each WHERE made_at < :before
  AND NOT EXISTS (SELECT FROM rules
    WHERE rules.account_id = each.account_id AND rules.rule_id = each.rule_id AND version = each.version)
  AND NOT EXISTS (SELECT FROM events WHERE events.account_id = each.account_id
    AND events.rule_id = each.rule_id AND rule_version = each.version)
""")


def forget_unused_versions(session: Session, now: datetime) -> None:
    """Delete versions older than a day that are neither in force nor any event's."""
    session.execute(_FORGET_VERSIONS, {"before": now - timedelta(days=1)})


_SUBJECTS = (
    select(
        func.array_agg(
            aggregate_order_by(rule_subjects.c.subject_id, rule_subjects.c.subject_id), type_=ARRAY(Id)
        )
    )
    .where(
        rule_subjects.c.account_id == rules.c.account_id,
        rule_subjects.c.rule_id == rules.c.rule_id,
    )
    .correlate(rules)
    .scalar_subquery()
)


def _whole() -> Select[Any]:
    return select(rules, _SUBJECTS.label("subject_ids"))


def _columns(rule: Rule, now: datetime) -> dict[str, Any]:
    return {
        "name": rule.name,
        "geofence_id": rule.geofence_id,
        "all_subjects": rule.all_subjects,
        "args": dict(rule.args),
        "schedule": schedules.to_json(rule.schedule),
        "notify": notify_json(rule.notify),
        "enabled": rule.enabled,
        "version": rule.version,
        "active_from": rule.active_from,
        "changed_at": now,
    }


def _set_subjects(session: Session, rule: Rule) -> None:
    rows = [
        {"account_id": rule.account_id, "rule_id": rule.rule_id, "subject_id": subject_id}
        for subject_id in sorted(set(rule.subject_ids))
    ]
    if rows:
        session.execute(insert(rule_subjects), rows)


def _add_version(session: Session, rule: Rule, now: datetime, fence: Mapping[str, Any] | None) -> None:
    session.execute(
        insert(rule_versions).values(
            account_id=rule.account_id,
            rule_id=rule.rule_id,
            version=rule.version,
            document=document(rule),
            fence=None if fence is None else dict(fence),
            made_at=now,
        )
    )


def _is(account_id: str, rule_id: str) -> tuple[Any, Any]:
    return rules.c.account_id == account_id, rules.c.rule_id == rule_id
