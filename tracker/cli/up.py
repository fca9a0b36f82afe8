"""`tracker up`."""

import fcntl
import http.client
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from tracker import settings, wiring
from tracker.domain.errors import Misconfigured
from tracker.local import resolve
from tracker.local.mosquitto import Broker
from tracker.local.paths import Layout
from tracker.local.ports import require_free
from tracker.local.postgres import Cluster
from tracker.local.supervise import Process, Stopped, Supervisor
from tracker.settings import Settings

SERVER_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
"""What the private servers see of the environment: none of the product's secrets."""


@click.command("up")
@click.option("--demo", is_flag=True, help="Add a sample family whose devices move.")
def up(demo: bool) -> None:
    """Run everything on this machine: private PostgreSQL and Mosquitto, ingest, work and web."""
    given = settings.read()
    places = resolve.layout(given)
    with only_one(places):
        if places.moved:
            say("up", f"the servers' users cannot reach {places.data_dir}: theirs is {places.servers_dir}")
        require_free(*given.http_address, "TRACKER_HTTP")
        parts = Parts(
            given=given,
            resolved=resolve.with_private_servers(given),
            cluster=resolve.private_cluster(given, places),
            broker=resolve.private_broker(given, places),
            metrics=emptied(places.data_dir / "metrics"),
        )
        if parts.broker is not None:
            require_free(parts.broker.host, parts.broker.port, "TRACKER_MQTT")
        with Supervisor(say) as supervisor:
            try:
                bring_up(supervisor, parts, demo=demo)
                supervisor.run()
            except Stopped:
                say("up", "stopping")


COMMAND = up


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What `up` runs: the settings as given and with the private servers filled in, and those servers."""

    given: Settings
    resolved: Settings
    cluster: Cluster | None
    broker: Broker | None
    metrics: Path


def bring_up(supervisor: Supervisor, parts: Parts, *, demo: bool) -> None:
    """Start everything in order and say where it is."""
    environment = child_environment(parts)
    if parts.cluster is not None:
        parts.cluster.make()
        supervisor.start(parts.cluster.process(SERVER_ENVIRONMENT))
        parts.cluster.make_role()
    supervisor.run_once(own("migrate", environment, "migrate"))
    if parts.broker is not None:
        parts.broker.make()
        wiring.provisioner(parts.resolved).sync()
        supervisor.start(parts.broker.process(SERVER_ENVIRONMENT))
    supervisor.start(own("ingest", environment, "ingest"))
    supervisor.start(own("work", environment, "work"))
    host, port = parts.given.http_address
    supervisor.start(own("web", environment, "web", ready=WebAnswers(host, port)))
    if demo:
        supervisor.run_once(own("demo", environment, "demo", "prepare"))
        credentials = parts.given.data_dir / "demo.json"
        supervisor.start(
            Process(
                name="demo",
                command=(
                    sys.executable,
                    "-m",
                    "devices.simulator",
                    "demo",
                    "--credentials",
                    str(credentials),
                ),
                environment=environment,
            )
        )
    click.echo(f"Ryadom runs at {parts.given.public_url} ; {where_codes_go(parts.given)}. Ctrl-C stops it.")


def own(
    name: str, environment: Mapping[str, str], *arguments: str, ready: "WebAnswers | None" = None
) -> Process:
    """Return one of the product's own commands as a process."""
    command = (sys.executable, "-m", "tracker", *arguments)
    if ready is None:
        return Process(name=name, command=command, environment=environment)
    return Process(name=name, command=command, environment=environment, ready=ready)


def child_environment(parts: Parts) -> dict[str, str]:
    """Return the environment of the product's processes: ours, and where the private servers are."""
    found = {
        "TRACKER_DATA_DIR": str(parts.resolved.data_dir),
        "TRACKER_DATABASE_URL": parts.resolved.database_url or "",
        "TRACKER_BROKER_URL": parts.resolved.broker_url or "",
        "TRACKER_BROKER_FILES": str(parts.resolved.broker_dir),
        "PROMETHEUS_MULTIPROC_DIR": str(parts.metrics),
        "PYTHONUNBUFFERED": "1",
    }
    return {**os.environ, **found}


@dataclass(frozen=True)
class WebAnswers:
    """Tells whether the web server says that it is ready."""

    host: str
    port: int

    def __call__(self) -> bool:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104  # compared only
        connection = http.client.HTTPConnection(host, self.port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def where_codes_go(given: Settings) -> str:
    """Return, in words, where the SMS with the codes can be read."""
    if given.sms == "file":
        return f"SMS codes are written to {given.data_dir / 'outbox' / 'sms.jsonl'}"
    return "SMS codes go out by the gateway of TRACKER_SMS"


def emptied(folder: Path) -> Path:
    """Make `folder` anew, empty, for this user alone."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700)
    return folder


@contextmanager
def only_one(places: Layout) -> Iterator[None]:
    """Hold the data folder for this program alone.

    Raises:
        Misconfigured: another `tracker up` runs with the same data folder.
    """
    with (places.data_dir / "up.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Misconfigured(
                f"another `tracker up` runs with {places.data_dir}: stop it, or set TRACKER_DATA_DIR"
            ) from None
        yield


def say(name: str, line: str) -> None:
    """Write one line of a process, with its name, to stderr."""
    click.echo(f"{name:<9} | {line}", err=True)
