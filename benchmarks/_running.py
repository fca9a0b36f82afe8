"""The whole service as `tracker up` runs it, with devices of its own, for measurements that strike it."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tracker import wiring
from tracker.domain.access import Viewer
from tracker.domain.account import SessionLevel
from tracker.domain.clock import utc_now
from tracker.domain.subject import SubjectKind
from tracker.local.ports import free_port
from tracker.local.resolve import with_private_servers
from tracker.settings import Settings
from tracker.store import accounts
from tracker.store.access import Access

READY = "Ryadom runs at"
END_WITHIN_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A running service: its settings, and the process that keeps its parts alive."""

    settings: Settings
    main_pid: int

    @property
    def folder(self) -> Path:
        """The data folder."""
        return self.settings.data_dir

    def child(self, name: str) -> int | None:
        """Return the process id of one part, or None while it is down."""
        found = Path(f"/proc/{self.main_pid}/task/{self.main_pid}/children").read_text().split()
        for pid in found:
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            except FileNotFoundError:
                continue
            if name in {words[-2] if len(words) > 1 else "", Path(words[0]).name}:
                return int(pid)
        return None


@contextmanager
def running_service(*, disk_bytes: int | None = None) -> Iterator[Running]:
    """Run `tracker up` in a folder of its own until it is ready; end it and remove the folder afterwards.

    With `disk_bytes` the folder is a disk of that size in memory, which needs root.

    Raises:
        RuntimeError: it did not start; holds the end of what it wrote.
    """
    folder = Path(tempfile.mkdtemp(prefix="ryadom-"))
    log_path = folder.with_suffix(".log")
    if disk_bytes:
        options = f"size={disk_bytes},mode=0711"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    folder.chmod(0o711)
    given = Settings(
        _env_file=None,
        data_dir=folder,
        http=f"127.0.0.1:{free_port()}",
        mqtt=f"127.0.0.1:{free_port()}",
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRACKER_")} | {
        "TRACKER_DATA_DIR": str(folder),
        "TRACKER_HTTP": given.http,
        "TRACKER_MQTT": given.mqtt,
    }
    with log_path.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tracker", "up"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        while READY not in log_path.read_text():
            if process.poll() is not None:
                raise RuntimeError(log_path.read_text()[-2000:])
            time.sleep(0.2)
        yield Running(settings=with_private_servers(given), main_pid=process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=END_WITHIN_S)
        if disk_bytes:
            subprocess.run(["umount", str(folder)], check=True)
        shutil.rmtree(folder, ignore_errors=True)
        log_path.unlink()


def add_devices(settings: Settings, count: int) -> list[dict[str, str]]:
    """Make an account with native devices through the product's own services, and wait for the broker.

    Returns each one's `device_id`, `password` and `dialect`.
    """
    services = wiring.build(settings)
    now = utc_now()
    with services.database.begin() as session:
        account = accounts.open_account(session, phone="+79990000009", locale="en", region=None, now=now)
        viewer = Viewer(
            account_id=account.account_id, session_id="0" * 16, level=SessionLevel.SMS, proved_at=now
        )
        subject = services.family.add_subject(
            session, viewer, kind=SubjectKind.VEHICLE, name="fleet", now=now
        )
        added = [
            services.family.add_device(
                session,
                viewer,
                subject_id=subject.subject_id,
                name=f"{number}",
                dialect="native",
                external_id=None,
                payload_key=None,
                now=now,
            )
            for number in range(count)
        ]
    last = added[-1][0].device_id
    while True:
        with services.database.begin() as session:
            if Access(session, viewer).device(last).provisioned_at is not None:
                break
        time.sleep(0.1)
    services.database.close()
    return [
        {"device_id": device.device_id, "password": access.password, "dialect": "native"}
        for device, access in added
    ]
