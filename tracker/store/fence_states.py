"""Where each device stands with its fences: now, at two earlier moments, once a day; and what to fold again.

What the bytes hold is `geofence.checkpoint`'s affair.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Column, ForeignKeyConstraint, Index, LargeBinary, Table, text

from tracker.domain.position import Placed
from tracker.store.schema import Id, id_from_int, id_to_int, metadata, moment
from tracker.store.session import Session, cursor_of

Key = tuple[str, str]
"""Account id and device id."""


def _of_device() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["account_id", "device_id"], ["devices.account_id", "devices.device_id"], ondelete="CASCADE"
    )


fence_states = Table(
    "fence_states",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("device_id", Id, primary_key=True, autoincrement=False),
    Column("live", LargeBinary, nullable=False),
    Column("mid", LargeBinary),
    Column("old", LargeBinary),
    moment("frontier"),
    moment("due_at", nullable=True),
    _of_device(),
    Index("ix_fence_states_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    postgresql_with={"fillfactor": "50"},
)

fence_anchors = Table(
    "fence_anchors",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("device_id", Id, primary_key=True, autoincrement=False),
    moment("frontier", primary_key=True),
    Column("state", LargeBinary, nullable=False),
    Column("rules", LargeBinary, nullable=False),
    _of_device(),
)

fence_corrections = Table(
    "fence_corrections",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("device_id", Id, primary_key=True, autoincrement=False),
    moment("since"),
    moment("asked_at"),
    _of_device(),
    Index("ix_fence_corrections_asked_at", "asked_at"),
)


class StateRow(NamedTuple):
    """The states of one device; `live` is empty before its first input."""

    account_id: str
    device_id: str
    live: bytes
    mid: bytes | None
    old: bytes | None
    due_at: datetime | None


class Saved(NamedTuple):
    """A device's states to be stored; `frontier` is its newest input."""

    account_id: str
    device_id: str
    live: bytes
    mid: bytes | None
    old: bytes | None
    frontier: datetime
    due_at: datetime | None


class Anchor(NamedTuple):
    """A device's state at `at`, and those of its subject's rules, that is kept as long as its positions."""

    account_id: str
    device_id: str
    at: datetime
    state: bytes
    rules: bytes


class Correction(NamedTuple):
    """A device whose positions after `since` are to be folded again."""

    account_id: str
    device_id: str
    since: datetime


# The devices are locked first: one that is being removed is waited for and then passed over, where the
# foreign key alone would refuse the whole batch.
_THERE = """
WITH there AS MATERIALIZED (
  SELECT account_id, device_id FROM devices
  WHERE (account_id, device_id) IN (SELECT * FROM unnest(%(accounts)s::bigint[], %(devices)s::bigint[]))
  ORDER BY device_id FOR KEY SHARE)
"""
_BEGIN = f"""{_THERE}
INSERT INTO fence_states (account_id, device_id, live, frontier)
SELECT account_id, device_id, '', 'epoch' FROM there ORDER BY account_id, device_id
ON CONFLICT DO NOTHING
"""  # noqa: S608 - no input
_LOCK = """
SELECT account_id, device_id, live, mid, old, due_at FROM fence_states
WHERE (account_id, device_id) IN (SELECT * FROM unnest(%(accounts)s::bigint[], %(devices)s::bigint[]))
ORDER BY account_id, device_id FOR UPDATE
"""
_SAVE = """
UPDATE fence_states AS state
SET live = one.live, mid = one.mid, old = one.old, frontier = one.frontier, due_at = one.due_at
FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[], %s::bytea[], %s::bytea[], %s::timestamptz[],
            %s::timestamptz[]) AS one (account_id, device_id, live, mid, old, frontier, due_at)
WHERE state.account_id = one.account_id AND state.device_id = one.device_id
"""
_ANCHOR = """
INSERT INTO fence_anchors (account_id, device_id, frontier, state, rules)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::bytea[], %s::bytea[])
  AS one (account_id, device_id, frontier, state, rules) ORDER BY 1, 2, 3
ON CONFLICT (account_id, device_id, frontier) DO UPDATE SET state = excluded.state, rules = excluded.rules
"""
_FORGET_ANCHORS = r"""
DELETE FROM fence_anchors AS anchor USING fence_states AS state
WHERE anchor.account_id = state.account_id AND anchor.device_id = state.device_id AND anchor.frontier < (
  SELECT max(frontier) FROM fence_anchors AS newest
  WHERE newest.account_id = state.account_id AND newest.device_id = state.device_id AND newest.frontier < (
    SELECT min(substring(pg_get_expr(relpartbound, pg_class.oid) FROM 'FROM \(''([^'']+)''')::timestamptz)
    FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'positions'::regclass AND relkind = 'r'))
"""
_ASK = """
INSERT INTO fence_corrections AS known (account_id, device_id, since, asked_at)
SELECT account_id, device_id, min(since), %(now)s
FROM unnest(%(accounts)s::bigint[], %(devices)s::bigint[], %(since)s::timestamptz[])
  AS one (account_id, device_id, since)
WHERE EXISTS (SELECT FROM fence_states AS state
  WHERE state.account_id = one.account_id AND state.device_id = one.device_id)
GROUP BY account_id, device_id ORDER BY account_id, device_id
ON CONFLICT (account_id, device_id) DO UPDATE SET since = least(known.since, excluded.since)
"""
_ASK_OF_HISTORY = """
INSERT INTO fence_corrections AS known (account_id, device_id, since, asked_at)
SELECT account_id, device_id, %(since)s, %(now)s FROM fence_states
WHERE account_id = %(account)s AND device_id = %(device)s AND (
  EXISTS (SELECT FROM geofences WHERE account_id = %(account)s AND created_at < %(upto)s)
  OR EXISTS (SELECT FROM rules WHERE account_id = %(account)s AND created_at < %(upto)s))
ON CONFLICT (account_id, device_id) DO UPDATE SET since = least(known.since, excluded.since)
"""


def lock(session: Session, keys: Collection[Key], known: Collection[Key] = ()) -> list[StateRow]:
    """Lock the rows of these devices until the end of the transaction, in one order for everybody.

    Rows that are not there are made, except of devices that were removed. `known` are those believed to be
    there: it saves asking, and may err.
    """
    if not keys:
        return []
    begin = [key for key in keys if key not in known]
    cursor = cursor_of(session, binary=True)
    if begin:
        cursor.execute(_BEGIN, _arrays(begin))
    rows = _locked(cursor, keys)
    if len(rows) < len(set(keys)) and len(begin) < len(set(keys)):
        cursor.execute(_BEGIN, _arrays(keys))
        rows = _locked(cursor, keys)
    return rows


def save(session: Session, rows: Sequence[Saved]) -> None:
    """Store states of devices whose rows are locked."""
    if not rows:
        return
    values = [(id_to_int(row.account_id), id_to_int(row.device_id), *row[2:]) for row in rows]
    cursor_of(session).execute(_SAVE, tuple(map(list, zip(*values, strict=True))))


def due(session: Session, until: datetime, limit: int) -> list[Key]:
    """Return up to `limit` devices whose next decision by time alone is due, the longest due first.

    They are not locked: that is `lock`'s affair, which keeps everybody's order.
    """
    cursor = cursor_of(session).execute(
        "SELECT account_id, device_id FROM fence_states WHERE due_at <= %s ORDER BY due_at LIMIT %s",
        (until, limit),
    )
    return [(id_from_int(account), id_from_int(device)) for account, device in cursor.fetchall()]


def add_anchors(session: Session, anchors: Sequence[Anchor]) -> None:
    """Store anchors; those of the same moment are replaced."""
    if not anchors:
        return
    values = [
        (id_to_int(each.account_id), id_to_int(each.device_id), each.at, each.state, each.rules)
        for each in anchors
    ]
    cursor_of(session).execute(_ANCHOR, tuple(map(list, zip(*values, strict=True))))


def anchors_of(
    session: Session, account_id: str, device_ids: Iterable[str], *, since: datetime | None
) -> list[Anchor]:
    """Return the anchors of the devices, by moment, from the newest before `since` on; None: all."""
    cursor = cursor_of(session, binary=True).execute(
        "SELECT account_id, device_id, frontier, state, rules FROM fence_anchors"
        " WHERE account_id = %(account)s AND device_id = ANY(%(devices)s) AND frontier >= coalesce(("
        "  SELECT max(frontier) FROM fence_anchors WHERE account_id = %(account)s"
        "  AND device_id = ANY(%(devices)s) AND frontier < %(since)s::timestamptz), '-infinity')"
        " ORDER BY frontier, device_id",
        {
            "account": id_to_int(account_id),
            "devices": [id_to_int(each) for each in device_ids],
            "since": since,
        },
    )
    return [
        Anchor(id_from_int(account), id_from_int(device), at, bytes(state), bytes(rules))
        for account, device, at, state, rules in cursor.fetchall()
    ]


def remove_anchors(session: Session, account_id: str, device_ids: Iterable[str], *, since: datetime) -> None:
    """Delete the anchors of the devices from a moment on."""
    cursor_of(session).execute(
        "DELETE FROM fence_anchors WHERE account_id = %s AND device_id = ANY(%s) AND frontier >= %s",
        (id_to_int(account_id), [id_to_int(each) for each in device_ids], since),
    )


def forget_anchors(session: Session) -> None:
    """Delete anchors from before every stored position, but for the newest of each device: it is a base."""
    cursor_of(session).execute(_FORGET_ANCHORS)


def ask_correction(session: Session, wanted: Sequence[Correction], now: datetime) -> None:
    """Have the positions of these devices from `since` on folded again; others than with a state are not."""
    if not wanted:
        return
    cursor_of(session).execute(
        _ASK,
        {
            **_arrays([(each.account_id, each.device_id) for each in wanted]),
            "since": [each.since for each in wanted],
            "now": now,
        },
    )


def ask_correction_of_history(session: Session, batch: Sequence[Placed]) -> None:
    """Have history of one device that was stored behind everybody's back folded, if a fence or rule is older.

    What is older than every fence and rule of the account concerns none of them.
    """
    moments = [each.position.recorded_at for each in batch]
    cursor_of(session).execute(
        _ASK_OF_HISTORY,
        {
            "account": id_to_int(batch[0].account_id),
            "device": id_to_int(batch[0].device_id),
            "since": min(moments),
            "upto": max(moments),
            "now": batch[0].received_at,
        },
    )


def waiting_corrections(session: Session, limit: int) -> list[Correction]:
    """Return the corrections that have waited longest, without locking them."""
    rows = cursor_of(session).execute(
        "SELECT account_id, device_id, since FROM fence_corrections ORDER BY asked_at LIMIT %s", (limit,)
    )
    return [Correction(id_from_int(account), id_from_int(device), since) for account, device, since in rows]


def take_corrections(session: Session, account_id: str, device_ids: Iterable[str]) -> datetime | None:
    """Delete what is to be corrected of these devices; return the earliest moment, None if there is none.

    Their rows must be locked: everybody locks those first.
    """
    rows = cursor_of(session).execute(
        "DELETE FROM fence_corrections WHERE account_id = %s AND device_id = ANY(%s) RETURNING since",
        (id_to_int(account_id), [id_to_int(each) for each in device_ids]),
    )
    return min((since for (since,) in rows.fetchall()), default=None)


def count_corrections(session: Session) -> int:
    """Return how many devices wait to be folded again."""
    row = cursor_of(session).execute("SELECT count(*) FROM fence_corrections").fetchone()
    return int(row[0]) if row else 0


def _locked(cursor: Any, keys: Collection[Key]) -> list[StateRow]:
    return [
        StateRow(
            id_from_int(account),
            id_from_int(device),
            bytes(live),
            None if mid is None else bytes(mid),
            None if old is None else bytes(old),
            due_at,
        )
        for account, device, live, mid, old, due_at in cursor.execute(_LOCK, _arrays(keys)).fetchall()
    ]


def _arrays(keys: Iterable[Key]) -> dict[str, list[int]]:
    ordered = list(keys)
    return {
        "accounts": [id_to_int(account) for account, _ in ordered],
        "devices": [id_to_int(device) for _, device in ordered],
    }
