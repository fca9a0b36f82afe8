"""The private Mosquitto: its configuration, and how it is started.

Who may sign in and use which topics stands in `passwords` and `access` in the broker's folder; those are
written from the database by `tracker.ingest.provision`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tracker.domain.errors import Misconfigured
from tracker.local.identity import ServerUser, find_program, server_user
from tracker.local.ports import answers
from tracker.local.supervise import Process

SETTINGS: Mapping[str, str] = {
    "per_listener_settings": "false",
    "allow_anonymous": "false",
    "allow_zero_length_clientid": "true",
    # Above every dialect's limit: ingest refuses with a reason and counts; the broker would just hang up.
    "max_packet_size": "262144",
    # Above the batch of ingest, which acknowledges only after its commit.
    "max_inflight_messages": "1000",
    # No count: with one, Mosquitto drops acknowledged messages in silence while ingest is away.
    "max_queued_messages": "0",
    "max_queued_bytes": "1073741824",
    "memory_limit": "4294967296",
    "max_keepalive": "3600",
    "persistent_client_expiration": "14d",
    "retain_available": "true",
    "persistence": "true",
    "autosave_interval": "5",
    "set_tcp_nodelay": "true",
    "sys_interval": "10",
    "connection_messages": "false",
    "log_timestamp": "false",
}
"""Lines of mosquitto.conf that are the same everywhere; deploy/mosquitto has them too."""

LISTENER_SETTINGS: Mapping[str, str] = {
    # A client with another's client id would end that one's session: the id is the signed-in name.
    # Before the `listener` line Mosquitto 2.0 opens a second one for it, on port 1883 of every address.
    "use_username_as_clientid": "true",
}
"""Lines that must follow a `listener` line."""


def configuration(host: str, port: int, folder: Path) -> str:
    """Return the text of mosquitto.conf for a listener on `host`:`port` with everything else in `folder`.

    Raises:
        Misconfigured: the folder's name cannot be written in Mosquitto's syntax.
    """
    if "\n" in str(folder):
        raise Misconfigured(f"the broker's folder {str(folder)!r} holds a line break")
    lines = ["# Written at every start.", *(f"{name} {value}" for name, value in SETTINGS.items())]
    lines += [f"log_type {kind}" for kind in ("error", "warning", "notice")]
    lines += [
        "log_dest stderr",
        f"password_file {folder / 'passwords'}",
        f"acl_file {folder / 'access'}",
        f"pid_file {folder / 'mosquitto.pid'}",
        f"persistence_location {folder / 'state'}/",
        f"listener {port} {host}",
        *(f"{name} {value}" for name, value in LISTENER_SETTINGS.items()),
    ]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Broker:
    """One Mosquitto that listens on `host`:`port` and keeps its files in `folder`."""

    host: str
    port: int
    folder: Path
    user: ServerUser
    program: Path

    @property
    def url(self) -> str:
        """The broker's address for clients on this machine, without a name and password."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104  # compared only
        return f"mqtt://[{host}]:{self.port}" if ":" in host else f"mqtt://{host}:{self.port}"

    def make(self) -> None:
        """Write the configuration and give the folder to the user that the broker runs as."""
        for folder in (self.folder, self.folder / "state"):
            folder.mkdir(mode=0o700, exist_ok=True)
            self.user.own(folder, 0o700)
        self.write("mosquitto.conf", configuration(self.host, self.port, self.folder))
        # Left by a broker that was killed: its number may be another program's by now.
        (self.folder / "mosquitto.pid").unlink(missing_ok=True)
        for name in ("passwords", "access"):
            if (self.folder / name).exists():
                self.user.own(self.folder / name, 0o600)

    def write(self, name: str, text: str) -> None:
        """Put `text` in a file of the folder in one step, readable by the broker alone."""
        temporary = self.folder / f".{name}.new"
        temporary.write_text(text)
        self.user.own(temporary, 0o600)
        temporary.replace(self.folder / name)

    def process(self, environment: Mapping[str, str]) -> Process:
        """Return the broker as a process for the supervisor."""
        return Process(
            name="mosquitto",
            command=(str(self.program), "-c", str(self.folder / "mosquitto.conf")),
            environment=environment,
            ready=self.answers,
            user=self.user,
        )

    def answers(self) -> bool:
        """Tell whether the broker accepts connections."""
        host = self.url.removeprefix("mqtt://").rpartition(":")[0].strip("[]")
        return answers(host, self.port)


def broker(host: str, port: int, folder: Path) -> Broker:
    """Return the broker of a folder; `make` it before its first start.

    Raises:
        Misconfigured: Mosquitto, or the user to run it as, is missing.
    """
    program = find_program("mosquitto", "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
    if program is None:
        raise Misconfigured("Mosquitto is missing: run script/server, or install mosquitto")
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    return Broker(host, port, folder, server_user("mosquitto"), program)
