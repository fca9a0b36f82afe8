"""Keeps the broker's password and access files equal to the database.

A file is replaced in one step, so that a broker that starts or re-reads at any moment finds a whole one.
The broker re-reads on SIGHUP. A user of no rights, whose password is made of the file's own content, tells
afterwards whether it has: then the new passwords count as provisioned.
"""

import hashlib
import os
import signal
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import structlog

from tracker.domain.broker_password import password_hash
from tracker.domain.clock import Clock
from tracker.domain.errors import Unavailable
from tracker.ingest.client import BrokerAddress, accepts
from tracker.store import devices, gateways
from tracker.store.session import Database, Listener

PASSWORDS = "passwords"
ACCESS = "access"
PID_FILE = "mosquitto.pid"
INGEST_PREFIX = "svc-ingest-"
MONITORS = ("svc-monitor", "svc-watch")
NOTIFIER = "svc-notify"
WITNESS = "svc-witness"
CHECK_EVERY_S = 30.0
COALESCE_S = 1.0
LISTEN_S = 1.0
REREAD_WITHIN_S = 3.0
ASK_EVERY_S = 0.05

Credential = tuple[str, str]

log = structlog.get_logger()


def password_line(user: str, hashed: str) -> str:
    """Return one line of the password file; `hashed` is in Mosquitto's form `$7$...`."""
    return f"{user}:{hashed}\n"


def password_file(services: Iterable[Credential], credentials: Iterable[Credential]) -> str:
    """Return the password file: our own processes, then the devices and gateways."""
    return "".join(password_line(user, hashed) for user, hashed in (*services, *credentials))


def access_file(services: Iterable[str]) -> str:
    """Return the access file: what our processes may, then what each device or gateway may below its id.

    A pattern's `%u` is the signed-in name, and Mosquitto refuses names with wildcards; `+` stands for the
    shard, which ingest checks. Nobody may do what no line allows.
    """
    lines = ["# Written from the database; changes are lost."]
    for user in services:
        lines += ["", f"user {user}"]
        if user.startswith(INGEST_PREFIX):
            lines += _INGEST_TOPICS
        elif user in MONITORS:
            lines += ["topic read $SYS/#"]
        elif user == NOTIFIER:
            lines += _NOTIFIER_TOPICS
    return "\n".join([*lines, "", *_DEVICE_TOPICS]) + "\n"


_INGEST_TOPICS = (
    "topic read tracker/#",
    "topic read owntracks/#",
    "topic read gateway/#",
    "topic write tracker/+/+/ack",
    "topic write tracker/+/+/command",
    "topic write owntracks/+/+/cmd",
)
_NOTIFIER_TOPICS = (
    "topic write tracker/+/+/alert",
    "topic write tracker/+/+/command",
    "topic write owntracks/+/+/cmd",
)
_DEVICE_TOPICS = (
    "pattern write tracker/+/%u/position",
    "pattern write tracker/+/%u/position/cbor",
    "pattern write tracker/+/%u/status",
    "pattern write tracker/+/%u/result",
    "pattern read tracker/+/%u/command",
    "pattern read tracker/+/%u/ack",
    "pattern read tracker/+/%u/alert",
    "pattern write owntracks/+/%u/#",
    "pattern read owntracks/+/%u/cmd",
    "pattern write gateway/+/%u/#",
)


class Provisioner:
    """Writes the files in `folder`, tells the broker, and notes in the database what it knows.

    `services` are our own processes as (user, password hash). With `broker` it asks there whether the new
    files were read; without, it takes it for granted a moment after the signal.
    """

    def __init__(
        self,
        database: Database,
        folder: Path,
        services: Iterable[Credential],
        clock: Clock,
        *,
        broker: BrokerAddress | None = None,
    ) -> None:
        self._database = database
        self._folder = folder
        self._services = tuple(services)
        self._clock = clock
        self._broker = broker
        self._known: str | None = None
        """Digest of the files that the broker is known to have read."""

    def sync(self) -> bool:
        """Make the files equal to the database and tell the broker; return whether they changed.

        A broker that does not run reads them when it starts.

        Raises:
            Unavailable: the database is away.
        """
        with self._database.begin() as session:
            of_devices = devices.broker_credentials(session)
            of_gateways = gateways.broker_credentials(session)
        credentials = [*of_devices, *of_gateways]
        text = password_file(self._services, credentials)
        access = access_file(user for user, _ in self._services)
        digest = hashlib.sha256((access + text).encode()).hexdigest()
        changed = self._is_new(digest)
        if changed:
            # Access first: a new user must not be able to sign in before his limits hold.
            replace_file(self._folder / ACCESS, access)
            replace_file(self._folder / PASSWORDS, f"# {digest}\n" + self._witness_line(digest) + text)
        if digest != self._known:
            if not self._reread(digest):
                log.warning("the broker has not read its new files", folder=str(self._folder))
                self._known = None
                return changed
            self._known = digest
        with self._database.begin() as session:
            devices.mark_provisioned(session, of_devices, self._clock())
            gateways.mark_provisioned(session, of_gateways, self._clock())
        return changed

    def run(self, stop: threading.Event) -> None:
        """Sync whenever the credentials change, and every 30 s in any case, until `stop` is set."""
        while not stop.is_set():
            try:
                listener = self._database.listen(devices.CREDENTIALS_CHANNEL)
                try:
                    self._follow(listener, stop)
                finally:
                    listener.close()
            except Unavailable as error:
                log.warning("provisioning waits", reason=str(error))
                stop.wait(LISTEN_S)
        self._database.close()

    def _follow(self, listener: Listener, stop: threading.Event) -> None:
        while not stop.is_set():
            if self.sync():
                log.info("the broker's files were renewed")
            synced_s = time.monotonic()
            pause_s = CHECK_EVERY_S if self._known else COALESCE_S
            while not stop.is_set() and time.monotonic() - synced_s < pause_s:
                if listener.wait(LISTEN_S):
                    # Each SIGHUP holds the broker up (0.45 s at 100,000 devices): at most one a second.
                    stop.wait(max(0.0, synced_s + COALESCE_S - time.monotonic()))
                    break

    def _is_new(self, digest: str) -> bool:
        try:
            with (self._folder / PASSWORDS).open() as file:
                return file.readline() != f"# {digest}\n" or not (self._folder / ACCESS).exists()
        except FileNotFoundError:
            return True

    def _witness_line(self, digest: str) -> str:
        return password_line(WITNESS, password_hash(digest))

    def _reread(self, digest: str) -> bool:
        """Tell a running broker to re-read, and return whether it has; one that is not running will."""
        told = signal_broker(self._folder / PID_FILE)
        give_up_s = time.monotonic() + REREAD_WITHIN_S
        while True:
            if self._broker is None:
                if told:
                    time.sleep(0.2)
                return True
            witness = BrokerAddress(
                host=self._broker.host,
                port=self._broker.port,
                tls=self._broker.tls,
                username=WITNESS,
                password=digest,
            )
            try:
                if accepts(witness):
                    return True
            except Unavailable:
                if not told:
                    return True
            if time.monotonic() > give_up_s:
                return False
            time.sleep(ASK_EVERY_S)


def replace_file(path: Path, text: str) -> None:
    """Replace a file in one step, lasting, readable by the owner of its folder alone.

    The broker runs as the folder's owner, and we perhaps as root.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            if os.geteuid() == 0:
                owner = path.parent.stat()
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def signal_broker(pid_file: Path) -> bool:
    """Send SIGHUP to the Mosquitto that `pid_file` names; return whether there was one."""
    try:
        pid = int(pid_file.read_text())
    except (OSError, ValueError):
        return False
    # A broker that was killed leaves its number behind, and SIGHUP would end another program.
    with suppress(OSError):
        if Path(f"/proc/{pid}/comm").read_text().strip() == "mosquitto":
            os.kill(pid, signal.SIGHUP)
            return True
    return False
