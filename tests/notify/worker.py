"""A worker in a process of its own, to be killed; its arguments are the database's and gateway's URLs."""

import sys
import threading
from pathlib import Path

from tracker import registry
from tracker.domain.clock import utc_now
from tracker.notify.channels.sms import SmsChannel
from tracker.notify.dispatch import Dispatcher
from tracker.store.seal import Sealer
from tracker.store.session import Database

SECRET = "a secret of thirty-two characters"

if __name__ == "__main__":
    database_url, gateway_url = sys.argv[1:]
    transports = registry.load("tracker.notify.transports", "TRANSPORT")
    channel = SmsChannel(transports, url=gateway_url, sender="3339", outbox_dir=Path("unused"))
    Dispatcher(Database(database_url), Sealer(SECRET), {"sms": channel}, utc_now).run(threading.Event())
