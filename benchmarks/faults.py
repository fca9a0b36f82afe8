"""Is every acknowledged position stored, once, while the parts of a running service are killed?

A fleet of native devices publishes at QoS 1 through `tracker up` while ingest is killed five times, Mosquitto
once (both with SIGKILL) and PostgreSQL once (immediate stop). Each device keeps a position until the
application has acknowledged it; at the end the positions acknowledged are compared with the table.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import text

from benchmarks._result import Options, Result
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
from tracker.store.schema import id_from_int

POSITIONS = 100_000
RATE_PER_S = 3_000
DEVICES = 40
FAULTS: Sequence[tuple[float, str, signal.Signals]] = (
    (0.10, "ingest", signal.SIGKILL),
    (0.25, "ingest", signal.SIGKILL),
    (0.40, "mosquitto", signal.SIGKILL),
    (0.50, "ingest", signal.SIGKILL),
    (0.65, "postgres", signal.SIGQUIT),
    (0.75, "ingest", signal.SIGKILL),
    (0.90, "ingest", signal.SIGKILL),
)
"""At which part of the acknowledged positions which process gets which signal (SIGQUIT: immediate stop)."""


class Faults:
    """The measurement; `size` is how many positions are published, `rounds` is not used."""

    name = "faults"

    def run(self, options: Options) -> Result:
        """Publish, kill, compare.

        Raises:
            RuntimeError: the service did not start, or the fleet was not acknowledged within 10 minutes.
        """
        wanted = options.size or POSITIONS
        with _service() as (settings, main_pid):
            folder = settings.data_dir
            _add_devices(settings, folder / "fleet.json")
            acked_file = folder / "acked.csv"
            started_s = time.monotonic()
            fleet = _start_fleet(folder / "fleet.json", acked_file, wanted)
            strikes = _strike(fleet, acked_file, wanted, main_pid)
            report = json.loads(fleet.communicate()[0].splitlines()[-1])
            elapsed_s = time.monotonic() - started_s
            if not report["complete"]:
                raise RuntimeError(f"not every position was acknowledged: {report}")
            return Result(
                name=self.name,
                figures={
                    "positions_published": report["made"],
                    "publications": report["published"],
                    "puback_by_broker": report["broker_acked"],
                    "connections_lost": report["connection_losses"],
                    **strikes,
                    **_compare(settings, acked_file),
                    "seconds": round(elapsed_s, 1),
                },
            )


BENCHMARK = Faults()


@contextmanager
def _service() -> Iterator[tuple[Settings, int]]:
    """Run `tracker up` in a folder of its own until it is ready; end it and remove the folder afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
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
    with (folder / "up.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tracker", "up"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        while "Ryadom runs at" not in (folder / "up.log").read_text():
            if process.poll() is not None:
                raise RuntimeError((folder / "up.log").read_text()[-2000:])
            time.sleep(0.2)
        yield with_private_servers(given), process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def _add_devices(settings: Settings, path: Path) -> None:
    """Make an account with its devices through the product's own services, and the fleet's file."""
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
            for number in range(DEVICES)
        ]
    last = added[-1][0].device_id
    while True:
        with services.database.begin() as session:
            if Access(session, viewer).device(last).provisioned_at is not None:
                break
        time.sleep(0.1)
    services.database.close()
    host, port = settings.mqtt_address
    devices = [
        {"device_id": device.device_id, "password": access.password, "dialect": "native"}
        for device, access in added
    ]
    path.touch(mode=0o600)
    path.write_text(json.dumps({"host": host, "port": port, "tls": False, "devices": devices}))


def _start_fleet(credentials: Path, acked_file: Path, wanted: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "devices.simulator", "fleet"),
            *("--credentials", str(credentials), "--out", str(acked_file)),
            *("--positions", str(wanted), "--rate", str(RATE_PER_S), "--timeout", "600"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )


def _strike(fleet: subprocess.Popen[str], acked_file: Path, wanted: int, main_pid: int) -> dict[str, float]:
    """Send each signal when its part of the positions is acknowledged; return how often each part fell."""
    struck: dict[str, float] = {}
    for part, victim, number in FAULTS:
        while fleet.poll() is None and _lines(acked_file) < part * wanted:
            time.sleep(0.1)
        pid = _child(main_pid, victim)
        while pid is None:
            # The one before is still being revived.
            time.sleep(0.05)
            pid = _child(main_pid, victim)
        os.kill(pid, number)
        struck[f"{victim}_killed"] = struck.get(f"{victim}_killed", 0) + 1
        print(f"{_lines(acked_file):>7} acknowledged: {number.name} to {victim}", file=sys.stderr)
    return struck


def _child(main_pid: int, name: str) -> int | None:
    """Return the process id of one part of the running service, or None while it is down."""
    found = Path(f"/proc/{main_pid}/task/{main_pid}/children").read_text().split()
    for pid in found:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        except FileNotFoundError:
            continue
        if name in {words[-2] if len(words) > 1 else "", Path(words[0]).name}:
            return int(pid)
    return None


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _compare(settings: Settings, acked_file: Path) -> dict[str, float]:
    """Return how many acknowledged positions are not stored, and how many are stored more than once."""
    acked = set()
    for line in acked_file.read_text().splitlines():
        device_id, recorded_at = line.split(",")
        acked.add((device_id, datetime.fromisoformat(recorded_at)))
    database = wiring.database(settings)
    with database.begin() as session:
        rows = session.execute(
            text("SELECT device_id, recorded_at, count(*) FROM positions GROUP BY 1, 2")
        ).all()
        stored = session.execute(text("SELECT count(*) FROM positions")).scalar_one()
    database.close()
    kept = {(id_from_int(device), moment) for device, moment, _ in rows}
    return {
        "acknowledged": len(acked),
        "stored": stored,
        "acknowledged_but_not_stored": len(acked - kept),
        "stored_twice": sum(count - 1 for _, _, count in rows),
    }
