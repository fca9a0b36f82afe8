"""Is every acknowledged position stored, once, whatever falls while a fleet reports?

A fleet of native devices publishes at QoS 1 through `tracker up` while ingest is killed twenty times,
Mosquitto ten times (both with SIGKILL), PostgreSQL is stopped at once three times, the table of positions is
locked for a minute and the disk is filled to the last byte. Each device keeps a position until the
application has acknowledged it; at the end the positions acknowledged are compared with the table.

As root the data folder is a disk of 1.5 GB in memory, so that filling it hurts nobody else; otherwise that
fault is left out, and said to be.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path

import psycopg
from sqlalchemy import text

from benchmarks._result import Options, Result
from benchmarks._running import Running, add_devices, running_service
from tracker import wiring
from tracker.settings import Settings
from tracker.store.schema import id_from_int

POSITIONS = 300_000
RATE_PER_S = 2_000
DEVICES = 40
DISK_BYTES = 1_500_000_000
LOCK_S = 60.0
FULL_S = 10.0
TIMEOUT_S = 1800
PAUSE_S = 1.0

KILL_INGEST = ("ingest", signal.SIGKILL)
KILL_MOSQUITTO = ("mosquitto", signal.SIGKILL)
STOP_POSTGRES = ("postgres", signal.SIGQUIT)
"""SIGQUIT is PostgreSQL's immediate stop."""


def schedule() -> list[tuple[float, str]]:
    """Return at which part of the acknowledged positions what happens, the first first."""
    strikes = [(0.35, "lock"), (0.7, "disk")]
    for fault, count in (("ingest", 20), ("mosquitto", 10), ("postgres", 3)):
        strikes += [((number + 0.5) / count, fault) for number in range(count)]
    return sorted(strikes)


class Faults:
    """The measurement; `size` is how many positions are published, `rounds` is not used."""

    name = "faults"

    def run(self, options: Options) -> Result:
        """Publish, strike, compare.

        Raises:
            RuntimeError: the service did not start, or the fleet was not acknowledged within half an hour.
        """
        wanted = options.size or POSITIONS
        with running_service(disk_bytes=DISK_BYTES if os.geteuid() == 0 else None) as running:
            credentials, acked_file = running.folder.with_suffix(".json"), running.folder.with_suffix(".csv")
            try:
                _write_fleet(running.settings, credentials)
                started_s = time.monotonic()
                fleet = _start_fleet(credentials, acked_file, wanted)
                with _Memory(running) as memory:
                    struck = _Strikes(running, fleet, acked_file, wanted).run()
                    report = json.loads(fleet.communicate()[0].splitlines()[-1])
                if not report["complete"]:
                    raise RuntimeError(f"not every position was acknowledged: {report}")
                return Result(
                    name=self.name,
                    figures={
                        "positions_published": report["made"],
                        "publications": report["published"],
                        "puback_by_broker": report["broker_acked"],
                        "connections_lost": report["connection_losses"],
                        **struck,
                        **_compare(running.settings, acked_file),
                        "ingest_peak_rss_mb": memory.peak_mb,
                        "seconds": round(time.monotonic() - started_s, 1),
                    },
                )
            finally:
                for path in (credentials, acked_file):
                    path.unlink(missing_ok=True)


BENCHMARK = Faults()


def _write_fleet(settings: Settings, path: Path) -> None:
    host, port = settings.mqtt_address
    path.touch(mode=0o600)
    devices = add_devices(settings, DEVICES)
    path.write_text(json.dumps({"host": host, "port": port, "tls": False, "devices": devices}))


def _start_fleet(credentials: Path, acked_file: Path, wanted: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "devices.simulator", "fleet"),
            *("--credentials", str(credentials), "--out", str(acked_file)),
            *("--positions", str(wanted), "--rate", str(RATE_PER_S), "--timeout", str(TIMEOUT_S)),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )


class _Strikes:
    """Carries out the schedule; figures are how often each fault happened, and how long it took to go on."""

    def __init__(self, running: Running, fleet: subprocess.Popen[str], acked_file: Path, wanted: int) -> None:
        self._running = running
        self._fleet = fleet
        self._acked_file = acked_file
        self._wanted = wanted
        self._figures: dict[str, float] = {}

    def run(self) -> Mapping[str, float]:
        """Strike at each part of the schedule; return the figures."""
        acts: Mapping[str, Callable[[], None]] = {
            "ingest": partial(self._signal, *KILL_INGEST),
            "mosquitto": partial(self._signal, *KILL_MOSQUITTO),
            "postgres": partial(self._signal, *STOP_POSTGRES),
            "lock": self._lock,
            "disk": self._fill_disk,
        }
        for part, fault in schedule():
            while self._fleet.poll() is None and self._acked < part * self._wanted:
                time.sleep(0.1)
            if self._fleet.poll() is not None:
                break
            print(f"{self._acked:>7} acknowledged: {fault}", file=sys.stderr)
            acts[fault]()
        return self._figures

    @property
    def _acked(self) -> int:
        return self._acked_file.read_bytes().count(b"\n") if self._acked_file.exists() else 0

    def _signal(self, victim: str, number: signal.Signals) -> None:
        while (pid := self._running.child(victim)) is None:
            # The one before is still being revived.
            time.sleep(0.05)
        os.kill(pid, number)
        self._count(f"{victim}_killed")
        self._wait_until_it_goes_on(victim)

    def _lock(self) -> None:
        with psycopg.connect(self._running.settings.database_url or "") as link:
            link.execute("LOCK TABLE positions IN ACCESS EXCLUSIVE MODE")
            time.sleep(LOCK_S)
            link.rollback()
        self._count("locked_for_s", LOCK_S)
        self._wait_until_it_goes_on("lock")

    def _fill_disk(self) -> None:
        if os.geteuid() != 0:
            self._count("disk_filled", 0)
            return
        ballast = self._running.folder / "ballast"
        chunk = b"\0" * 1_048_576
        until_s = time.monotonic() + FULL_S
        with ballast.open("wb", buffering=0) as file:
            while time.monotonic() < until_s:
                try:
                    file.write(chunk)
                except OSError:
                    time.sleep(0.01)
        ballast.unlink()
        self._count("disk_filled")
        self._wait_until_it_goes_on("disk")

    def _count(self, figure: str, by: float = 1) -> None:
        self._figures[figure] = self._figures.get(figure, 0) + by

    def _wait_until_it_goes_on(self, fault: str) -> None:
        """Note the longest time from this fault's end to the next acknowledged position."""
        before, since_s = self._acked, time.monotonic()
        while self._fleet.poll() is None and self._acked <= before:
            time.sleep(0.05)
        took_s = round(time.monotonic() - since_s, 1)
        name = f"longest_silence_after_{fault}_s"
        self._figures[name] = max(self._figures.get(name, 0), took_s)
        time.sleep(PAUSE_S)


class _Memory:
    """Watches the memory of the ingest process while it is entered."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.peak_mb = 0.0

    def __enter__(self) -> "_Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.5):
            pid = self._running.child("ingest")
            # It may be killed between the two looks.
            with suppress(FileNotFoundError, ProcessLookupError, IndexError):
                status = Path(f"/proc/{pid}/status").read_text()
                kilobytes = int(status.partition("VmRSS:")[2].split()[0])
                self.peak_mb = max(self.peak_mb, round(kilobytes / 1024, 1))


def _compare(settings: Settings, acked_file: Path) -> dict[str, float]:
    """Return how many acknowledged positions are not stored, and how many are stored more than once."""
    acked = set()
    for line in acked_file.read_text().splitlines():
        device_id, recorded_at = line.split(",")
        acked.add((device_id, datetime.fromisoformat(recorded_at)))
    database = wiring.database(settings)
    with database.begin() as session:
        rows: Sequence[tuple[int, datetime, int]] = [
            (row[0], row[1], row[2])
            for row in session.execute(
                text("SELECT device_id, recorded_at, count(*) FROM positions GROUP BY 1, 2")
            )
        ]
        stored = session.execute(text("SELECT count(*) FROM positions")).scalar_one()
    database.close()
    kept = {(id_from_int(device), moment) for device, moment, _ in rows}
    return {
        "acknowledged": len(acked),
        "stored": stored,
        "acknowledged_but_not_stored": len(acked - kept),
        "stored_twice": sum(count - 1 for _, _, count in rows),
    }
