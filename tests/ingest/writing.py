"""A writer on a database, without broker and reader."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry
from sqlalchemy import text

from tests.ingest.conftest import add_device
from tracker import registry
from tracker.domain.device import Device
from tracker.domain.position import Placed
from tracker.ingest.arrived import Arrived
from tracker.ingest.metrics import IngestMetrics
from tracker.ingest.outbound import Ack
from tracker.ingest.prepare import Preparer
from tracker.ingest.topics import of_device
from tracker.ingest.writer import Watch, Writer
from tracker.store.seal import Sealer
from tracker.store.session import Database, Session

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
BEGIN = int(NOW.timestamp()) - 3600


Consume = Callable[[Session, Sequence[Placed], datetime], None]


def watch_of(consume: Consume) -> Watch:
    """Tell of positions alone, when there are any."""

    def watch(session: Session, placed: Sequence[Placed], _heard: object, now: datetime) -> None:
        if placed:
            consume(session, placed, now)

    return watch


class Bench:
    """A writer on a database of its own with one device."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self.database = database
        self.sealer = sealer
        self.metrics = CollectorRegistry()
        self.told: list[list[Placed]] = []
        with database.begin() as session:
            self.device = add_device(session)
        self.writer = self.writer_with(lambda _session, placed, _now: self.told.append(list(placed)))

    def writer_with(self, consume: Consume) -> Writer:
        self.metrics = CollectorRegistry()
        dialects = registry.load("tracker.ingest.dialects", "DIALECT")
        self.preparer = Preparer(dialects)
        metrics = IngestMetrics(self.metrics)
        return Writer(self.database, self.sealer, dialects, metrics, watch=watch_of(consume))

    def arrived(self, payload: object, *rest: str, device: Device | str | None = None) -> Arrived:
        device_id = device.device_id if isinstance(device, Device) else device or self.device.device_id
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return Arrived(1, 1, of_device("tracker", device_id, *(rest or ("position",))), body, NOW)

    def write(self, *messages: Arrived, now: datetime = NOW) -> list[Ack]:
        return self.writer.write([self.preparer.prepare(each) for each in messages], now)[0]

    def rows(self, query: str) -> Sequence[Any]:
        with self.database.begin() as session:
            return session.execute(text(query)).all()

    def one(self, query: str) -> Any:
        with self.database.begin() as session:
            return session.execute(text(query)).scalar()

    def counted(self, name: str, **labels: str) -> float:
        return self.metrics.get_sample_value(f"tracker_ingest_{name}", labels) or 0.0
