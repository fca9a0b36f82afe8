"""Sources: brokers of others that ingest reads."""

import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from tests.ingest.conftest import SECRET_KEY, add_device
from tests.kit.foreign_broker import ForeignMosquitto, HostileBroker, OldBroker
from tests.kit.places import new_folder
from tests.kit.waiting import until
from tracker.domain.clock import utc_now
from tracker.domain.ids import new_id
from tracker.domain.source import Source, SourceDetail, SourceLogin, SourceState
from tracker.ingest.origin import Origin, OriginKind
from tracker.ingest.sources import Sources
from tracker.store import sources
from tracker.store.seal import Sealer
from tracker.store.session import Database

RIGHT = "s3cret"
TOPIC = "ovms/anna/car/metric/v/b/soc"


@dataclass
class Taken:
    """What `submit` was given; committed at once unless `hold`."""

    hold: bool = False
    messages: list[tuple[Origin, str, bytes, bool]] = field(default_factory=list)
    done: list[Callable[[], None]] = field(default_factory=list)

    def submit(
        self,
        origin: Origin,
        topic: str,
        payload: bytes,
        retained: bool,
        received_at: datetime,
        done: Callable[[], None],
    ) -> None:
        assert received_at.tzinfo
        self.messages.append((origin, topic, payload, retained))
        if self.hold:
            self.done.append(done)
        else:
            done()

    def payloads(self) -> list[str]:
        return [payload.decode() for _, _, payload, _ in self.messages]


@dataclass
class Reader:
    """A `Sources` in a thread of its own."""

    database_url: str
    taken: Taken
    private_allowed: bool = True
    tls: ssl.SSLContext | None = None
    most_waiting: int = 1000

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        reader = Sources(
            Database(self.database_url, pool_size=2),
            Sealer(SECRET_KEY),
            self.taken.submit,
            utc_now,
            private_allowed=self.private_allowed,
            tls=self.tls,
            most_waiting=self.most_waiting,
        )
        self._thread = threading.Thread(target=reader.run, args=(self._stop,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(15)
        assert not self._thread.is_alive(), "sources did not stop"


@dataclass
class World:
    """A database with one account, and readers of its sources."""

    database: Database
    url: str
    readers: list[Reader] = field(default_factory=list)

    def __post_init__(self) -> None:
        with self.database.begin() as session:
            self.account_id = add_device(session).account_id

    def add(self, url: str, *, password: str = RIGHT, topics: tuple[str, ...] = ("ovms/#",)) -> Source:
        now = utc_now()
        source = Source(
            account_id=self.account_id,
            source_id=new_id(),
            name="car",
            dialect="ovms",
            url=url,
            topics=topics,
            has_credentials=True,
            paused=False,
            state=SourceState.WAITING,
            detail=SourceDetail.NONE,
            state_at=now,
            messages=0,
            last_message_at=None,
            created_at=now,
        )
        self.store(source, password, new=True)
        return source

    def store(self, source: Source, password: str = RIGHT, *, new: bool = False) -> None:
        sealed = sources.seal_login(
            Sealer(SECRET_KEY), source.source_id, SourceLogin(username="reader", password=password)
        )
        with self.database.begin() as session:
            (sources.add if new else sources.change)(session, source, credentials_sealed=sealed)

    def get(self, source: Source) -> Source:
        with self.database.begin() as session:
            return sources.get(session, source.account_id, source.source_id).source

    def read(self, taken: Taken | None = None, **options: object) -> Reader:
        reader = Reader(self.url, taken or Taken(), **options)  # type: ignore[arg-type]
        self.readers.append(reader)
        return reader

    def await_state(
        self, source: Source, state: SourceState, detail: SourceDetail = SourceDetail.NONE
    ) -> None:
        until(
            lambda: (self.get(source).state, self.get(source).detail) == (state, detail),
            f"the source to be {state} {detail}",
        )


@pytest.fixture
def world(database: Database, fresh_database: str) -> Iterator[World]:
    made = World(database, fresh_database)
    yield made
    for reader in made.readers:
        reader.stop()


@pytest.fixture
def foreign_broker() -> Iterator[ForeignMosquitto]:
    with new_folder("foreign-") as folder:
        started = ForeignMosquitto(folder)
        yield started
        started.close()


def connected(world: World, url: str, taken: Taken | None = None, **options: object) -> tuple[Source, Reader]:
    source = world.add(url)
    reader = world.read(taken, **options)
    world.await_state(source, SourceState.CONNECTED)
    return source, reader


def test_what_the_foreign_broker_carries_is_taken_in_the_account_s_name(
    world: World, foreign_broker: ForeignMosquitto
) -> None:
    foreign_broker.publish(TOPIC, "old", retain=True)
    taken = Taken()
    source, _ = connected(world, foreign_broker.url, taken)
    foreign_broker.publish(TOPIC, "79")
    foreign_broker.publish("other/topic", "not ours")
    foreign_broker.publish(TOPIC, "80", qos=0)
    until(lambda: len(taken.messages) >= 2, "both messages")
    origin = Origin(
        kind=OriginKind.SOURCE,
        account_id=world.account_id,
        origin_id=source.source_id,
        dialect="ovms",
    )
    # A replay of what was retained is no news and was not asked for.
    assert taken.messages == [(origin, TOPIC, b"79", False), (origin, TOPIC, b"80", False)]
    until(lambda: world.get(source).messages == 2, "the count")
    assert world.get(source).last_message_at


def test_what_was_not_committed_comes_again_after_the_broker_died(
    world: World, foreign_broker: ForeignMosquitto
) -> None:
    taken = Taken(hold=True)
    source, _ = connected(world, foreign_broker.url, taken)
    for number in range(3):
        foreign_broker.publish(TOPIC, str(number))
    until(lambda: len(taken.messages) == 3, "three messages")
    taken.done[0]()
    until(lambda: world.get(source).messages == 1, "the first to be counted")
    foreign_broker.kill9()
    world.await_state(source, SourceState.UNREACHABLE, SourceDetail.CONNECTION_REFUSED)
    foreign_broker.start()
    world.await_state(source, SourceState.CONNECTED)
    until(lambda: len(taken.messages) >= 5, "the uncommitted messages")
    assert taken.payloads() == ["0", "1", "2", "1", "2"]
    for done in taken.done[1:]:
        done()
    foreign_broker.publish(TOPIC, "after")
    until(lambda: "after" in taken.payloads(), "news")


def test_messages_wait_at_the_broker_while_nobody_reads(
    world: World, foreign_broker: ForeignMosquitto
) -> None:
    taken = Taken()
    _, reader = connected(world, foreign_broker.url, taken)
    reader.stop()
    world.readers.clear()
    foreign_broker.publish(TOPIC, "meanwhile")
    world.read(taken)
    until(lambda: taken.payloads() == ["meanwhile"], "what came meanwhile")


def test_reading_stops_while_too_many_wait_for_the_commit(
    world: World, foreign_broker: ForeignMosquitto
) -> None:
    taken = Taken(hold=True)
    source, _ = connected(world, foreign_broker.url, taken, most_waiting=5)
    for number in range(12):
        foreign_broker.publish(TOPIC, str(number))
    until(lambda: len(taken.messages) == 5, "five messages")
    assert world.get(source).state is SourceState.CONNECTED
    while len(taken.done) < 12:
        waiting, taken.done[:] = len(taken.messages), [each() or each for each in taken.done]
        until(lambda: len(taken.messages) > waiting, "more messages")  # noqa: B023
    assert taken.payloads() == [str(number) for number in range(12)]


def test_a_wrong_password_is_told_and_a_right_one_works_at_once(
    world: World, foreign_broker: ForeignMosquitto
) -> None:
    source = world.add(foreign_broker.url, password="wrong")
    world.read()
    world.await_state(source, SourceState.REFUSED, SourceDetail.LOGIN_REFUSED)
    world.store(replace(source, state_at=utc_now()))
    world.await_state(source, SourceState.CONNECTED)


def test_a_private_address_is_never_called_unless_the_deployment_allows_it(
    world: World, foreign_broker: ForeignMosquitto
) -> None:
    by_number = world.add(foreign_broker.url)
    by_name = world.add(f"mqtt://localhost:{foreign_broker.port}")
    calls = foreign_broker.log.count("New connection")
    world.read(private_allowed=False)
    for source in (by_number, by_name):
        world.await_state(source, SourceState.FORBIDDEN, SourceDetail.PRIVATE_ADDRESS)
    assert foreign_broker.log.count("New connection") == calls


def test_a_host_without_an_address_is_unreachable(world: World) -> None:
    source = world.add("mqtt://no-such-host.invalid")
    world.read()
    world.await_state(source, SourceState.UNREACHABLE, SourceDetail.NO_SUCH_HOST)


@pytest.mark.parametrize("says_so", [True, False])
def test_a_broker_that_knows_no_mqtt_5_is_spoken_to_in_3_1_1(
    world: World, foreign_broker: ForeignMosquitto, says_so: bool
) -> None:
    old = OldBroker(foreign_broker.port, says_so=says_so)
    foreign_broker.publish(TOPIC, "old", retain=True)
    taken = Taken()
    connected(world, f"mqtt://127.0.0.1:{old.port}", taken)
    foreign_broker.publish(TOPIC, "news")
    until(lambda: len(taken.messages) == 2, "both messages")
    old.close()
    assert old.levels == [5, 4]
    # 3.1.1 cannot ask to be spared the retained ones: they are marked.
    assert [(payload, retained) for _, _, payload, retained in taken.messages] == [
        (b"old", True),
        (b"news", False),
    ]


SAID = (
    b"GET / HTTP/1.1\r\n\r\n",
    b"\xff\xff\xff\xff\xff\xff",
    b"\x30\x02\xff\xff",  # a message whose topic is longer than the message
    b"\x32\x05\x00\x03abc",  # no room for the packet id
    b"\x30\x06\x00\x01a\x05\x99\x00",  # a property that does not exist
    b"\x90\x01\x00",
    b"\x40\x01\x00",
    b"\xe0\x02\x99\x05",
)


def test_whatever_a_broker_says_it_is_tried_again(world: World) -> None:
    hostile = [HostileBroker(said) for said in SAID]
    hostile += [
        HostileBroker(said, before=True) for said in (b"\xff\xff\xff\xff\xff\xff", b"\xe0\x02\x99\x05")
    ]
    for each in hostile:
        world.add(f"mqtt://127.0.0.1:{each.port}")
    world.read()
    # The second visit may be in the older version; the third is another try.
    until(lambda: min(each.visits for each in hostile) >= 3, "each to be tried again", timeout_s=60)
    for each in hostile:
        each.close()


def test_a_message_too_large_to_take_ends_the_connection_before_it_is_read(world: World) -> None:
    hostile = HostileBroker(b"\x30\xff\xff\xff\x7f" + b"x" * 100_000)  # 256 MiB are announced
    source = world.add(f"mqtt://127.0.0.1:{hostile.port}")
    world.read()
    world.await_state(source, SourceState.REFUSED, SourceDetail.MESSAGE_TOO_LARGE)
    hostile.close()


def test_the_owner_pauses_goes_on_changes_topics_and_removes(
    world: World, foreign_broker: ForeignMosquitto
) -> None:
    taken = Taken()
    source, _ = connected(world, foreign_broker.url, taken)

    def signed_off() -> int:
        return foreign_broker.log.count(f"DISCONNECT from ryadom-{source.source_id}")

    world.store(replace(source, paused=True, detail=SourceDetail.PAUSED, state_at=utc_now()))
    until(lambda: signed_off() == 1, "the reader to leave")
    foreign_broker.publish(TOPIC, "while paused")
    source = replace(source, topics=("other/+",), state_at=utc_now())
    world.store(source)
    world.await_state(source, SourceState.CONNECTED)
    foreign_broker.publish(TOPIC, "no topic of ours now")
    foreign_broker.publish("other/topic", "ours")
    until(lambda: "ours" in taken.payloads(), "the new topic")
    assert taken.payloads() == ["ours"]
    with world.database.begin() as session:
        sources.remove(session, source.account_id, source.source_id)
    until(lambda: signed_off() == 2, "the reader to leave for good")


def test_two_processes_never_read_one_source_and_the_other_goes_on_when_one_ends(
    world: World, foreign_broker: ForeignMosquitto
) -> None:
    first, second = Taken(), Taken()
    source, reader = connected(world, foreign_broker.url, first)
    world.read(second)
    foreign_broker.publish(TOPIC, "1")
    until(lambda: first.payloads() == ["1"], "the first reader")
    reader.stop()
    world.readers.remove(reader)
    foreign_broker.publish(TOPIC, "2")
    until(lambda: second.payloads() == ["2"], "the second reader")
    assert first.payloads() == ["1"]
    world.await_state(source, SourceState.CONNECTED)


def test_nothing_is_lost_when_another_process_takes_a_source_over(
    world: World, foreign_broker: ForeignMosquitto
) -> None:
    taken = Taken()
    source, _ = connected(world, foreign_broker.url, taken)

    def hold(holder: str | None) -> None:
        until_at = utc_now() + timedelta(hours=1) if holder else None
        with world.database.begin() as session:
            session.execute(
                update(sources.sources)
                .where(sources.sources.c.source_id == source.source_id)
                .values(holder=holder, held_until=until_at)
            )
            session.execute(select(func.pg_notify(sources.SOURCES_CHANNEL, "")))

    hold("another process")
    until(
        lambda: foreign_broker.log.count(f"DISCONNECT from ryadom-{source.source_id}") == 1,
        "the old holder to leave",
    )
    foreign_broker.publish(TOPIC, "in between")
    hold(None)
    until(lambda: taken.payloads() == ["in between"], "what came in between")


def test_a_certificate_must_be_the_host_s_and_of_a_known_signer(world: World) -> None:
    with new_folder("foreign-") as folder:
        broker = ForeignMosquitto(folder, certificate_for="127.0.0.1")
        try:
            known = ssl.create_default_context(cafile=str(folder / "cert.pem"))
            right = world.add(broker.url)
            other_name = world.add(f"mqtts://localhost:{broker.port}")
            plain_port = world.add(broker.url)
            trusting = world.read(tls=known)
            world.await_state(right, SourceState.CONNECTED)
            world.await_state(other_name, SourceState.UNREACHABLE, SourceDetail.CERTIFICATE)
            trusting.stop()
            world.readers.clear()
            world.read()
            world.await_state(plain_port, SourceState.UNREACHABLE, SourceDetail.CERTIFICATE)
        finally:
            broker.close()
