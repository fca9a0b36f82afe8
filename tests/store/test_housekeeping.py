"""Forgetting what no longer matters."""

from datetime import timedelta

from sqlalchemy import text

from tests.store.family import NOW, House
from tracker.domain.errors import Reason
from tracker.store import housekeeping, positions, quarantine, signin
from tracker.store.seal import Sealer
from tracker.store.session import Session


def count(session: Session, table: str) -> int:
    counted: int = session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608
    return counted


def test_the_coming_week_has_its_partition(session: Session) -> None:
    later = NOW.replace(year=2031)
    housekeeping.prepare(session, later)
    for days in (-7, 0, 7):
        year, week, _ = positions.week_of(later + timedelta(days=days)).isocalendar()
        name = f"positions_{year}w{week:02d}"
        assert session.execute(text("SELECT to_regclass(:name)"), {"name": name}).scalar_one()


def test_old_requests_counters_sessions_and_quarantine_go_and_new_ones_stay(
    session: Session, house: House, sealer: Sealer
) -> None:
    for now in (NOW, NOW + timedelta(days=50)):
        signin.add_request(
            session,
            login_id=f"{now.month:016x}",
            phone_hash=b"p",
            code_hash=None,
            locale="ru",
            region=None,
            now=now,
            expires_at=now,
        )
        signin.hit(session, bucket="b", key_hash=b"k", window=timedelta(hours=1), now=now)
        quarantine.put(
            session,
            sealer,
            account_id=None,
            device_id=None,
            reason=Reason.NOT_JSON,
            detail="",
            topic="t\0",
            payload=b"x",
            received_at=now,
        )
    housekeeping.forget(session, NOW + timedelta(days=50))
    for table in ("login_requests", "rate_counters", "quarantine"):
        assert count(session, table) == 1, table
    assert count(session, "sessions") == 0
    assert count(session, "accounts") == 1
