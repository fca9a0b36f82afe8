"""Private servers of one measurement: a PostgreSQL/PostGIS and a Mosquitto that end with it."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tracker.local.identity import server_user
from tracker.local.mosquitto import Broker, broker
from tracker.local.paths import lay_out
from tracker.local.ports import free_port
from tracker.local.postgres import cluster
from tracker.local.supervise import Supervisor
from tracker.store import migrate
from tracker.store.session import Database

ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
# So that the moment of a commit can be asked of the database instead of being guessed by polling.
SETTINGS = {"track_commit_timestamp": "on"}


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Where the servers of this measurement are."""

    database_url: str
    broker: Broker


@contextmanager
def private_servers(passwords: str, access: str) -> Iterator[Servers]:
    """Start both servers with the given broker files, migrated; end them and remove everything afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        places = lay_out(folder, (server_user("postgres"), server_user("mosquitto")))
        postgres = cluster(places, SETTINGS)
        postgres.make()
        with Supervisor(_say) as supervisor:
            supervisor.start(postgres.process(ENVIRONMENT))
            postgres.make_role()
            database = Database(postgres.url(), pool_size=1)
            migrate.upgrade(database)
            database.close()
            mosquitto = broker("127.0.0.1", free_port(), places.mosquitto)
            mosquitto.make()
            mosquitto.write("passwords", passwords)
            mosquitto.write("access", access)
            supervisor.start(mosquitto.process(ENVIRONMENT))
            yield Servers(database_url=postgres.url(), broker=mosquitto)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _say(name: str, line: str) -> None:
    if "error" in line.lower() or "fatal" in line.lower():
        sys.stderr.write(f"{name} | {line}\n")
