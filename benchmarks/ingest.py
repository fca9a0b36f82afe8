"""Positions a second from the publisher's socket to the commit, beside plain COPY into the same table.

Publisher, broker, database and service share this machine. A round is one COPY of the positions, packed
beforehand, in transactions of 1,000; then the same number through broker, decoder and writer; then the same
again with storage switched off in the same process; the table is emptied before each. If the peer is there
(script/peer-recorder) its round follows. What counts is the ratio within a round; medians of the rounds are
given. On a machine that does other work as well, the processor time a position is the steadier figure.
"""

import multiprocessing
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg

from benchmarks import _recorder
from benchmarks._fleet import (
    PASSWORD,
    PUBLISHER,
    Fix,
    Running,
    fixes_of,
    message,
    running_ingest,
    servers_with_family,
    wait_for,
)
from benchmarks._publisher import publish_all
from benchmarks._result import Options, Result, median
from benchmarks._servers import Servers
from benchmarks._usage import cpu_s, parent, peak_memory_mb
from tracker.domain.device import Device
from tracker.store.geo import to_ewkb
from tracker.store.schema import id_to_int

POSITIONS = 20_000
PEER_POSITIONS = 2_000
COPY_BATCH = 1_000
EPOCH_2000 = datetime(2000, 1, 1, tzinfo=UTC)
COLUMNS = "account_id, device_id, recorded_at, received_at, geom, accuracy_m, battery_pct, trigger"

Link = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True, kw_only=True)
class Round:
    """One round: positions a second of each way, and processor time of the second, microseconds each."""

    copy_per_s: float
    ingest_per_s: float
    unstored_per_s: float
    peer_per_s: float | None
    ingest_us: float
    postgres_us: float
    broker_us: float


class IngestBenchmark:
    """`tracker bench ingest`."""

    name = "ingest"

    def run(self, options: Options) -> Result:
        """Measure on private servers."""
        size = options.size or POSITIONS
        with (
            servers_with_family() as (servers, family),
            psycopg.connect(servers.database_url, autocommit=True) as link,
            running_ingest(servers) as ingest,
        ):
            rounds = [_round(servers, link, ingest, family, size) for _ in range(options.rounds)]
            figures = {
                "bytes_per_position": _bytes_per_position(link),
                "ingest_peak_memory_mb": peak_memory_mb(ingest.pid),
            }
        return _result(rounds, figures)


def _result(rounds: Sequence[Round], figures: dict[str, float]) -> Result:
    def middle(of: Callable[[Round], float]) -> float:
        return median([of(each) for each in rounds])

    figures = {
        "positions_per_s": middle(lambda each: each.ingest_per_s),
        "ingest_cpu_us_per_position": middle(lambda each: each.ingest_us),
        "postgres_cpu_us_per_position": middle(lambda each: each.postgres_us),
        "broker_cpu_us_per_position": middle(lambda each: each.broker_us),
    } | figures
    floors = {
        "copy_positions_per_s": middle(lambda each: each.copy_per_s),
        "unstored_positions_per_s": middle(lambda each: each.unstored_per_s),
    }
    ratios = {
        "positions_to_copy": middle(lambda each: each.ingest_per_s / each.copy_per_s),
        "positions_to_unstored": middle(lambda each: each.ingest_per_s / each.unstored_per_s),
    }
    peers = [each for each in rounds if each.peer_per_s]
    if peers:
        floors["recorder_positions_per_s"] = median([each.peer_per_s or 0 for each in peers])
        ratios["positions_to_recorder"] = median(
            [each.ingest_per_s / each.peer_per_s for each in peers if each.peer_per_s]
        )
    return Result(name="ingest", figures=figures, floors=floors, ratios=ratios)


def _round(servers: Servers, link: Link, ingest: Running, family: Sequence[Device], size: int) -> Round:
    fixes = fixes_of(family, size)
    messages = [message(fix) for fix in fixes]
    empty(link)
    copy_s = _copy_seconds(link, fixes)
    empty(link)
    pids = ingest.pid, parent(link.info.backend_pid), _broker_pid(servers)
    before = [cpu_s(pid) for pid in pids]
    ingest_s = _ingest_seconds(servers, link, messages)
    used = [(cpu_s(pid) - begun) / size * 1e6 for pid, begun in zip(pids, before, strict=True)]
    unstored_s = _unstored_seconds(servers, ingest, messages)
    return Round(
        copy_per_s=size / copy_s,
        ingest_per_s=size / ingest_s,
        unstored_per_s=size / unstored_s,
        peer_per_s=_recorder.positions_per_s(servers, messages[:PEER_POSITIONS]),
        ingest_us=used[0],
        postgres_us=used[1],
        broker_us=used[2],
    )


def _broker_pid(servers: Servers) -> int:
    return int((servers.broker.folder / "mosquitto.pid").read_text())


def empty(link: Link) -> None:
    """Remove every position."""
    link.execute("TRUNCATE positions, last_positions")
    link.execute("CHECKPOINT" if link.info.user == "postgres" else "SELECT 1")


def _copy_seconds(link: Link, fixes: Sequence[Fix]) -> float:
    chunks = [copy_chunk(fixes[at : at + COPY_BATCH]) for at in range(0, len(fixes), COPY_BATCH)]
    began_s = time.perf_counter()
    for chunk in chunks:
        copy_rows(link, chunk)
    return time.perf_counter() - began_s


def copy_chunk(fixes: Sequence[Fix]) -> bytes:
    """Return the COPY stream of fixes."""
    return _HEADER + b"".join(map(_packed, fixes)) + _TRAILER


def copy_rows(link: Link, chunk: bytes) -> None:
    """Store what `copy_chunk` made, in a transaction of its own."""
    with (
        link.cursor() as cursor,
        cursor.copy(f"COPY positions ({COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.write(chunk)


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


def _publishing(
    servers: Servers, messages: Sequence[tuple[str, bytes]], wait: Callable[[], None]
) -> tuple[float, float]:
    """Publish from a process of its own and wait; return when the first was sent, the last acknowledged."""
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(1) as pool:
        address = ("127.0.0.1", servers.broker.port, PUBLISHER, PASSWORD)
        publishing = pool.apply_async(publish_all, (*address, messages))
        wait()
        return publishing.get(timeout=60)


def _ingest_seconds(servers: Servers, link: Link, messages: Sequence[tuple[str, bytes]]) -> float:
    """Return the time from the publisher's first byte to the last commit, by the machine's clock."""
    began, _ = _publishing(
        servers, messages, lambda: wait_for(lambda: _stored(link) == len(messages), "the positions")
    )
    return (
        _number(link, "SELECT extract(epoch FROM max(pg_xact_commit_timestamp(xmin))) FROM positions") - began
    )


def _unstored_seconds(servers: Servers, ingest: Running, messages: Sequence[tuple[str, bytes]]) -> float:
    """Return the time from the publisher's first byte until the last message was decoded."""
    ingest.passed.value = 0
    ingest.stores.clear()
    ended = 0.0

    def wait() -> None:
        nonlocal ended
        wait_for(lambda: ingest.passed.value >= len(messages), "the messages", every_s=0.002)
        ended = time.time()

    try:
        began, _ = _publishing(servers, messages, wait)
    finally:
        ingest.stores.set()
    return ended - began


def _stored(link: Link) -> int:
    return int(_number(link, "SELECT count(*) FROM positions"))


def _bytes_per_position(link: Link) -> float:
    partitions = "SELECT inhrelid FROM pg_inherits WHERE inhparent = 'positions'::regclass"
    size = f"SELECT sum(pg_total_relation_size(inhrelid)) FROM ({partitions}) AS each"  # noqa: S608 - no input
    return round(_number(link, size) / _stored(link), 1)


def _number(link: Link, query: str) -> float:
    row = link.execute(query).fetchone()
    assert row is not None
    return float(str(row[0]))


BENCHMARK = IngestBenchmark()
