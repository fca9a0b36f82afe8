"""What devices told besides positions, and how far each native stream is committed."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise

from sqlalchemy import Column, Table, Text, delete, text
from sqlalchemy.dialects.postgresql import INT8MULTIRANGE, JSONB

from tracker.domain.position import HeardFact
from tracker.store.schema import Id, id_from_int, id_to_int, metadata, moment
from tracker.store.session import Session, cursor_of

facts = Table(
    "facts",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("device_id", Id, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    moment("recorded_at", primary_key=True),
    moment("received_at"),
    Column("data", JSONB, nullable=False),
)

streams = Table(
    "streams",
    metadata,
    Column("account_id", Id, primary_key=True, autoincrement=False),
    Column("device_id", Id, primary_key=True, autoincrement=False),
    Column("boot", Text, primary_key=True),
    Column("received", INT8MULTIRANGE, nullable=False),
    moment("changed_at"),
)

# In the order of the key: two batches that bring the same facts do not wait crosswise.
_ADD = """
INSERT INTO facts (account_id, device_id, kind, recorded_at, received_at, data)
SELECT account_id, device_id, kind, recorded_at, received_at, CAST(data AS jsonb)
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::text[])
  WITH ORDINALITY AS one (account_id, device_id, kind, recorded_at, received_at, data, number)
ORDER BY account_id, device_id, kind, recorded_at, number
ON CONFLICT DO NOTHING RETURNING device_id, kind, recorded_at
"""

BOOTS = 8
STREAM_BYTES = 16 * 1024
STREAM_HOLES = 1000

_COMMIT = text("""
INSERT INTO streams AS stream (account_id, device_id, boot, received, changed_at)
SELECT account_id, device_id, boot, CAST(received AS int8multirange), :now
FROM unnest(CAST(:accounts AS bigint[]), CAST(:devices AS bigint[]), CAST(:boots AS text[]),
            CAST(:received AS text[])) AS one (account_id, device_id, boot, received)
ORDER BY account_id, device_id, boot
ON CONFLICT (account_id, device_id, boot) DO UPDATE SET
  changed_at = excluded.changed_at,
  received = CASE WHEN pg_column_size(stream.received) <= :longest THEN stream.received + excluded.received
    ELSE (SELECT range_agg(kept) FROM (
      SELECT kept FROM unnest(stream.received + excluded.received) AS kept LIMIT :holes) AS lowest) END
RETURNING device_id, boot, lower(received), upper((SELECT run FROM unnest(received) AS run LIMIT 1)) - 1,
  xmax = 0
""")
_FORGET_BOOTS = text("""
DELETE FROM streams USING (
  SELECT account_id, device_id, boot,
         row_number() OVER (PARTITION BY account_id, device_id ORDER BY changed_at DESC, boot DESC) AS age
  FROM streams WHERE (account_id, device_id) IN (
    SELECT account_id, device_id FROM devices WHERE device_id = ANY(CAST(:devices AS bigint[])))
) AS each
WHERE age > :kept AND streams.account_id = each.account_id AND streams.device_id = each.device_id
  AND streams.boot = each.boot
""")


def add_many(session: Session, heard: Sequence[HeardFact]) -> list[HeardFact]:
    """Store facts; return those that were new, in the order given; of equals the first one is stored."""
    if not heard:
        return []
    rows = [
        (
            id_to_int(each.account_id),
            id_to_int(each.device_id),
            each.fact.kind,
            each.fact.recorded_at,
            each.received_at,
            json.dumps(dict(each.fact.data)),
        )
        for each in heard
    ]
    cursor = cursor_of(session).execute(_ADD, tuple(map(list, zip(*rows, strict=True))))
    added = {(id_from_int(device), kind, recorded_at) for device, kind, recorded_at in cursor.fetchall()}
    new = []
    for each in heard:
        key = each.device_id, each.fact.kind, each.fact.recorded_at
        if key in added:
            added.discard(key)
            new.append(each)
    return new


def commit_marks_many(
    session: Session, streams_: Iterable[tuple[str, str, str, Iterable[int]]], now: datetime
) -> dict[tuple[str, str], int | None]:
    """Add sequence numbers to what streams have committed; return the last of each one's unbroken run.

    A stream is (account id, device id, boot, numbers); none may be there twice. The answer is keyed by device
    id and boot. The run begins at 1; None while that is missing. A number 0 is stored, but no promise covers
    it. It is the promise "everything up to here is committed": a hole, left by a broker that forgot what it
    had acknowledged, holds it back until the device has sent the hole again. A device keeps its newest
    8 boots. Of a stream with more than 1,000 holes or so what lies highest is forgotten until it is sent
    again.
    """
    rows = [
        (id_to_int(account_id), id_to_int(device_id), boot, _ranges(seqs))
        for account_id, device_id, boot, seqs in streams_
    ]
    if not rows:
        return {}
    accounts, devices, boots, received = map(list, zip(*rows, strict=True))
    parameters = {
        "accounts": accounts,
        "devices": devices,
        "boots": boots,
        "received": received,
        "now": now,
        "longest": STREAM_BYTES,
        "holes": STREAM_HOLES,
    }
    told = session.execute(_COMMIT, parameters).all()
    begun = {device for device, _, _, _, is_new in told if is_new}
    if begun:
        session.execute(_FORGET_BOOTS, {"devices": sorted(begun), "kept": BOOTS})
    return {
        (id_from_int(device), boot): last if first <= 1 else None for device, boot, first, last, _ in told
    }


def _ranges(seqs: Iterable[int]) -> str:
    """Return numbers as the text of a multirange, neighbours joined."""
    ordered = sorted(set(seqs))
    begins = [ordered[0], *(each for before, each in pairwise(ordered) if each != before + 1)]
    ends = [*(before for before, each in pairwise(ordered) if each != before + 1), ordered[-1]]
    return "{" + ",".join(f"[{begin},{end}]" for begin, end in zip(begins, ends, strict=True)) + "}"


def remove_of_device(session: Session, account_id: str, device_id: str) -> None:
    """Delete everything a device told besides positions, and how far its streams were committed."""
    for table in (facts, streams):
        session.execute(delete(table).where(table.c.account_id == account_id, table.c.device_id == device_id))
