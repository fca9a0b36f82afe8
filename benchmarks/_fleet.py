"""What the measurements of ingest share: devices, their fixes, their messages, and an ingest process."""

import json
import multiprocessing
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from typing import Any

from benchmarks._servers import Servers, private_servers
from tracker import registry
from tracker.domain.broker_password import password_hash
from tracker.domain.clock import utc_now
from tracker.domain.device import Device
from tracker.domain.geo import LatLon
from tracker.domain.ids import new_id
from tracker.domain.subject import Subject, SubjectKind
from tracker.ingest.client import BrokerAddress
from tracker.ingest.outbound import Ack
from tracker.ingest.prepare import Prepared
from tracker.ingest.provision import access_file, password_file
from tracker.ingest.service import Ingest, collect_rarely
from tracker.ingest.topics import of_device
from tracker.ingest.writer import Writer
from tracker.store import accounts, devices, housekeeping, subjects
from tracker.store.seal import Sealer
from tracker.store.session import Database

DEVICES = 1_000
INGEST = "svc-ingest-0"
PUBLISHER = "bench"
LISTENER = "bench-listener"
PEER_ROOT = "peer"
"""Where what is not for ingest is published."""
PASSWORD = "0123456789abcdef0123456789abcdef"  # noqa: S105 - of a broker that lives for a minute

Fix = tuple[Device, datetime, LatLon]


@contextmanager
def servers_with_family(devices_count: int = DEVICES) -> Iterator[tuple[Servers, list[Device]]]:
    """Start private servers on which ingest, a publisher and a listener may sign in, with so many devices."""
    users = [(user, password_hash(PASSWORD)) for user in (INGEST, PUBLISHER, LISTENER)]
    access = (
        f"user {PUBLISHER}\n"
        + "".join(f"topic write {root}/#\n" for root in ("owntracks", "tracker", "gateway", PEER_ROOT))
        + f"\nuser {LISTENER}\ntopic read {PEER_ROOT}/#\n\n"
    )
    with private_servers(password_file(users, ()), access + access_file([INGEST])) as servers:
        database = Database(servers.database_url)
        with database.begin() as session:
            housekeeping.prepare(session, utc_now())
        family = add_family(database, devices_count)
        database.close()
        yield servers, family


def add_family(database: Database, count: int) -> list[Device]:
    """Store an account with one subject and its devices."""
    now = utc_now()
    made = []
    with database.begin() as session:
        account = accounts.open_account(session, phone="+79990000000", locale="ru", region="RU", now=now)
        subject = Subject(
            account_id=account.account_id,
            subject_id=new_id(),
            kind=SubjectKind.VEHICLE,
            name="bench",
            created_at=now,
        )
        subjects.add(session, subject)
        for number in range(count):
            device = Device(
                account_id=account.account_id,
                device_id=new_id(),
                subject_id=subject.subject_id,
                name=str(number),
                dialect="owntracks",
                external_id=None,
                created_at=now,
            )
            devices.add(session, device, mqtt_password_hash="-", payload_key_sealed=None)  # noqa: S106
            made.append(device)
    return made


def fixes_of(family: Sequence[Device], size: int) -> list[Fix]:
    """Return fixes of all devices in turn, a second and about 10 m apart, ending now."""
    begin = utc_now().replace(microsecond=0) - timedelta(seconds=size // len(family) + 1)
    starts = [(55 + random.random(), 37 + random.random()) for _ in family]
    fixes = []
    for number in range(size):
        second, place = divmod(number, len(family))
        lat, lon = starts[place]
        fixes.append(
            (family[place], begin + timedelta(seconds=second), LatLon(lat=lat + second * 1e-4, lon=lon))
        )
    return fixes


def message(fix: Fix) -> tuple[str, bytes]:
    """Return topic and payload of a fix as OwnTracks on Android writes one, about 190 bytes."""
    device, moment, at = fix
    return of_device("owntracks", device.device_id), payload(at, int(moment.timestamp()))


def payload(at: LatLon, recorded_at_s: float) -> bytes:
    """Return the payload of a fix at `recorded_at_s`, Unix time."""
    body = {
        "_type": "location",
        "tid": "ab",
        "tst": recorded_at_s,
        "lat": round(at.lat, 6),
        "lon": round(at.lon, 6),
        "acc": 5,
        "alt": 144,
        "vel": 12,
        "cog": 251,
        "batt": 87,
        "bs": 1,
        "conn": "m",
        "t": "u",
        "m": 1,
        "vac": 3,
        "created_at": int(recorded_at_s) + 1,
    }
    return json.dumps(body, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Running:
    """An ingest process: its id, whether it is to store, and how many messages it let pass unstored."""

    pid: int
    stores: Event
    passed: "Synchronized[int]"


class _Switched(Ingest):
    """Ingest whose storage can be switched off: it reads, decodes and acknowledges, and stores nothing."""

    stores: Event
    passed: "Synchronized[int]"

    def _write(self, writer: Writer, batch: Sequence[Prepared]) -> list[Ack]:
        if self.stores.is_set():
            return super()._write(writer, batch)
        with self.passed.get_lock():
            self.passed.value += len(batch)
        return []


@contextmanager
def running_ingest(servers: Servers) -> Iterator[Running]:
    """Run an ingest in a process of its own, from when it has subscribed."""
    spawn = multiprocessing.get_context("spawn")
    ready, stop, stores = spawn.Event(), spawn.Event(), spawn.Event()
    passed: Any = spawn.Value("q", 0)
    stores.set()
    arguments = (servers.database_url, servers.broker.port, ready, stop, stores, passed)
    process = spawn.Process(target=_run_ingest, args=arguments)
    process.start()
    try:
        if not ready.wait(60):
            raise TimeoutError("ingest did not connect within a minute")
        assert process.pid is not None
        yield Running(process.pid, stores, passed)
    finally:
        stop.set()
        process.join(15)
        process.kill()


def _run_ingest(
    database_url: str, port: int, ready: Event, stop: Event, stores: Event, passed: "Synchronized[int]"
) -> None:
    address = BrokerAddress(host="127.0.0.1", port=port, tls=False, username=INGEST, password=PASSWORD)
    dialects = registry.load("tracker.ingest.dialects", "DIALECT")
    sealer = Sealer(PASSWORD)
    ingest = _Switched(Database(database_url, pool_size=3), sealer, [address], dialects, utc_now)
    ingest.stores, ingest.passed = stores, passed
    collect_rarely()
    threading.Thread(target=_tell, args=(ingest.connected, ready), daemon=True).start()
    ingest.run(stop)  # type: ignore[arg-type]


def _tell(connected: threading.Event, ready: Event) -> None:
    connected.wait()
    ready.set()


def wait_for(done: Callable[[], bool], what: str, *, within_s: float = 120, every_s: float = 0.2) -> None:
    """Ask `done` again and again until it is true.

    Raises:
        TimeoutError: it was not within `within_s`.
    """
    give_up_s = time.monotonic() + within_s
    while not done():
        if time.monotonic() > give_up_s:
            raise TimeoutError(f"waited {within_s:g} s for {what}")
        time.sleep(every_s)
