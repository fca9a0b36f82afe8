"""The one place that builds the parts, joins them and puts them in order."""

import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
import structlog
from prometheus_client import CollectorRegistry

from tracker import registry
from tracker.accounts.contacts import Contacts
from tracker.accounts.family import Family, MqttEndpoint
from tracker.accounts.gateways import Gateways
from tracker.accounts.hashing import CodeHasher
from tracker.accounts.policy import SignInPolicy
from tracker.accounts.service import Accounts
from tracker.domain.broker_password import password_hash
from tracker.domain.clock import Clock, utc_now
from tracker.domain.command import SIGNED_FOR
from tracker.domain.errors import Misconfigured, Unavailable
from tracker.domain.rule import RuleKind
from tracker.geofence import heartbeat, schedule_json
from tracker.geofence.places import Places
from tracker.geofence.ruling import Ruling
from tracker.geofence.service import Watcher
from tracker.geofence.ticker import Ticker
from tracker.history.import_worker import ImportWorker
from tracker.history.uploads import Uploads
from tracker.ingest.client import BrokerAddress
from tracker.ingest.drop_watch import DropWatch
from tracker.ingest.intake import Intake
from tracker.ingest.metrics import IngestMetrics
from tracker.ingest.prepare import Preparer
from tracker.ingest.provision import NOTIFIER, Provisioner
from tracker.ingest.service import Ingest, collect_rarely
from tracker.ingest.sources import Sources
from tracker.ingest.writer import Writer
from tracker.notify.acknowledging import Alerts
from tracker.notify.alerting import Alerting
from tracker.notify.channels._channel import Channel
from tracker.notify.channels._push_message import VapidKey
from tracker.notify.channels.email import EmailChannel
from tracker.notify.channels.mqtt import BrokerLogin, MqttChannel
from tracker.notify.channels.sms import SmsChannel
from tracker.notify.channels.webpush import WebPushChannel
from tracker.notify.dispatch import Dispatcher
from tracker.notify.links import Links
from tracker.notify.transports._sender import Receipt
from tracker.settings import Settings
from tracker.store import housekeeping
from tracker.store import migrate as schema
from tracker.store.seal import Sealer
from tracker.store.session import Database
from tracker.watch.chasing import Chases

INGEST_USERS = tuple(f"svc-ingest-{number}" for number in range(4))
MONITOR_USER = "svc-monitor"
WATCH_USER = "svc-watch"
HOUSEKEEPING_EVERY = timedelta(minutes=10)
IMPORTS_AT_ONCE = 2
CHANNELS = ("sms", "email", "webpush", "mqtt")
"""Ways to reach a person."""
DISPATCH_CONNECTIONS = 8
"""One for each lane, one to listen by, and those of messages that are being settled."""

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the web server and the commands work with."""

    settings: Settings
    database: Database
    sealer: Sealer
    accounts: Accounts
    family: Family
    gateways: Gateways
    geofences: Places
    rules: Ruling
    alerts: Alerts
    contacts: Contacts
    clock: Clock

    @property
    def push_key(self) -> str:
        """The public key (VAPID) that browsers subscribe with."""
        return vapid_key(self.settings).public


def secret_key(settings: Settings) -> str:
    """Return the deployment's secret key; without a setting, the one kept in the data folder, made once.

    Raises:
        Misconfigured: the key file is readable by others.
    """
    if settings.secret_key:
        return settings.secret_key
    path = settings.data_dir / "keys" / "secret"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        _write_once(path, os.urandom(32).hex())
    if path.stat().st_mode & 0o077:
        raise Misconfigured(f"{path} must be readable by its owner only: chmod 600")
    return path.read_text().strip()


def _write_once(path: Path, text: str) -> None:
    """Make a file whole or not at all; the first of two racing processes wins."""
    draft = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    finally:
        draft.unlink()


def database(settings: Settings, *, pool_size: int = 5) -> Database:
    """Return the database of the settings.

    Raises:
        Misconfigured: none is named.
    """
    if not settings.database_url:
        raise Misconfigured("TRACKER_DATABASE_URL: set it, or start the private server with `tracker up`")
    return Database(settings.database_url, pool_size=pool_size)


def build(settings: Settings, *, pool_size: int = 5, clock: Clock = utc_now) -> Services:
    """Return the services of one process.

    Raises:
        Misconfigured: a setting is missing or wrong.
    """
    sealer = Sealer(secret_key(settings))
    public = urlsplit(settings.mqtt_public)
    tls = public.scheme == "mqtts"
    mqtt = MqttEndpoint(host=public.hostname or "", port=public.port or (8883 if tls else 1883), tls=tls)
    dialects = registry.load("tracker.ingest.dialects", "DIALECT")
    family = Family(sealer, mqtt, dialects)
    # A native device speaks for itself alone: its messages name nobody.
    topics = {name: each.topics for name, each in dialects.items() if name != "native"}
    policy = SignInPolicy(
        sender=settings.sms_from,
        regions=frozenset(settings.sms_regions.replace(" ", "").upper().split(",")),
        sms_per_hour=settings.sms_per_hour,
        host=urlsplit(settings.public_url).hostname or "",
    )
    places = Places(registry.load("tracker.geofence.shapes", "SHAPE"))
    return Services(
        settings=settings,
        database=database(settings, pool_size=pool_size),
        sealer=sealer,
        accounts=Accounts(sealer, CodeHasher(sealer), policy),
        family=family,
        gateways=Gateways(sealer, mqtt, family, topics, private_sources=settings.private_sources),
        geofences=places,
        rules=Ruling(rule_kinds(), places, CHANNELS),
        alerts=Alerts(sealer, public_url=settings.public_url),
        contacts=Contacts(sealer, policy, CHANNELS, partial(schedule_json.read, at="quiet")),
        clock=clock,
    )


def rule_kinds() -> Mapping[str, RuleKind]:
    """Return the kinds of rules by name, those about places and the others."""
    return {
        **registry.load("tracker.geofence.rules", "RULE"),
        **registry.load("tracker.watch.rules", "RULE"),
    }


def watcher(*, beats_as: str | None = None) -> Watcher:
    """Return what folds fences and rules, one for all threads; `beats_as` names the process' heartbeat."""
    return Watcher(registry.load("tracker.geofence.shapes", "SHAPE"), rule_kinds(), beats_as=beats_as)


def intake(services: Services) -> Intake:
    """Return what takes the messages of devices that come over HTTP."""
    dialects = registry.load("tracker.ingest.dialects", "DIALECT")
    writer = Writer(
        services.database,
        services.sealer,
        dialects,
        IngestMetrics(CollectorRegistry()),
        watch=watcher().take,
    )
    return Intake(Preparer(dialects), writer, services.clock)


def broker_address(settings: Settings, user: str) -> BrokerAddress:
    """Return where and as whom a service signs in to the broker.

    A broker URL without a user takes `user` and the password derived from the secret key, which is the
    one the provisioner writes.

    Raises:
        Misconfigured: no broker is named.
    """
    if not settings.broker_url:
        raise Misconfigured("TRACKER_BROKER_URL: set it, or start the private broker with `tracker up`")
    url = urlsplit(settings.broker_url)
    tls = url.scheme == "mqtts"
    return BrokerAddress(
        host=url.hostname or "",
        port=url.port or (8883 if tls else 1883),
        tls=tls,
        username=unquote(url.username) if url.username else user,
        password=unquote(url.password) if url.password else service_password(settings, user),
        # One user of a foreign broker serves several sessions.
        client_id=f"{unquote(url.username)}-{user}" if url.username else user,
    )


def service_password(settings: Settings, user: str) -> str:
    """Return the broker password of one of the product's own processes."""
    return Sealer(secret_key(settings)).key(f"broker/{user}").hex()


def provisioner(settings: Settings) -> Provisioner:
    """Return what keeps the broker's password and access files equal to the database."""
    users = (*INGEST_USERS, MONITOR_USER, WATCH_USER, NOTIFIER)
    services = [(user, password_hash(service_password(settings, user))) for user in users]
    return Provisioner(
        database(settings, pool_size=2),
        settings.broker_dir,
        services,
        utc_now,
        broker=broker_address(settings, MONITOR_USER) if settings.broker_url else None,
    )


def vapid_key(settings: Settings) -> VapidKey:
    """Return the key by which push services know this deployment; kept in the data folder, made once.

    Raises:
        Misconfigured: the key file is readable by others, or holds no key.
    """
    path = settings.data_dir / "keys" / "vapid"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            _write_once(path, VapidKey.new().pem)
    if path.stat().st_mode & 0o077:
        raise Misconfigured(f"{path} must be readable by its owner only: chmod 600")
    try:
        return VapidKey.of_pem(path.read_text())
    except ValueError:
        raise Misconfigured(f"{path} holds no P-256 key: restore it from a backup") from None


def dispatcher(settings: Settings) -> Dispatcher:
    """Return what sends the notifications of the outbox."""
    store = database(settings, pool_size=DISPATCH_CONNECTIONS)
    sealer = Sealer(secret_key(settings))
    outbox_dir = settings.data_dir / "outbox"

    def on_receipt(receipt: Receipt) -> None:
        detail = "" if receipt.delivered else "the SMSC could not deliver it"
        made.receive(receipt.message_id, delivered=receipt.delivered, detail=detail)

    channels: dict[str, Channel] = {
        "sms": SmsChannel(
            registry.load("tracker.notify.transports", "TRANSPORT"),
            url=settings.sms,
            sender=settings.sms_from,
            outbox_dir=outbox_dir,
            on_receipt=on_receipt,
        ),
        "email": EmailChannel(
            registry.load("tracker.notify.mail", "TRANSPORT"),
            url=settings.mail,
            sender=settings.mail_from,
            outbox_dir=outbox_dir,
        ),
        "webpush": WebPushChannel(
            store,
            sealer,
            vapid_key(settings),
            settings.vapid_subject,
            httpx.create_ssl_context(),
            private_allowed=settings.private_push,
        ),
    }
    if settings.broker_url:
        channels["mqtt"] = MqttChannel(_notifier_login(settings))
    made = Dispatcher(store, sealer, channels, utc_now)
    return made


def alerting(settings: Settings) -> Alerting:
    """Return what decides whom each alert is told."""
    sealer = Sealer(secret_key(settings))
    links = Links(sealer, settings.public_url)
    return Alerting(database(settings, pool_size=2), sealer, CHANNELS, utc_now, links=links)


def chases(settings: Settings) -> Chases:
    """Return what follows escaped animals."""
    sealer = Sealer(secret_key(settings))
    channel = MqttChannel(_notifier_login(settings))
    return Chases(
        database(settings, pool_size=1), channel.publish, partial(sealer.sign, purpose=SIGNED_FOR), utc_now
    )


def _notifier_login(settings: Settings) -> BrokerLogin:
    address = broker_address(settings, NOTIFIER)
    return BrokerLogin(
        host=address.host,
        port=address.port,
        tls=address.tls,
        username=address.username,
        password=address.password,
        # Each process that sends has a session of its own: one would end the other's.
        client_id=f"{address.name}-{os.getpid()}-{secrets.token_hex(4)}",
    )


def import_workers(settings: Settings) -> list[ImportWorker]:
    """Return what reads the files of positions that people hand in, each for a thread of its own."""
    formats = registry.load("tracker.history.imports", "FORMAT")
    uploads = Uploads(settings.data_dir / "imports", formats, limit_bytes=settings.import_bytes)
    process = f"work-{socket.gethostname()}-{os.getpid()}"
    return [
        ImportWorker(database(settings, pool_size=1), uploads, formats, utc_now, holder=f"{process}-{number}")
        for number in range(IMPORTS_AT_ONCE)
    ]


def migrate(settings: Settings) -> None:
    """Bring the database to this version's schema and make the partitions of now."""
    store = database(settings, pool_size=1)
    schema.upgrade(store)
    with store.begin() as session:
        housekeeping.prepare(session, utc_now())
    store.close()


def run_ingest(settings: Settings) -> None:
    """Take messages from the broker into the database until SIGTERM or SIGINT."""
    sealer = Sealer(secret_key(settings))
    ingest = Ingest(
        database(settings, pool_size=4),
        sealer,
        [broker_address(settings, user) for user in INGEST_USERS],
        dialects=registry.load("tracker.ingest.dialects", "DIALECT"),
        clock=utc_now,
        watch=watcher(beats_as=heartbeat.INGEST).take,
    )
    sources = Sources(
        database(settings, pool_size=2),
        sealer,
        ingest.handover.submit,
        utc_now,
        private_allowed=settings.private_sources,
    )
    collect_rarely()
    run_parts([ingest.run, sources.run], stop_on_signals())


def run_work(settings: Settings) -> None:
    """Send notifications, provision the broker and keep house until SIGTERM or SIGINT.

    A part that ends by an error ends the process: the supervisor starts it anew.
    """
    stop = stop_on_signals()
    parts: list[Callable[[threading.Event], None]] = [
        alerting(settings).run,
        dispatcher(settings).run,
        chases(settings).run,
        provisioner(settings).run,
        lambda event: keep_house(database(settings, pool_size=1), event),
        Ticker(watcher(), database(settings, pool_size=1), utc_now).run,
        *(each.run for each in import_workers(settings)),
        DropWatch(broker_address(settings, WATCH_USER), CollectorRegistry()).run,
    ]
    run_parts(parts, stop)


def run_parts(parts: Sequence[Callable[[threading.Event], None]], stop: threading.Event) -> None:
    """Run each part in a thread until `stop` is set; raise the first failure, which ends the others."""
    failures: list[BaseException] = []

    def run(part: Callable[[threading.Event], None]) -> None:
        try:
            part(stop)
        except BaseException as error:
            failures.append(error)
            log.exception("a part of the process ended")
        finally:
            stop.set()

    threads = [threading.Thread(target=run, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def keep_house(store: Database, stop: threading.Event) -> None:
    """Make coming partitions and delete what may be forgotten, every ten minutes until told to stop."""
    while not stop.is_set():
        try:
            with store.begin() as session:
                housekeeping.prepare(session, utc_now())
                housekeeping.forget(session, utc_now())
        except Unavailable:
            log.warning("housekeeping waits for the database")
        stop.wait(HOUSEKEEPING_EVERY.total_seconds())
    store.close()


def stop_on_signals() -> threading.Event:
    """Return an event that SIGTERM or SIGINT sets."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
