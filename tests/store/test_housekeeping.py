"""Forgetting what no longer matters."""

from datetime import timedelta

from sqlalchemy import text

from tests.store.family import NOW, House
from tracker.domain.errors import Reason
from tracker.store import fence_states, housekeeping, positions, quarantine, signin
from tracker.store.schema import id_to_int
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


def test_states_of_fences_go_with_the_positions_but_for_the_newest_before_them(
    session: Session, house: House
) -> None:
    account_id, device_id = house.viewer.account_id, house.device.device_id
    housekeeping.prepare(session, NOW)
    fence_states.lock(session, [(account_id, device_id)])
    moments = [NOW - timedelta(days=days) for days in (9000, 8000, 7000, 1, 0)]
    fence_states.add_anchors(
        session, [fence_states.Anchor(account_id, device_id, at, b"s", b"{}") for at in moments]
    )
    housekeeping.forget(session, NOW)
    left = fence_states.anchors_of(session, account_id, [device_id], since=None)
    assert [each.at for each in left] == moments[2:]


def test_alerts_go_after_a_year_with_what_was_told_of_them(session: Session, house: House) -> None:
    ids = {
        "account": id_to_int(house.viewer.account_id),
        "subject": id_to_int(house.subject.subject_id),
        "now": NOW,
    }
    for number, days in enumerate((364, 366)):
        given = ids | {"id": number, "at": NOW - timedelta(days=days)}
        for statement in (EVENT, ALERT, DELIVERY):
            session.execute(text(statement), given)
    housekeeping.forget(session, NOW)
    for table in ("alerts", "deliveries"):
        assert count(session, table) == 1, table
    assert count(session, "events") == 2


EVENT = """
INSERT INTO events (account_id, event_id, subject_id, type, urgency, at, decided_at, recorded_at, slot, data,
                    explanation, news, updated_at)
VALUES (:account, :id, :subject, 'sos', 3, :at, :at, :at, :id, '{}', '{}', 'told', :at)
"""
ALERT = """
INSERT INTO alerts (account_id, alert_id, event_id, urgency, state, told_at)
VALUES (:account, :id, :id, 3, 'expired', :at)
"""
DELIVERY = """
INSERT INTO deliveries (account_id, delivery_id, alert_id, contact_id, channel, step, state, created_at,
                        due_at)
VALUES (:account, :id, :id, :account, 'sms', 0, 'sent', :at, :at)
"""
