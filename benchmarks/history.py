"""One device's day by HTTP, positions and trips, beside the bare SQL fetch of the same rows; and its year.

`tracker web` runs as a process of its own on a private database with `--size` positions (1,000,000 unless
said) of many devices, stored in the order of arrival, and a year of minutes of one more. The time is the
client's, from the request's first byte to the answer's last over a kept loopback connection, everything
warm: sign-in check, reading, outlier marks, encoding.
"""

import http.client
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import quote

import psycopg

from benchmarks._result import Options, Result, median
from benchmarks._servers import ENVIRONMENT, private_servers
from tracker.domain.account import SessionKind, SessionLevel, SignedSession
from tracker.domain.clock import utc_now
from tracker.domain.device import Device
from tracker.domain.ids import new_id
from tracker.domain.subject import Subject, SubjectKind
from tracker.local.ports import free_port
from tracker.local.supervise import die_with_parent
from tracker.store import accounts, devices, positions, sessions, subjects
from tracker.store.schema import id_to_int
from tracker.store.seal import token_hash
from tracker.store.session import Database

ROWS = 1_000_000
DAYS = 7
MINUTES_A_DAY = 1440
DENSE_A_DAY = 8640
YEAR_DAYS = 365
REQUESTS = 15

_FILL = """
INSERT INTO positions (account_id, device_id, recorded_at, received_at, geom, accuracy_m, altitude_m,
  speed_mps, course_deg, battery_pct, trigger)
SELECT %(account)s, device, %(start)s + step * %(every)s, %(start)s + step * %(every)s,
  ST_SetSRID(ST_MakePoint(24.9 + 0.02 * sin(step / 40.0 + device %% 97), 60.17 + 0.01 * cos(step / 60.0)),
    4326), 8, 12.5, 1.2, 90, 80, 'u'
FROM generate_series(0, %(steps)s - 1) AS step, unnest(%(devices)s::bigint[]) AS device
"""
_DAY = """
SELECT recorded_at, ST_X(geom), ST_Y(geom), accuracy_m, altitude_m, speed_mps, course_deg, battery_pct,
  charging, ignition, trigger, satellites, hdop, odometer_m FROM positions
WHERE account_id = %s AND device_id = %s AND recorded_at >= %s AND recorded_at < %s ORDER BY recorded_at
"""


class HistoryBenchmark:
    """`tracker bench history`."""

    name = "history"

    def run(self, options: Options) -> Result:
        """Measure on private servers."""
        with private_servers("", "") as servers, _web(servers.database_url) as port:
            home = _Home(servers.database_url, options.size or ROWS)
            rounds = [home.measure(port) for _ in range(options.rounds)]
        told = {name: median([each[name] for each in rounds]) for name in rounds[0]}
        figures = {name: value for name, value in told.items() if not name.startswith("sql_")}
        floors = {name: value for name, value in told.items() if name.startswith("sql_")}
        ratios = {
            f"day_{count}_to_sql": median(
                [each[f"day_{count}_points_ms"] / each[f"sql_{count}_points_ms"] for each in rounds]
            )
            for count in (MINUTES_A_DAY, DENSE_A_DAY)
        }
        figures["stored_positions"] = float(home.rows)
        return Result(name=self.name, figures=figures, floors=floors, ratios=ratios)


class _Home:
    """A family with many devices that tell a minute each for a week, and one that tells every ten seconds."""

    def __init__(self, database_url: str, rows: int) -> None:
        self.url = database_url
        self.token = secrets.token_urlsafe(32)
        self.start = (utc_now() - timedelta(days=DAYS + 1)).replace(hour=0, minute=0, second=0, microsecond=0)
        self.day = self.start + timedelta(days=DAYS // 2)
        database = Database(database_url)
        count = max(1, rows // (DAYS * MINUTES_A_DAY))
        with database.begin() as session:
            account = accounts.open_account(
                session, phone="+79990000000", locale="ru", region="RU", now=utc_now()
            )
            self.account_id = account.account_id
            sessions.add(session, self._signed(), token_hash(self.token))
            self.placed = []
            for number in range(count + 2):
                subject = Subject(
                    account_id=self.account_id,
                    subject_id=new_id(),
                    kind=SubjectKind.CHILD,
                    name=str(number),
                    created_at=utc_now(),
                )
                subjects.add(session, subject)
                device = Device(
                    account_id=self.account_id,
                    device_id=new_id(),
                    subject_id=subject.subject_id,
                    name=str(number),
                    dialect="native",
                    external_id=None,
                    created_at=utc_now(),
                )
                devices.add(session, device, mqtt_password_hash="-", payload_key_sealed=None)  # noqa: S106
                self.placed.append(device)
            self.year = self.start - timedelta(days=YEAR_DAYS - DAYS)
            weeks = {positions.week_of(self.year + timedelta(days=day)) for day in range(YEAR_DAYS + 1)}
            positions.ensure_partitions(session, weeks)
        database.close()
        with psycopg.connect(database_url, autocommit=True) as link:
            self._fill(link, self.placed[1:-1], timedelta(minutes=1), DAYS * MINUTES_A_DAY)
            self._fill(link, self.placed[:1], timedelta(seconds=10), DAYS * DENSE_A_DAY)
            self._fill(
                link, self.placed[-1:], timedelta(minutes=1), YEAR_DAYS * MINUTES_A_DAY, start=self.year
            )
            # As autovacuum leaves what is no longer written to.
            link.execute("VACUUM (ANALYZE) positions")
            (self.rows,) = link.execute("SELECT count(*) FROM positions").fetchone() or (0,)

    def _signed(self) -> SignedSession:
        now = utc_now()
        return SignedSession(
            account_id=self.account_id,
            session_id=new_id(),
            kind=SessionKind.BEARER,
            level=SessionLevel.SMS,
            name="bench",
            created_at=now,
            last_seen_at=now,
            expires_at=now + timedelta(days=1),
            proved_at=now,
        )

    def _fill(
        self,
        link: "psycopg.Connection[tuple[int]]",
        of: list[Device],
        every: timedelta,
        steps: int,
        start: datetime | None = None,
    ) -> None:
        given = {
            "account": id_to_int(self.account_id),
            "devices": [id_to_int(device.device_id) for device in of],
            "start": start or self.start,
            "every": every,
            "steps": steps,
        }
        link.execute(_FILL, given)

    def measure(self, port: int) -> dict[str, float]:
        """Return the medians of one round in milliseconds; floors begin with `sql_`."""
        told: dict[str, float] = {}
        for device, count in ((self.placed[1], MINUTES_A_DAY), (self.placed[0], DENSE_A_DAY)):
            query = (
                f"subject_id={device.subject_id}&from={_rfc3339(self.day)}"
                f"&to={_rfc3339(self.day + timedelta(days=1))}"
            )
            with psycopg.connect(self.url) as link:
                told[f"sql_{count}_points_ms"] = _median_ms(partial(self._fetch, link, device, count))
            connection = http.client.HTTPConnection("127.0.0.1", port)
            for name, path in (
                (f"day_{count}_points_ms", f"/api/v1/positions?limit=10000&{query}"),
                (f"trips_of_{count}_points_ms", f"/api/v1/trips?{query}"),
            ):
                told[name] = _median_ms(partial(self._get, connection, path))
            connection.close()
        connection = http.client.HTTPConnection("127.0.0.1", port)
        query = (
            f"subject_id={self.placed[-1].subject_id}&tz=Europe/Moscow&limit=1000"
            f"&from={_rfc3339(self.year)}&to={_rfc3339(self.year + timedelta(days=YEAR_DAYS))}"
        )
        told["days_of_a_year_ms"] = _median_ms(partial(self._get, connection, f"/api/v1/days?{query}"))
        connection.close()
        return told

    def _fetch(self, link: "psycopg.Connection[tuple[object, ...]]", device: Device, count: int) -> None:
        given = (id_to_int(self.account_id), id_to_int(device.device_id), self.day)
        rows = link.execute(_DAY, (*given, self.day + timedelta(days=1))).fetchall()
        assert len(rows) == count

    def _get(self, connection: http.client.HTTPConnection, path: str) -> None:
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body[:300]


def _median_ms(act: Callable[[], None]) -> float:
    act()
    took_s = []
    for _ in range(REQUESTS):
        began_s = time.perf_counter()
        act()
        took_s.append(time.perf_counter() - began_s)
    return statistics.median(took_s) * 1000


def _rfc3339(moment: datetime) -> str:
    return quote(moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


@contextmanager
def _web(database_url: str) -> Iterator[int]:
    """Run the web server; give its port."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="bench-web-") as folder:
        settings = {
            "TRACKER_DATA_DIR": folder,
            "TRACKER_HTTP": f"127.0.0.1:{port}",
            "TRACKER_DATABASE_URL": database_url,
            "TRACKER_BROKER_URL": "mqtt://127.0.0.1:1",
            "TRACKER_SECRET_KEY": secrets.token_hex(16),
            "TRACKER_LOG": "warning",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "tracker", "web"],
            env={**ENVIRONMENT, **settings},
            stdin=subprocess.DEVNULL,
            preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509
        )
        try:
            _wait_for(port, process)
            yield port
        finally:
            process.terminate()
            process.wait(20)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    give_up_s = time.monotonic() + 60
    while time.monotonic() < give_up_s and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise TimeoutError("the web server did not answer within a minute")


BENCHMARK = HistoryBenchmark()
