"""Counting acts in fixed windows."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from tests.store.family import NOW
from tracker.store import signin
from tracker.store.session import Database, Session

HOUR = timedelta(hours=1)


def test_acts_are_counted_by_bucket_key_and_window(session: Session) -> None:
    def hit(bucket: str = "b", key: bytes = b"k", minutes: int = 0) -> int:
        now = NOW + timedelta(minutes=minutes)
        return signin.hit(session, bucket=bucket, key_hash=key, window=HOUR, now=now)[0]

    assert [hit(), hit(), hit(key=b"other"), hit(bucket="other"), hit(minutes=59)] == [1, 2, 1, 1, 3]
    assert hit(minutes=60) == 1


def test_the_seconds_to_the_end_of_the_window_are_told(session: Session) -> None:
    now = NOW + timedelta(minutes=59, seconds=59)
    assert signin.hit(session, bucket="b", key_hash=b"k", window=HOUR, now=NOW)[1] == 3600
    assert signin.hit(session, bucket="b", key_hash=b"k", window=HOUR, now=now)[1] == 1


def test_no_act_of_many_at_once_is_lost(database: Database) -> None:
    def hit(_: int) -> int:
        with database.begin() as session:
            return signin.hit(session, bucket="b", key_hash=b"k", window=HOUR, now=NOW)[0]

    with ThreadPoolExecutor(max_workers=5) as threads:
        assert sorted(threads.map(hit, range(50))) == list(range(1, 51))
