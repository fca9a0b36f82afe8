"""Which chases are to begin, and how the running ones stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text, update

from tracker.domain.ids import new_id
from tracker.store.chases import Chase, chases
from tracker.store.schema import id_from_int, id_to_int
from tracker.store.session import Session

STILL_NEWS = timedelta(hours=1)

_BEGINNING = text("""
SELECT event.account_id, event.event_id, event.device_id,
       round(coalesce((event.data->>'report_every_s')::float8, 15))::integer,
       (event.data->>'battery_pct')::real, coalesce((event.data->>'battery_least_pct')::real, 15),
       coalesce((event.data->>'most_min')::float8, 120)
FROM events AS event
WHERE event.type = 'escaped' AND event.news = 'told' AND event.device_id IS NOT NULL
  AND event.retracted_at IS NULL AND event.superseded_by IS NULL AND event.recorded_at > :since
  AND NOT EXISTS (SELECT FROM chases WHERE chases.account_id = event.account_id
                  AND chases.event_id = event.event_id)
ORDER BY event.recorded_at LIMIT :most
""")
_INSERT = text("""
INSERT INTO chases (account_id, chase_id, event_id, device_id, report_every_s, battery_start_pct,
                    battery_least_pct, started_at, ends_at)
VALUES (:account, :chase, :event, :device, :every, :battery, :least, :now, :ends)
ON CONFLICT (account_id, event_id) DO NOTHING
""")
_RUNNING = text("""
SELECT chase.*, device.dialect, last.battery_pct,
  EXISTS (
    SELECT FROM events AS caught
    WHERE caught.account_id = chase.account_id AND caught.rule_id = event.rule_id
      AND caught.subject_id = event.subject_id AND caught.type = 'caught' AND caught.at >= event.at
      AND caught.retracted_at IS NULL AND caught.superseded_by IS NULL
  ) AS caught,
  event.retracted_at IS NOT NULL OR rule.enabled IS NOT TRUE OR device.device_id IS NULL AS called_off
FROM chases AS chase
JOIN events AS event USING (account_id, event_id)
LEFT JOIN devices AS device ON device.account_id = chase.account_id AND device.device_id = chase.device_id
LEFT JOIN rules AS rule ON rule.account_id = event.account_id AND rule.rule_id = event.rule_id
LEFT JOIN last_positions AS last ON last.account_id = chase.account_id AND last.device_id = chase.device_id
WHERE chase.ended_at IS NULL
ORDER BY chase.account_id, chase.chase_id
FOR UPDATE OF chase SKIP LOCKED
LIMIT :most
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A running chase, and what is known of its end; `battery_pct` is the newest told.

    `dialect` None: the device was removed.
    """

    chase: Chase
    dialect: str | None
    battery_pct: float | None
    caught: bool
    called_off: bool


def begin_due(session: Session, now: datetime, *, most: int = 50) -> int:
    """Begin a chase for each escape of the last hour that was told and has none; return how many."""
    rows = session.execute(_BEGINNING, {"since": now - STILL_NEWS, "most": most}).all()
    for account, event, device, every_s, battery_pct, least_pct, most_min in rows:
        session.execute(
            _INSERT,
            {
                "account": account,
                "chase": id_to_int(new_id()),
                "event": event,
                "device": device,
                "every": every_s,
                "battery": battery_pct,
                "least": least_pct,
                "now": now,
                "ends": now + timedelta(minutes=most_min),
            },
        )
    return len(rows)


def running(session: Session, *, most: int = 200) -> Sequence[Standing]:
    """Return the running chases, locked for this transaction; those that another process has are left out."""
    rows = session.execute(_RUNNING, {"most": most}).mappings().all()
    return [
        Standing(
            chase=Chase(
                account_id=id_from_int(row["account_id"]),
                chase_id=id_from_int(row["chase_id"]),
                event_id=id_from_int(row["event_id"]),
                device_id=id_from_int(row["device_id"]),
                report_every_s=row["report_every_s"],
                battery_start_pct=row["battery_start_pct"],
                battery_least_pct=row["battery_least_pct"],
                started_at=row["started_at"],
                ends_at=row["ends_at"],
            ),
            dialect=row["dialect"],
            battery_pct=row["battery_pct"],
            caught=row["caught"],
            called_off=row["called_off"],
        )
        for row in rows
    ]


def end(session: Session, chase: Chase, reason: str, now: datetime) -> None:
    """Note why and when a chase ended."""
    session.execute(
        update(chases)
        .where(chases.c.account_id == chase.account_id, chases.c.chase_id == chase.chase_id)
        .values(ended_at=now, reason=reason)
    )
