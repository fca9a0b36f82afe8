"""The families of the alert measurement, and `tracker ingest` and `tracker work` on private servers."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks._alert_sinks import Sinks
from benchmarks._fleet import PASSWORD, PUBLISHER, wait_for
from benchmarks._servers import Servers, private_servers
from tracker import wiring
from tracker.domain.access import Viewer
from tracker.domain.account import SessionLevel
from tracker.domain.broker_password import password_hash
from tracker.domain.clock import utc_now
from tracker.domain.device import Device
from tracker.domain.geo import LatLon
from tracker.domain.ids import new_id
from tracker.domain.notification import Contact
from tracker.domain.subject import Subject, SubjectKind
from tracker.ingest.provision import NOTIFIER, WITNESS, access_file, password_file, signal_broker
from tracker.settings import Settings
from tracker.store import accounts, contacts, devices, housekeeping, push_subscriptions, subjects
from tracker.store.session import Session

PEOPLE_IN_A_FAMILY = 5
FENCES = ("School", "Home", "Yard", "Club", "Shop")
RADIUS_M = 150.0
BETWEEN_DEG = 0.02
"""From one fence to the next, to the east: more than a kilometre."""
WALKERS = "bench-walkers"
"""Whose session theirs is: the broker has one for each user."""
CHANNELS = ("sms", "email", "webpush")


@dataclass
class Walker:
    """Somebody with a device, whose name no other has; `inside` is where the last walk ended."""

    name: str
    device_id: str
    school: LatLon
    inside: bool = False


@contextmanager
def servers_for(secret_key: str) -> Iterator[Servers]:
    """Start private servers on which the service and two publishers for any device may sign in."""
    own = Settings(_env_file=None, secret_key=secret_key)
    users = (*wiring.INGEST_USERS, wiring.MONITOR_USER, wiring.WATCH_USER, NOTIFIER)
    hashed = [(user, password_hash(wiring.service_password(own, user))) for user in users]
    access = "".join(f"user {user}\ntopic write owntracks/#\n\n" for user in (PUBLISHER, WALKERS))
    hashed += [(user, password_hash(PASSWORD)) for user in (PUBLISHER, WALKERS)]
    with private_servers(password_file(hashed, ()), access + access_file(users)) as servers:
        yield servers


def settings_for(servers: Servers, sinks: Sinks, folder: Path, secret_key: str) -> Settings:
    """Return the settings of a service that sends to the sinks."""
    return Settings(
        _env_file=None,
        data_dir=folder,
        database_url=servers.database_url,
        broker_url=servers.broker.url,
        secret_key=secret_key,
        sms=sinks.sms_url,
        mail=sinks.mail_url,
        private_push=True,
        log="warning",
    )


@contextmanager
def running_parts(settings: Settings, servers: Servers, sinks: Sinks) -> Iterator[dict[str, int]]:
    """Run `tracker ingest` and `tracker work` as `tracker up` does, and give their process ids by name.

    Raises:
        RuntimeError: one of them ended; holds the end of what it wrote.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRACKER_")} | {
        "TRACKER_DATA_DIR": str(settings.data_dir),
        "TRACKER_DATABASE_URL": settings.database_url or "",
        "TRACKER_BROKER_URL": settings.broker_url or "",
        "TRACKER_SECRET_KEY": settings.secret_key or "",
        "TRACKER_SMS": settings.sms,
        "TRACKER_MAIL": settings.mail,
        "TRACKER_PRIVATE_PUSH": "1",
        "TRACKER_LOG": settings.log,
        "SSL_CERT_FILE": str(sinks.certificate),
    }
    settings.broker_dir.mkdir(parents=True, exist_ok=True)
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name in ("ingest", "work"):
            with (settings.data_dir / f"{name}.log").open("w") as log:
                command = [sys.executable, "-m", "tracker", name]
                running[name] = subprocess.Popen(
                    command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
                )
        _take_over_the_witness(settings, servers)
        yield {name: process.pid for name, process in running.items()}
        for name, process in running.items():
            if process.poll() is not None:
                raise RuntimeError((settings.data_dir / f"{name}.log").read_text()[-2000:])
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def _take_over_the_witness(settings: Settings, servers: Servers) -> None:
    """Give the broker the line by which `work` sees that its files were read, as whoever copies them does."""
    written = settings.broker_dir / "passwords"
    wait_for(written.exists, "work to write the broker's files")
    (line,) = [each for each in written.read_text().splitlines() if each.startswith(f"{WITNESS}:")]
    folder = servers.broker.folder
    servers.broker.write("passwords", (folder / "passwords").read_text() + line + "\n")
    if not signal_broker(folder / "mosquitto.pid"):
        raise RuntimeError("the broker has gone")


def add_walkers(settings: Settings, sinks: Sinks, count: int) -> list[Walker]:
    """Store families of five: each with five fences, the rules of its school, and one contact.

    The contact is told by SMS, mail and push of each arrival and departure; nothing is held or grouped.
    """
    services = wiring.build(settings)
    walkers: list[Walker] = []
    with services.database.begin() as session:
        housekeeping.prepare(session, utc_now())
        for number in range(0, count, PEOPLE_IN_A_FAMILY):
            people = range(number, min(count, number + PEOPLE_IN_A_FAMILY))
            walkers += _add_family(session, services, sinks, people)
    services.database.close()
    return walkers


def _add_family(
    session: Session, services: wiring.Services, sinks: Sinks, people: Sequence[int]
) -> list[Walker]:
    now = utc_now()
    account = accounts.open_account(session, phone=f"+7998{people[0]:07}", locale="en", region="RU", now=now)
    viewer = Viewer(account_id=account.account_id, session_id="0" * 16, level=SessionLevel.SMS, proved_at=now)
    _add_contact(session, services, sinks, account.account_id, people[0])
    school = LatLon(lat=55.0 + people[0] * 1e-3, lon=37.0)
    walkers = []
    for person in people:
        subject = Subject(
            account_id=account.account_id,
            subject_id=new_id(),
            kind=SubjectKind.VEHICLE,
            name=f"P{person:04}",
            created_at=now,
        )
        subjects.add(session, subject)
        device = Device(
            account_id=account.account_id,
            device_id=new_id(),
            subject_id=subject.subject_id,
            name="phone",
            dialect="owntracks",
            external_id=None,
            created_at=now,
        )
        devices.add(session, device, mqtt_password_hash="-", payload_key_sealed=None)  # noqa: S106
        walkers.append(Walker(subject.name, device.device_id, school))
    _add_rules(session, services, viewer, school)
    return walkers


def _add_rules(session: Session, services: wiring.Services, viewer: Viewer, school: LatLon) -> None:
    now = utc_now()
    for number, name in enumerate(FENCES):
        place = {"type": "Point", "coordinates": [school.lon + number * BETWEEN_DEG, school.lat]}
        properties = {"name": name, "radius_m": RADIUS_M, "all_subjects": True, "time_zone": "Europe/Moscow"}
        feature = {"type": "Feature", "geometry": place, "properties": properties}
        fence = services.geofences.add(session, viewer, feature, now)
        for kind in ("arrived", "left") if name == "School" else ():
            body = {
                "kind": kind,
                "all_subjects": True,
                "geofence_id": fence.geofence_id,
                "notify": {"channels": list(CHANNELS), "throttle_s": 0},
            }
            services.rules.add(session, viewer, body, now)


def _add_contact(
    session: Session, services: wiring.Services, sinks: Sinks, account_id: str, number: int
) -> None:
    now = utc_now()
    owner = Contact(
        account_id=account_id,
        contact_id=account_id,
        name="Owner",
        phone=f"+7998{number:07}",
        email=f"p{number}@example.org",
        mqtt_device_id=None,
        locale="en",
        time_zone="Europe/Moscow",
        channels=CHANNELS,
        position=0,
        created_at=now,
        confirmed_at=now,
        per_hour_most=1000,
    )
    contacts.put(session, owner)
    push_subscriptions.add(
        session,
        services.sealer,
        account_id,
        account_id,
        endpoint=sinks.push_endpoint(str(number)),
        p256dh=sinks.browser.p256dh,
        auth=sinks.browser.auth,
        agent="bench",
        now=now,
    )
