"""Debian's Kannel as a private gateway: HTTP from us, SMPP to an SMSC."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.kit.waiting import until
from tracker.local.ports import answers, free_port

PASSWORD = "gatepw"
BEARERBOX, SMSBOX = "/usr/sbin/bearerbox", "/usr/sbin/smsbox"
CONFIGURATION = """\
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = admin
smsbox-port = {box}
smsbox-interface = 127.0.0.1
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
store-type = spool
store-location = {folder}/spool
dlr-storage = internal
log-file = {folder}/bearerbox.log
log-level = 1
sms-resend-freq = 1

group = smsc
smsc = smpp
smsc-id = operator
host = 127.0.0.1
port = {smsc}
transceiver-mode = true
smsc-username = tracker
smsc-password = secret
system-type = ""
reconnect-delay = 1
alt-charset = "GSM"

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {box}
smsbox-id = box
sendsms-port = {http}
sendsms-interface = 127.0.0.1
sendsms-chars = "0123456789 +-"
log-file = {folder}/smsbox.log
log-level = 1

group = sendsms-user
username = ryadom
password = gatepw
concatenation = true
max-messages = 5
user-deny-ip = "*.*.*.*"
user-allow-ip = "127.0.0.1"

group = sms-service
keyword = default
text = ""
omit-empty = true
"""


@dataclass(frozen=True)
class Kannel:
    """A gateway that listens; `url` is what TRACKER_SMS would say."""

    http_port: int
    admin_port: int

    def url(self, password: str = PASSWORD) -> str:
        """Return the address with the placeholders of docs/operators.md."""
        return (
            f"http://127.0.0.1:{self.http_port}/cgi-bin/sendsms?username=ryadom&password={password}"
            "&from={from}&to={to}&text={text}&coding=2&charset=UTF-8"
        )


@contextmanager
def kannel(folder: Path, smsc_port: int) -> Iterator[Kannel]:
    """Run both boxes before an SMSC."""
    ports = {name: free_port() for name in ("admin", "box", "http")}
    (folder / "spool").mkdir()
    configuration = folder / "kannel.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, smsc=smsc_port, **ports))
    started: list[subprocess.Popen[bytes]] = []
    try:
        for program, name in ((BEARERBOX, "box"), (SMSBOX, "http")):
            started.append(_start(program, configuration, folder))
            until(lambda name=name: answers("127.0.0.1", ports[name], timeout_s=1), f"{program} to listen")  # type: ignore[misc]
        yield Kannel(ports["http"], ports["admin"])
    finally:
        for process in reversed(started):
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _start(program: str, configuration: Path, folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [program, "-v", "4", str(configuration)],
        cwd=folder,
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
