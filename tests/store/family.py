"""Rows for the store's tests: accounts with subjects, devices and positions."""

from dataclasses import dataclass
from datetime import UTC, datetime

from tracker.domain.access import Viewer
from tracker.domain.account import SessionKind, SessionLevel, SignedSession
from tracker.domain.device import Device
from tracker.domain.errors import Reason
from tracker.domain.gateway import Gateway
from tracker.domain.geo import LatLon
from tracker.domain.ids import new_id
from tracker.domain.position import Placed, Position
from tracker.domain.source import Source, SourceDetail, SourceState
from tracker.domain.subject import Subject, SubjectKind
from tracker.store import (
    accounts,
    devices,
    gateways,
    imports,
    positions,
    quarantine,
    sessions,
    sources,
    subjects,
    unclaimed,
)
from tracker.store.imports import Import, ImportState
from tracker.store.seal import Sealer, token_hash
from tracker.store.session import Session

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
SEALER = Sealer("0123456789abcdef0123456789abcdef")


@dataclass(frozen=True)
class House:
    """One account with a cat that has a collar."""

    viewer: Viewer
    subject: Subject
    device: Device

    def fix(self, recorded_at: datetime, lat: float = 60.17, **given: object) -> Placed:
        position = Position(recorded_at=recorded_at, at=LatLon(lat=lat, lon=24.94), **given)  # type: ignore[arg-type]
        return Placed(
            account_id=self.viewer.account_id,
            subject_id=self.subject.subject_id,
            device_id=self.device.device_id,
            received_at=NOW,
            position=position,
        )


def add_device(session: Session, viewer: Viewer, subject: Subject) -> Device:
    """Store one more device of a subject."""
    device = Device(
        account_id=viewer.account_id,
        device_id=new_id(),
        subject_id=subject.subject_id,
        name="collar",
        dialect="native",
        external_id=None,
        created_at=NOW,
    )
    devices.add(session, device, mqtt_password_hash="$7$", payload_key_sealed=None)
    return device


def add_house(session: Session, phone: str) -> House:
    """Store an account with a session, a token, a subject and a device."""
    account = accounts.open_account(session, phone=phone, locale="ru", region=None, now=NOW)
    viewer = Viewer(account_id=account.account_id, session_id=new_id(), level=SessionLevel.SMS, proved_at=NOW)
    for kind, session_id in ((SessionKind.COOKIE, viewer.session_id), (SessionKind.TOKEN, new_id())):
        signed = SignedSession(
            account_id=account.account_id,
            session_id=session_id,
            kind=kind,
            level=SessionLevel.SMS,
            name="x",
            created_at=NOW,
            last_seen_at=NOW,
            expires_at=datetime(2027, 1, 1, tzinfo=UTC),
            proved_at=NOW,
        )
        sessions.add(session, signed, token_hash(session_id))
    subject = Subject(
        account_id=account.account_id,
        subject_id=new_id(),
        kind=SubjectKind.PET,
        name="cat",
        created_at=NOW,
    )
    subjects.add(session, subject)
    return House(viewer, subject, add_device(session, viewer, subject))


@dataclass(frozen=True)
class FullHouse(House):
    """An account that has one of everything."""

    gateway: Gateway
    source: Source
    history: Import
    refusal_id: str


def furnish(session: Session, house: House) -> FullHouse:
    """Store a gateway with a stranger behind it, a source, an import and a refused message of an account."""
    viewer, device = house.viewer, house.device
    gateway = _gateway(session, viewer)
    unclaimed.note(session, viewer.account_id, gateway.gateway_id, "stranger", "nmea", 1, NOW)
    refusal_id = quarantine.put(
        session,
        SEALER,
        account_id=viewer.account_id,
        device_id=device.device_id,
        reason=Reason.NOT_JSON,
        detail="syntax",
        topic="tracker",
        payload=b"{",
        received_at=NOW,
    )
    source, history = _source(session, viewer), _import(session, device)
    return FullHouse(viewer, house.subject, device, gateway, source, history, refusal_id)


def _gateway(session: Session, viewer: Viewer) -> Gateway:
    gateway = Gateway(
        account_id=viewer.account_id, gateway_id=new_id(), name="mast", dialect="nmea", created_at=NOW
    )
    gateways.add(session, gateway, mqtt_password_hash="$7$")
    return gateway


def _source(session: Session, viewer: Viewer) -> Source:
    source = Source(
        account_id=viewer.account_id,
        source_id=new_id(),
        name="network",
        dialect="tts_v3",
        url="mqtts://example.org:8883",
        topics=("v3/+/devices/+/up",),
        has_credentials=False,
        paused=False,
        state=SourceState.WAITING,
        detail=SourceDetail.NONE,
        state_at=NOW,
        messages=0,
        last_message_at=None,
        created_at=NOW,
    )
    sources.add(session, source, credentials_sealed=None)
    return source


def _import(session: Session, device: Device) -> Import:
    history = Import(
        account_id=device.account_id,
        import_id=new_id(),
        device_id=device.device_id,
        format="gpx",
        file_name="walk.gpx",
        digest="0" * 64,
        size_bytes=1,
        state=ImportState.QUEUED,
        created_at=NOW,
        changed_at=NOW,
    )
    imports.add(session, history)
    return history


def append(session: Session, *batch: Placed) -> list[Placed]:
    """Append with the partitions made that the batch needs."""
    positions.ensure_partitions(session, {positions.week_of(each.position.recorded_at) for each in batch})
    return positions.append(session, batch)
