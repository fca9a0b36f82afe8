"""One private cluster for a whole test run, and databases in it copied from one that was migrated for real.

Whichever process of the run needs it first starts a keeper (`python -m tests.kit.postgres FOLDER PID`): the
product's own supervisor and cluster. It ends itself when the process PID, which began the run, is gone.
"""

import fcntl
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.kit.waiting import until
from tracker.domain.clock import utc_now
from tracker.local.identity import server_user
from tracker.local.paths import lay_out
from tracker.local.postgres import Cluster, cluster
from tracker.local.supervise import Stopped, Supervisor
from tracker.store import housekeeping, migrate
from tracker.store.session import Database

TEMPLATE = "tracker_template"
FAST = {"fsync": "off", "full_page_writes": "off", "max_connections": "100", "autovacuum": "off"}
"""For tests of everything but durability; a crash of the machine may lose the cluster, which is no loss."""


def shared_cluster(run: Path, owner_pid: int) -> Cluster:
    """Return the running cluster of this test run with its template; started by the first who asks.

    Raises:
        AssertionError: it could not be started; holds what the keeper wrote.
    """
    answer = run / "cluster.json"
    with (run / "cluster.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not answer.exists():
            log = run / "cluster.log"
            with log.open("w") as written:
                keeper = subprocess.Popen(
                    [sys.executable, "-m", "tests.kit.postgres", str(run), str(owner_pid)],
                    stdin=subprocess.DEVNULL,
                    stdout=written,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )

            def there() -> bool:
                assert keeper.poll() is None, log.read_text()[-3000:]
                return answer.exists()

            until(there, "the cluster of the tests", timeout_s=90)
            # Its parent must not be asked to wait for it: the run's first process ends it by its number.
            keeper.returncode = 0
    return _cluster(run)


def stop_shared_cluster(run: Path) -> None:
    """End the cluster of this run, if one was started, and wait until it is gone."""
    answer = run / "cluster.json"
    if not answer.exists():
        return
    keeper_pid = json.loads(answer.read_text())["keeper_pid"]
    with suppress(ProcessLookupError):
        os.kill(keeper_pid, signal.SIGTERM)
    until(lambda: not _lives(keeper_pid), "the cluster of the tests to end", timeout_s=20)


@contextmanager
def new_database(shared: Cluster, name: str | None = None) -> Iterator[str]:
    """Make a migrated, empty database and give its address; dropped at the end."""
    name = name or f"t_{secrets.token_hex(6)}"
    shared.make_database(name, TEMPLATE)
    try:
        yield shared.url(name)
    finally:
        shared.drop_database(name)


def _cluster(run: Path) -> Cluster:
    return cluster(lay_out(run / "cluster", (server_user("postgres"),)), FAST)


def _lives(pid: int) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return Path(f"/proc/{pid}").exists()


def _keep(run: Path, owner_pid: int) -> None:
    def end_with_owner() -> None:
        if not _lives(owner_pid):
            os.kill(os.getpid(), signal.SIGTERM)

    def say(name: str, line: str) -> None:
        sys.stdout.write(f"{name} | {line}\n")
        sys.stdout.flush()

    shared = _cluster(run)
    shared.make()
    with Supervisor(say, end_with_owner) as supervisor, suppress(Stopped):
        supervisor.start(shared.process({"PATH": os.defpath, "LC_ALL": "C.UTF-8"}))
        shared.make_role()
        shared.make_database(TEMPLATE)
        store = Database(shared.url(TEMPLATE), pool_size=1)
        migrate.upgrade(store)
        with store.begin() as session:
            housekeeping.prepare(session, utc_now())
        store.close()
        draft = run / "cluster.json.new"
        draft.write_text(json.dumps({"keeper_pid": os.getpid()}))
        draft.rename(run / "cluster.json")
        supervisor.run()


if __name__ == "__main__":
    _keep(Path(sys.argv[1]), int(sys.argv[2]))
