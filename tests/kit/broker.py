"""A private Mosquitto with the product's own configuration and access rules."""

import os
import secrets
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.kit.waiting import until
from tracker.domain.broker_password import password_hash
from tracker.ingest.client import BrokerAddress, accepts
from tracker.ingest.provision import WITNESS, access_file
from tracker.local.mosquitto import Broker, broker
from tracker.local.ports import free_port
from tracker.local.supervise import die_with_parent


@dataclass
class TestBroker:
    """One Mosquitto of a test; users may come and go while it runs."""

    __test__ = False

    folder: Path
    services: tuple[str, ...] = (*(f"svc-ingest-{number}" for number in range(4)), "svc-monitor")
    _users: dict[str, str] = field(default_factory=dict)
    _hashes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for user in self.services:
            self._remember(user, secrets.token_hex(16))
        self._start_on_a_free_port()

    @property
    def url(self) -> str:
        """Address without a user."""
        return self.product.url

    @property
    def port(self) -> int:
        """The port it listens on, of 127.0.0.1."""
        return self.product.port

    def url_for(self, user: str) -> str:
        """Address with a user's name and password."""
        return self.url.replace("mqtt://", f"mqtt://{user}:{self._users[user]}@")

    def password(self, user: str) -> str:
        """The password of a user that was added."""
        return self._users[user]

    def add(self, user: str, password: str | None = None) -> str:
        """Let `user` sign in; return the password, a new one if none is given."""
        self._remember(user, password or secrets.token_hex(16))
        self._write()
        self._reload()
        return self._users[user]

    def remove(self, user: str) -> None:
        """Take a user's right to sign in; a session of it ends at once."""
        del self._users[user], self._hashes[user]
        self._write()
        self._reload()

    def start(self) -> None:
        """Start it again on the same port, with what it kept."""
        self.product.make()
        self._write()
        self._popen = self._spawn()
        until(self._ready, "Mosquitto to listen")

    def stop(self) -> None:
        """End it as an operator would."""
        self._popen.send_signal(signal.SIGTERM)
        self._popen.wait(timeout=15)

    def kill9(self) -> None:
        """End it as a power cut would."""
        self._popen.kill()
        self._popen.wait(timeout=15)

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    @property
    def log(self) -> str:
        """What it has written so far."""
        return (self.folder / "mosquitto.log").read_text()

    def close(self) -> None:
        """End it if it still runs."""
        if self._popen.poll() is None:
            self.kill9()

    def _start_on_a_free_port(self) -> None:
        for _ in range(5):
            self.product: Broker = broker("127.0.0.1", free_port(), self.folder / "mosquitto")
            self.product.make()
            self._write()
            self._popen = self._spawn()
            until(lambda: self._popen.poll() is not None or self.product.answers(), "Mosquitto to listen")
            if self._popen.poll() is None:
                return
        raise AssertionError(self.log)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        process = self.product.process({"PATH": os.defpath, "LC_ALL": "C.UTF-8"})
        with (self.folder / "mosquitto.log").open("a") as log:
            started: subprocess.Popen[bytes] = subprocess.Popen(
                list(process.command),
                env=dict(process.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509  # before any test's threads matter
                **self.product.user.popen_arguments(),  # type: ignore[call-overload]
            )
            return started

    def _ready(self) -> bool:
        assert self._popen.poll() is None, self.log
        return self.product.answers()

    def _remember(self, user: str, password: str) -> None:
        self._users[user] = password
        self._hashes[user] = password_hash(password)

    def _write(self) -> None:
        # Whether the broker has read its files shows in whether this one, whose password is new, may sign in.
        self._remember(WITNESS, secrets.token_hex(16))
        lines = "".join(f"{user}:{hashed}\n" for user, hashed in self._hashes.items())
        self.product.write("passwords", lines)
        self.product.write("access", access_file(self.services))

    def _reload(self) -> None:
        self._popen.send_signal(signal.SIGHUP)
        witness = BrokerAddress(
            host="127.0.0.1", port=self.port, tls=False, username=WITNESS, password=self._users[WITNESS]
        )
        until(lambda: accepts(witness), "Mosquitto to read its files")
