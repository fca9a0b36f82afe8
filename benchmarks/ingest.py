"""Positions a second from the publisher's socket to the commit, beside plain COPY into the same table.

Publisher, broker, database and service share this machine. A round is one COPY of the positions, packed
beforehand, in transactions of 1,000, and then the same number through broker, decoder and writer; the table
is emptied before each. What counts is the ratio within a round; the median of the rounds is given.
"""

import json
import multiprocessing
import random
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg

from benchmarks._publisher import publish_all
from benchmarks._result import Options, Result, median
from benchmarks._servers import Servers, private_servers
from tracker import registry
from tracker.domain.broker_password import password_hash
from tracker.domain.clock import utc_now
from tracker.domain.device import Device
from tracker.domain.geo import LatLon
from tracker.domain.ids import new_id
from tracker.domain.subject import Subject, SubjectKind
from tracker.ingest.client import BrokerAddress
from tracker.ingest.provision import access_file, password_file
from tracker.ingest.service import Ingest, collect_rarely
from tracker.ingest.topics import of_device
from tracker.store import accounts, devices, housekeeping, subjects
from tracker.store.geo import to_ewkb
from tracker.store.schema import id_to_int
from tracker.store.seal import Sealer
from tracker.store.session import Database

POSITIONS = 20_000
DEVICES = 1_000
COPY_BATCH = 1_000
INGEST = "svc-ingest-0"
PUBLISHER = "bench"
PASSWORD = "0123456789abcdef0123456789abcdef"  # noqa: S105 - of a broker that lives for a minute
EPOCH_2000 = datetime(2000, 1, 1, tzinfo=UTC)
COLUMNS = "account_id, device_id, recorded_at, received_at, geom, accuracy_m, battery_pct, trigger"

Fix = tuple[Device, datetime, LatLon]


class IngestBenchmark:
    """`tracker bench ingest`."""

    name = "ingest"

    def run(self, options: Options) -> Result:
        """Measure on private servers."""
        users = [(user, password_hash(PASSWORD)) for user in (INGEST, PUBLISHER)]
        access = f"user {PUBLISHER}\ntopic write owntracks/#\n" + access_file([INGEST])
        with private_servers(password_file(users, ()), access) as servers:
            database = Database(servers.database_url)
            with database.begin() as session:
                housekeeping.prepare(session, utc_now())
            family = _family(database)
            database.close()
            pairs = _rounds(servers, family, options)
        floors, figures = [floor for floor, _ in pairs], [figure for _, figure in pairs]
        return Result(
            name=self.name,
            figures={"positions_per_s": median(figures)},
            floors={"copy_positions_per_s": median(floors)},
            ratios={"positions_to_copy": median([figure / floor for floor, figure in pairs])},
        )


def _rounds(servers: Servers, family: Sequence[Device], options: Options) -> list[tuple[float, float]]:
    size = options.size or POSITIONS
    pairs = []
    with psycopg.connect(servers.database_url, autocommit=True) as link, _ingest(servers):
        for _ in range(options.rounds):
            fixes = _fixes(family, size)
            _empty(link)
            floor = size / _copy_seconds(link, fixes)
            _empty(link)
            pairs.append((floor, size / _ingest_seconds(servers, link, fixes)))
    return pairs


def _family(database: Database) -> list[Device]:
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
        for number in range(DEVICES):
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


def _fixes(family: Sequence[Device], size: int) -> list[Fix]:
    """Return fixes of all devices in turn, a second apart, ending now."""
    begin = utc_now().replace(microsecond=0) - timedelta(seconds=size // len(family) + 1)
    return [
        (
            family[number % len(family)],
            begin + timedelta(seconds=number // len(family)),
            LatLon(lat=55 + random.random(), lon=37 + random.random()),
        )
        for number in range(size)
    ]


def _empty(link: "psycopg.Connection[tuple[object, ...]]") -> None:
    link.execute("TRUNCATE positions, last_positions")
    link.execute("CHECKPOINT" if link.info.user == "postgres" else "SELECT 1")


def _copy_seconds(link: "psycopg.Connection[tuple[object, ...]]", fixes: Sequence[Fix]) -> float:
    chunks = [
        _HEADER + b"".join(map(_packed, fixes[at : at + COPY_BATCH])) + _TRAILER
        for at in range(0, len(fixes), COPY_BATCH)
    ]
    began_s = time.perf_counter()
    with link.cursor() as cursor:
        for chunk in chunks:
            with cursor.copy(f"COPY positions ({COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy:
                copy.write(chunk)
    return time.perf_counter() - began_s


_HEADER = b"PGCOPY\n\xff\r\n\x00" + struct.pack("!ii", 0, 0)
_TRAILER = struct.pack("!h", -1)


def _packed(fix: Fix) -> bytes:
    device, moment, at = fix
    micros = int((moment - EPOCH_2000) / timedelta(microseconds=1))
    fields = (
        struct.pack("!q", id_to_int(device.account_id)),
        struct.pack("!q", id_to_int(device.device_id)),
        struct.pack("!q", micros),
        struct.pack("!q", micros),
        to_ewkb(at),
        struct.pack("!f", 5.0),
        struct.pack("!f", 87.0),
        b"u",
    )
    return struct.pack("!h", len(fields)) + b"".join(
        struct.pack("!i", len(field)) + field for field in fields
    )


def _ingest_seconds(
    servers: Servers, link: "psycopg.Connection[tuple[object, ...]]", fixes: Sequence[Fix]
) -> float:
    """Return the time from the publisher's first byte to the last commit, by the machine's clock."""
    messages = [_message(fix) for fix in fixes]
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(1) as pool:
        address = ("127.0.0.1", servers.broker.port, PUBLISHER, PASSWORD)
        publishing = pool.apply_async(publish_all, (*address, messages))
        _wait_for_rows(link, len(fixes))
        began, _ = publishing.get(timeout=60)
    row = link.execute(
        "SELECT extract(epoch FROM max(pg_xact_commit_timestamp(xmin)))::float8 FROM positions"
    ).fetchone()
    assert row is not None
    return float(str(row[0])) - began


def _wait_for_rows(link: "psycopg.Connection[tuple[object, ...]]", wanted: int) -> None:
    give_up_s = time.monotonic() + 120
    while True:
        row = link.execute("SELECT count(*) FROM positions").fetchone()
        if row == (wanted,):
            return
        if time.monotonic() > give_up_s:
            raise TimeoutError(f"{row} of {wanted} positions arrived within two minutes")
        time.sleep(0.2)


def _message(fix: Fix) -> tuple[str, bytes]:
    device, moment, at = fix
    body = {
        "_type": "location",
        "tid": "ab",
        "tst": int(moment.timestamp()),
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
        "created_at": int(moment.timestamp()) + 1,
    }
    return of_device("owntracks", device.device_id), json.dumps(body, separators=(",", ":")).encode()


@contextmanager
def _ingest(servers: Servers) -> Iterator[None]:
    """Run an ingest in a process of its own, from when it has subscribed."""
    spawn = multiprocessing.get_context("spawn")
    ready, stop = spawn.Event(), spawn.Event()
    arguments = (servers.database_url, servers.broker.port, ready, stop)
    process = spawn.Process(target=_run_ingest, args=arguments)
    process.start()
    try:
        if not ready.wait(60):
            raise TimeoutError("ingest did not connect within a minute")
        yield
    finally:
        stop.set()
        process.join(15)
        process.kill()


def _run_ingest(database_url: str, port: int, ready: threading.Event, stop: threading.Event) -> None:
    address = BrokerAddress(host="127.0.0.1", port=port, tls=False, username=INGEST, password=PASSWORD)
    dialects = registry.load("tracker.ingest.dialects", "DIALECT")
    ingest = Ingest(Database(database_url, pool_size=3), Sealer(PASSWORD), address, dialects, (), utc_now)
    collect_rarely()
    threading.Thread(target=_tell, args=(ingest.connected, ready), daemon=True).start()
    ingest.run(stop)


def _tell(connected: threading.Event, ready: threading.Event) -> None:
    connected.wait()
    ready.set()


BENCHMARK = IngestBenchmark()
