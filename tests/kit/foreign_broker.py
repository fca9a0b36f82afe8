"""A Mosquitto of somebody else, as a source, with passwords and perhaps TLS; and a broker of older days."""

import datetime
import ipaddress
import os
import select
import signal
import socket
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from paho.mqtt import publish

from tests.kit.waiting import until
from tracker.domain.broker_password import password_hash
from tracker.local.identity import find_program
from tracker.local.ports import answers, free_port
from tracker.local.supervise import die_with_parent


@dataclass
class ForeignMosquitto:
    """One running broker; it keeps sessions over a restart."""

    folder: Path
    users: dict[str, str] = field(default_factory=lambda: {"reader": "s3cret"})
    certificate_for: str | None = None
    more: tuple[str, ...] = ()
    """Further lines of its configuration."""
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.folder.chmod(0o711)
        lines = "".join(f"{user}:{password_hash(password)}\n" for user, password in self.users.items())
        (self.folder / "passwords").write_text(lines)
        settings = [
            "user root",
            "allow_anonymous false",
            f"password_file {self.folder / 'passwords'}",
            "persistence true",
            "autosave_on_changes true",
            "autosave_interval 1",
            f"persistence_location {self.folder}/",
            f"listener {self.port} 127.0.0.1",
        ]
        if self.certificate_for:
            self._make_certificate(self.certificate_for)
            settings += [f"certfile {self.folder / 'cert.pem'}", f"keyfile {self.folder / 'key.pem'}"]
        (self.folder / "mosquitto.conf").write_text("\n".join([*settings, *self.more]) + "\n")
        self.start()

    @property
    def url(self) -> str:
        """Its address as an owner would write it."""
        return f"{'mqtts' if self.certificate_for else 'mqtt'}://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, with what it kept."""
        with (self.folder / "log").open("a") as log:
            self.popen = subprocess.Popen(
                [str(find_program("mosquitto")), "-c", str(self.folder / "mosquitto.conf"), "-v"],
                env={"PATH": os.defpath},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509
            )
        until(lambda: self.popen.poll() is not None or answers("127.0.0.1", self.port), "the foreign broker")
        assert self.popen.poll() is None, self.log

    def kill9(self) -> None:
        """End it as a power cut would."""
        self.popen.kill()
        self.popen.wait(timeout=15)

    def close(self) -> None:
        """End it if it still runs."""
        if self.popen.poll() is None:
            self.kill9()

    @property
    def log(self) -> str:
        """What it has written so far."""
        return (self.folder / "log").read_text()

    def publish(self, topic: str, payload: str, *, retain: bool = False, qos: int = 1) -> None:
        """Publish as its first user."""
        user, password = next(iter(self.users.items()))
        tls = {"ca_certs": str(self.folder / "cert.pem")} if self.certificate_for else None
        publish.single(
            topic,
            payload,
            qos=qos,
            retain=retain,
            hostname="127.0.0.1",
            port=self.port,
            auth={"username": user, "password": password},
            tls=tls,  # type: ignore[arg-type]
        )

    def _make_certificate(self, address: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "foreign")])
        begins = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(begins + datetime.timedelta(days=36500))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False
            )
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        (self.folder / "cert.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
        (self.folder / "key.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )


class HostileBroker:
    """Lets everybody in and subscribe, then says `then`, whatever that is; and so for whoever comes again."""

    CONNACK = b"\x20\x03\x00\x00\x00"
    SUBACK = b"\x90\x04\x00\x01\x00\x01"

    def __init__(self, then: bytes, *, before: bool = False) -> None:
        self._answers = [then] if before else [self.CONNACK, self.SUBACK + then]
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.visits = 0
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                came, _ = self._listener.accept()
                self.visits += 1
                threading.Thread(target=self._serve, args=(came,), daemon=True).start()

    def _serve(self, came: socket.socket) -> None:
        with came, suppress(OSError):
            came.settimeout(10)
            for answer in self._answers:
                came.recv(4096)
                came.sendall(answer)
            while came.recv(4096):
                pass


class OldBroker:
    """Stands before a broker and speaks MQTT 3.1.1 only: whoever begins with version 5 is told so, or cut."""

    PROTOCOL_AT = 8
    """Where CONNECT has its protocol level: type, length of one byte, "MQTT" with its length."""
    UNACCEPTABLE = b"\x20\x02\x00\x01"

    def __init__(self, behind: int, *, says_so: bool) -> None:
        self._behind = behind
        self._says_so = says_so
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.levels: list[int] = []
        """The protocol levels of those who came."""
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                came, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(came,), daemon=True).start()

    def _serve(self, came: socket.socket) -> None:
        with came, suppress(OSError):
            hello = came.recv(4096)
            # A length of two bytes shifts what follows.
            level = hello[self.PROTOCOL_AT + (1 if hello[1] & 0x80 else 0)]
            self.levels.append(level)
            if level > 4:
                if self._says_so:
                    came.sendall(self.UNACCEPTABLE)
                return
            with socket.create_connection(("127.0.0.1", self._behind)) as broker:
                broker.sendall(hello)
                while True:
                    for one in select.select([came, broker], [], [])[0]:
                        piece = one.recv(65536)
                        if not piece:
                            return
                        (broker if one is came else came).sendall(piece)
