"""A family with devices, and an ingest that runs against real servers."""

import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry

from tests.kit.broker import TestBroker
from tests.kit.waiting import until
from tracker import registry
from tracker.domain.clock import utc_now
from tracker.domain.device import Device
from tracker.domain.ids import new_id
from tracker.domain.subject import Subject, SubjectKind
from tracker.ingest.client import BrokerAddress
from tracker.ingest.service import Ingest, Watch
from tracker.store import accounts, devices, subjects
from tracker.store.seal import Sealer
from tracker.store.session import Database, Session

Start = Callable[..., "RunningIngest"]
SECRET_KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def sealer() -> Sealer:
    return Sealer(SECRET_KEY)


def add_device(session: Session, *, sealed_key: bytes | None = None, device_id: str | None = None) -> Device:
    """Store an account of its own with one subject and one device."""
    now = utc_now()
    phone = f"+79{secrets.randbelow(10**9):09d}"
    account = accounts.open_account(session, phone=phone, locale="ru", region="RU", now=now)
    subject = Subject(
        account_id=account.account_id, subject_id=new_id(), kind=SubjectKind.PET, name="Rex", created_at=now
    )
    subjects.add(session, subject)
    device = Device(
        account_id=account.account_id,
        device_id=device_id or new_id(),
        subject_id=subject.subject_id,
        name="collar",
        dialect="native",
        external_id=None,
        created_at=now,
    )
    devices.add(session, device, mqtt_password_hash="$7$x", payload_key_sealed=sealed_key)
    return device


def slot_address(broker: TestBroker, number: int) -> BrokerAddress:
    """The broker as the user of one slot."""
    user = f"svc-ingest-{number}"
    return BrokerAddress(
        host="127.0.0.1", port=broker.port, tls=False, username=user, password=broker.password(user)
    )


@dataclass
class RunningIngest:
    """An ingest in a thread of this process."""

    database_url: str
    broker: TestBroker
    watch: Watch | None = None
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    slots: int = 1

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self.ingest = Ingest(
            Database(self.database_url, pool_size=3),
            Sealer(SECRET_KEY),
            [slot_address(self.broker, number) for number in range(self.slots)],
            registry.load("tracker.ingest.dialects", "DIALECT"),
            utc_now,
            registry=self.registry,
            watch=self.watch,
        )
        self._thread = threading.Thread(target=self.ingest.run, args=(self._stop,), daemon=True)
        self._thread.start()

    def counted(self, name: str, **labels: str) -> float:
        """The value of a metric, 0 if nothing was counted."""
        return self.registry.get_sample_value(f"tracker_ingest_{name}", labels) or 0.0

    def stop(self) -> None:
        """Ask it to stop and wait until it has."""
        self._stop.set()
        self._thread.join(timeout=10)
        assert not self._thread.is_alive(), "ingest did not stop within 10 s"


@pytest.fixture
def start_ingest(fresh_database: str, broker: TestBroker) -> Iterator[Start]:
    """Start an ingest on `fresh_database` and `broker`; stopped after the test."""
    running: list[RunningIngest] = []

    def start(watch: Watch | None = None) -> RunningIngest:
        ingest = RunningIngest(fresh_database, broker, watch)
        running.append(ingest)
        until(ingest.ingest.connected.is_set, "ingest to subscribe")
        return ingest

    yield start
    for ingest in running:
        ingest.stop()
