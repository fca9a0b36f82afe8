"""A worker that dies in the middle."""

import subprocess
import sys
from datetime import timedelta

from tests.kit.waiting import until
from tests.notify.gateway import Gateway
from tests.notify.worker import SECRET
from tracker.domain.clock import utc_now
from tracker.domain.notification import Notification
from tracker.notify.channels._channel import Channel
from tracker.notify.dispatch import Dispatcher
from tracker.store import outbox
from tracker.store.seal import Sealer
from tracker.store.session import Database


def test_r05_a_worker_killed_while_sending_is_followed_by_one_repeat_with_the_same_key(
    fresh_database: str, database: Database, sms_gateway: Gateway, channels: dict[str, Channel]
) -> None:
    sealer = Sealer(SECRET)
    told = Notification(
        channel="sms",
        kind="own_code_changed",
        to="+79161234567",
        locale="ru",
        expires_at=utc_now() + timedelta(days=1),
    )
    with database.begin() as session:
        sent_id = outbox.put(session, told, sealer, utc_now())
    sms_gateway.hold.clear()
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.notify.worker", fresh_database, sms_gateway.url],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: sms_gateway.got, "the message at the gateway")
    finally:
        worker.kill()
        worker.wait()
    sms_gateway.hold.set()

    next_worker = Dispatcher(database, sealer, channels, utc_now)
    assert next_worker.drain(utc_now()) == 0, "the lease of the dead worker was not honoured"
    after_lease = utc_now() + outbox.LEASE
    assert next_worker.drain(after_lease) == 1
    assert next_worker.drain(after_lease + timedelta(hours=2)) == 0
    assert [each.headers["idempotency-key"] for each in sms_gateway.got] == [sent_id, sent_id]
