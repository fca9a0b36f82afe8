"""From publishing the fix that decides to the alert at an SMSC, a mail server and a push service.

`tracker ingest` and `tracker work` run as `tracker up` runs them, on private servers. People walk into and
out of a fence, a fix a second; meanwhile devices of another account publish so many positions a second. The
sinks are code of others and note when they have a message whole. The moment of a fix is that of its
publication, and the event names the fix that decided it. `stored` is the commit of the event, `planned` when
`work` took the alert up. The floors of the same run, under the same load: a bare message from a plain client
to each sink. What `work` and `ingest` used of the processor is beside it: it does not hang on other load.
"""

import multiprocessing
import re
import secrets
import statistics
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, overload

import paho.mqtt.client as mqtt
import psycopg
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from benchmarks._alert_house import (
    CHANNELS,
    WALKERS,
    Walker,
    add_walkers,
    running_parts,
    servers_for,
    settings_for,
)
from benchmarks._alert_sinks import Sinks, Taken, alert_sinks
from benchmarks._fleet import DEVICES, PASSWORD, PUBLISHER, add_family, payload, wait_for
from benchmarks._publisher import publish_paced
from benchmarks._result import Options, Result
from benchmarks._servers import Servers
from benchmarks._usage import cpu_s
from tracker.domain.geo import LatLon
from tracker.ingest.topics import of_device
from tracker.store.session import Database

RATE_PER_S = 5_000
PEOPLE = 150
ALERTS_PER_S = 5.0
FIXES_APART_S = 1.0
WAY_M = tuple(range(255, 45, -15))
"""How far north of the middle of the fence each fix of a walk lies."""
DEGREE_M = 111_195.0
BARE = 50
WARM_S, REST_S = 3.0, 30.0
PARTS = {"p50": 50, "p95": 95, "p99": 99}

Link = psycopg.Connection[tuple[object, ...]]
Message = tuple[str, bytes]


class AlertsBenchmark:
    """`tracker bench alerts`; `size` is the background, positions a second. All rounds count together."""

    name = "alerts"

    def __init__(self, walkers: int = PEOPLE) -> None:
        self._walkers = walkers

    def run(self, options: Options) -> Result:
        """Measure without background and with it, on private servers."""
        rates = (0, options.size or RATE_PER_S)
        secret_key = secrets.token_hex(32)
        seen: dict[str, list[float]] = defaultdict(list)
        bare: dict[str, list[float]] = defaultdict(list)
        counts: Counter[str] = Counter()
        busy_s: dict[str, float] = defaultdict(float)
        with (
            tempfile.TemporaryDirectory(prefix="bench-") as folder,
            servers_for(secret_key) as servers,
            alert_sinks(Path(folder)) as sinks,
            psycopg.connect(servers.database_url, autocommit=True) as link,
        ):
            settings = settings_for(servers, sinks, Path(folder), secret_key)
            walkers = add_walkers(settings, sinks, self._walkers)
            fleet = _fleet(servers)
            with running_parts(settings, servers, sinks) as pids, _signed_in(servers) as publisher:
                street = _Street(publisher, walkers, sinks, link)
                street.begin()
                for _ in range(options.rounds):
                    for rate in rates:
                        with _background(servers, fleet, rate, street.seconds) as late_s:
                            _floors(sinks, rate, bare)
                            used_s = {name: cpu_s(pid) for name, pid in pids.items()}
                            street.walk(f"{rate}_per_s", seen, counts)
                            for name, pid in pids.items():
                                busy_s[f"{name}_{rate}_per_s"] += cpu_s(pid) - used_s[name]
                        street.rest()
                        counts[f"background_{rate}_per_s_late_ms"] = max(
                            counts[f"background_{rate}_per_s_late_ms"], round(late_s[0] * 1000)
                        )
        figures = _quantiles(seen) | {label: float(value) for label, value in counts.items()}
        for rate in rates:
            alerts = max(1, counts[f"alerts_{rate}_per_s"])
            figures[f"work_{rate}_per_s_cpu_ms_an_alert"] = round(
                busy_s[f"work_{rate}_per_s"] / alerts * 1000, 1
            )
        fixes = options.rounds * self._walkers * len(WAY_M)
        figures["ingest_cpu_ms_a_watched_fix"] = round(busy_s["ingest_0_per_s"] / fixes * 1000, 2)
        floors = _quantiles(bare)
        ratios = {
            f"p99_{channel}_{rate}_per_s_to_bare": round(
                figures[f"{channel}_{rate}_per_s_p99_ms"] / floors[f"{channel}_{rate}_per_s_p99_ms"], 2
            )
            for channel in CHANNELS
            for rate in rates
        }
        return Result(name=self.name, figures=figures, floors=floors, ratios=ratios)


BENCHMARK = AlertsBenchmark()


class _Decided(NamedTuple):
    """Moments of one alert, Unix time: its deciding fix, its commit, and when `work` took it up."""

    published_s: float
    stored_s: float
    planned_s: float


class _Street:
    """The people, as they walk in or out together, and what came of it."""

    def __init__(self, publisher: mqtt.Client, walkers: Sequence[Walker], sinks: Sinks, link: Link) -> None:
        self._publisher = publisher
        self._walkers = walkers
        self._sinks = sinks
        self._link = link
        self._published: set[tuple[str, int]] = set()
        self._count = 0

    @property
    def seconds(self) -> float:
        """How long all of them walk."""
        return len(self._walkers) / ALERTS_PER_S + len(WAY_M) * FIXES_APART_S

    def begin(self) -> None:
        """Wait until the service stores, and until each channel has been used once."""
        stored = "SELECT count(*) FROM positions"

        def stores() -> bool:
            self._tell(self._walkers[0], WAY_M[0])
            return self._link.execute(stored).fetchone() != (0,)

        wait_for(stores, "the first position", every_s=0.5)
        self._walk_all(self._walkers[:1])
        self._receive(self._walkers[:1])

    def rest(self) -> None:
        """Wait until ingest has stored what waits in the broker: what comes next must not stand behind it."""
        seen: list[object] = []

        def is_still() -> bool:
            seen.append(self._link.execute("SELECT count(*) FROM positions").fetchone())
            return len(seen) > 1 and seen[-1] == seen[-2]

        wait_for(is_still, "ingest to store everything", within_s=600, every_s=2.0)

    def walk(self, label: str, seen: dict[str, list[float]], counts: Counter[str]) -> None:
        """Let everybody walk to the other side, and add up what came of it under `label`."""
        self._sinks.take()
        since = self._link.execute("SELECT clock_timestamp()").fetchone()
        self._walk_all(self._walkers)
        taken = self._receive(self._walkers)
        decided = self._decided(since)
        counts[f"alerts_{label}"] += len(decided)
        arrived: Counter[tuple[str, str]] = Counter()
        for each, name in taken:
            arrived[each.channel, name] += 1
            if name in decided:
                seen[f"{each.channel}_{label}"].append((each.at_s - decided[name].published_s) * 1000)
        for moments in decided.values():
            seen[f"stored_{label}"].append((moments.stored_s - moments.published_s) * 1000)
            seen[f"planned_{label}"].append((moments.planned_s - moments.published_s) * 1000)
        wanted = len(self._walkers) * len(CHANNELS)
        counts[f"missing_{label}"] += wanted - len(arrived)
        counts[f"twice_{label}"] += sum(arrived.values()) - len(arrived)

    def _walk_all(self, walkers: Sequence[Walker]) -> None:
        began_s = time.monotonic()
        steps = sorted(
            (order / ALERTS_PER_S + number * FIXES_APART_S, order, number)
            for order in range(len(walkers))
            for number in range(len(WAY_M))
        )
        for after_s, order, number in steps:
            time.sleep(max(0.0, began_s + after_s - time.monotonic()))
            walker = walkers[order]
            self._tell(walker, WAY_M[-1 - number] if walker.inside else WAY_M[number])
        for each in walkers:
            each.inside = not each.inside

    def _tell(self, walker: Walker, north_m: float) -> None:
        at = LatLon(lat=walker.school.lat + north_m / DEGREE_M, lon=walker.school.lon)
        now_s = round(time.time(), 6)
        self._published.add((walker.name, round(now_s * 1e6)))
        self._publisher.publish(of_device("owntracks", walker.device_id), payload(at, now_s), qos=1)

    def _receive(self, walkers: Sequence[Walker]) -> list[tuple[Taken, str]]:
        """Return what the sinks took, with whom each message names, once all is there or time is up."""
        wanted = {(channel, each.name) for channel in CHANNELS for each in walkers}
        found: list[tuple[Taken, str]] = []
        give_up_s = time.monotonic() + REST_S
        while wanted and time.monotonic() < give_up_s:
            for taken in self._sinks.take():
                name = re.search(r"\bP\d{4}\b", self._sinks.text(taken))
                if name is not None:
                    found.append((taken, name.group()))
                    wanted.discard((taken.channel, name.group()))
        return found

    def _decided(self, since: tuple[object, ...] | None) -> dict[str, _Decided]:
        rows = self._link.execute(
            "SELECT name, extract(epoch FROM decided_at)::float8,"
            " extract(epoch FROM pg_xact_commit_timestamp(events.xmin))::float8,"
            " extract(epoch FROM planned_at)::float8"
            " FROM alerts JOIN events USING (account_id, event_id)"
            " JOIN subjects USING (account_id, subject_id) WHERE told_at > %s",
            since,
        )
        found = {}
        for name, decided_s, stored_s, planned_s in rows:
            if (name, round(float(str(decided_s)) * 1e6)) not in self._published:
                raise RuntimeError(f"{name} was decided by no fix that was published")
            moments = (float(str(each)) for each in (decided_s, stored_s, planned_s))
            found[str(name)] = _Decided(*moments)
        return found


def _quantiles(values_ms: dict[str, list[float]]) -> dict[str, float]:
    found = {}
    for label, values in values_ms.items():
        cuts = statistics.quantiles(values, n=100, method="inclusive") if len(values) > 1 else values * 100
        for part, percent in PARTS.items():
            found[f"{label}_{part}_ms"] = float(f"{cuts[percent - 1]:.4g}")
    return found


def _floors(sinks: Sinks, rate: int, bare: dict[str, list[float]]) -> None:
    for channel in CHANNELS:
        bare[f"{channel}_{rate}_per_s"] += sinks.bare_ms(channel, BARE)


@contextmanager
def _signed_in(servers: Servers) -> Iterator[mqtt.Client]:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=WALKERS, protocol=MQTTProtocolVersion.MQTTv5)
    client.username_pw_set(WALKERS, PASSWORD)
    client.max_inflight_messages_set(1000)
    up = threading.Event()
    client.on_connect = lambda *_: up.set()
    client.connect("127.0.0.1", servers.broker.port)
    client.loop_start()
    if not up.wait(30):
        raise TimeoutError("the broker did not let the walkers in")
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def _fleet(servers: Servers) -> list[Message]:
    database = Database(servers.database_url)
    family = add_family(database, DEVICES)
    database.close()
    at = LatLon(lat=60.0, lon=30.0)
    body = payload(at, 0).replace(b'"tst":0', b'"tst":@')
    return [(of_device("owntracks", each.device_id), body) for each in family]


class _Again(Sequence[Message]):
    """The messages over and over, `count` in all."""

    def __init__(self, messages: Sequence[Message], count: int) -> None:
        self._messages = messages
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Message: ...
    @overload
    def __getitem__(self, index: slice) -> list[Message]: ...
    def __getitem__(self, index: int | slice) -> Message | list[Message]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(self._count))]
        return self._messages[index % len(self._messages)]


@contextmanager
def _background(
    servers: Servers, fleet: Sequence[Message], rate: int, seconds: float
) -> Iterator[list[float]]:
    """Publish so many positions a second meanwhile; the list gets how late the last one was, in seconds."""
    late_s: list[float] = []
    if not rate:
        yield late_s
        late_s.append(0.0)
        return
    address = ("127.0.0.1", servers.broker.port, PUBLISHER, PASSWORD)
    messages = _Again(fleet, round(rate * (seconds + 3 * WARM_S)))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        publishing = pool.apply_async(publish_paced, (*address, messages, rate))
        time.sleep(WARM_S)
        yield late_s
        late_s.append(publishing.get(timeout=seconds * 10 + REST_S))
