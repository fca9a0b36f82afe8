"""`tracker demo prepare`: a sample family whose devices the simulator plays."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from tracker import settings, wiring
from tracker.domain.access import Viewer
from tracker.domain.account import SessionLevel
from tracker.domain.broker_password import matches
from tracker.domain.device import Device
from tracker.domain.subject import SubjectKind
from tracker.local.resolve import with_private_servers
from tracker.store import accounts, devices
from tracker.store.access import Access
from tracker.store.session import Session

DEMO_PHONE = "+79990000001"
DEMO_REGION = "RU"
CREDENTIALS_FILE = "demo.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One subject of the sample family and the device that it carries; `track` names what the device
    plays."""

    kind: SubjectKind
    names: Mapping[str, str]
    device_names: Mapping[str, str]
    track: str
    role: str
    dialect: str = "native"
    encoding: str = "json"

    @property
    def external_id(self) -> str:
        """How the device is found again when the command is repeated."""
        return f"demo-{self.track}"


PHONE = {"ru": "Телефон", "en": "Phone"}
COLLAR = {"ru": "Ошейник", "en": "Collar"}

FAMILY = (
    Member(
        kind=SubjectKind.CHILD,
        names={"ru": "Мила", "en": "Mila"},
        device_names=PHONE,
        track="child-walk",
        role="child",
        dialect="owntracks",
    ),
    Member(
        kind=SubjectKind.RELATIVE,
        names={"ru": "Бабушка", "en": "Grandmother"},
        device_names={"ru": "Кулон", "en": "Pendant"},
        track="grandmother-walk",
        role="relative",
        encoding="cbor",
    ),
    Member(
        kind=SubjectKind.RELATIVE,
        names={"ru": "Дядя Лука", "en": "Uncle Luka"},
        device_names=PHONE,
        track="lake-walk",
        role="relative",
        dialect="owntracks",
    ),
    *(
        Member(
            kind=SubjectKind.PET,
            names={"ru": russian, "en": english},
            device_names=COLLAR,
            track=f"cat-{english.lower()}",
            role="pet",
        )
        for russian, english in (
            ("Бини", "Beanie"),
            ("Грейси", "Gracie"),
            ("Джим", "Jim"),
            ("Маверик", "Maverick"),
        )
    ),
    Member(
        kind=SubjectKind.VEHICLE,
        names={"ru": "Автобус 14", "en": "Bus 14"},
        device_names={"ru": "Трекер", "en": "Tracker"},
        track="bus-14",
        role="vehicle",
    ),
)


@click.group("demo")
def demo() -> None:
    """A sample family for looking around."""


@demo.command("prepare")
@click.option("--locale", type=click.Choice(["ru", "en"]), default="ru", show_default=True)
def prepare(locale: str) -> None:
    """Make the sample family, or find it again, and write its devices' credentials to the data folder."""
    resolved = with_private_servers(settings.read())
    path = resolved.data_dir / CREDENTIALS_FILE
    services = wiring.build(resolved)
    try:
        with services.database.begin() as session:
            known = still_right(session, passwords(path))
            entries = prepare_family(services, session, known=known, locale=locale)
            broker = wiring.broker_address(resolved, wiring.INGEST_USERS[0])
            document = {"host": broker.host, "port": broker.port, "tls": broker.tls, "devices": entries}
            # Before the commit: a password that is in the database alone could not be read again.
            write_secret(path, json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    finally:
        services.database.close()
    click.echo(
        f"The sample family's account is {DEMO_PHONE}: sign in with a code by SMS. Credentials: {path}"
    )


COMMAND = demo


def prepare_family(
    services: wiring.Services, session: Session, *, known: Mapping[str, str], locale: str
) -> list[dict[str, Any]]:
    """Make what is missing of the sample family and return the credentials of its devices.

    `known` maps device ids to passwords that are still at hand; a device that is not in it gets a new
    password.
    """
    now = services.clock()
    account = accounts.open_account(session, phone=DEMO_PHONE, locale=locale, region=DEMO_REGION, now=now)
    viewer = Viewer(
        account_id=account.account_id,
        session_id="demo",
        level=SessionLevel.TOKEN,
        proved_at=account.created_at,
    )
    present = {each.external_id: each for each in Access(session, viewer).devices() if each.external_id}
    return [
        device_entry(services, session, viewer, member, present.get(member.external_id), known, locale)
        for member in FAMILY
    ]


def device_entry(
    services: wiring.Services,
    session: Session,
    viewer: Viewer,
    member: Member,
    device: Device | None,
    known: Mapping[str, str],
    locale: str,
) -> dict[str, Any]:
    """Return one device of the credentials file, made with its subject if it is missing."""
    now = services.clock()
    if device is None:
        subject = services.family.add_subject(
            session, viewer, kind=member.kind, name=member.names[locale], now=now
        )
        device, access = services.family.add_device(
            session,
            viewer,
            subject_id=subject.subject_id,
            name=member.device_names[locale],
            dialect=member.dialect,
            external_id=member.external_id,
            payload_key=None,
            now=now,
        )
        password = access.password
    elif device.device_id in known:
        password = known[device.device_id]
    else:
        password = services.family.rotate(session, viewer, device.device_id, now=now).password
    return {
        "device_id": device.device_id,
        "password": password,
        "name": member.names["en"],
        "role": member.role,
        "track": member.track,
        "dialect": member.dialect,
        "encoding": member.encoding,
    }


def passwords(path: Path) -> dict[str, str]:
    """Return the passwords by device id of an earlier credentials file; none if it is missing or
    unreadable."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return {str(each["device_id"]): str(each["password"]) for each in document["devices"]}
    except (OSError, ValueError, KeyError, TypeError):
        # Not an error: the devices get new passwords.
        return {}


def still_right(session: Session, found: Mapping[str, str]) -> dict[str, str]:
    """Return those passwords that the database still holds the hash of."""
    hashes = dict(devices.broker_credentials(session))
    return {
        device_id: password
        for device_id, password in found.items()
        if device_id in hashes and matches(password, hashes[device_id])
    }


def write_secret(path: Path, text: str) -> None:
    """Replace a file in one step with one that only its owner can read."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
