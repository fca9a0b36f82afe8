"""The family of an account: whom it keeps in sight, and by which devices. Nothing here commits."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from tracker.domain.access import Viewer
from tracker.domain.broker_password import password_hash, short_password
from tracker.domain.device import Device, DeviceSettings, MqttAccess
from tracker.domain.errors import Invalid
from tracker.domain.ids import new_id, shard_of
from tracker.domain.names import clean_name
from tracker.domain.subject import Subject, SubjectKind
from tracker.store import devices, events, facts, live, positions, quarantine, refusals, subjects, unclaimed
from tracker.store.access import Access
from tracker.store.seal import Sealer
from tracker.store.session import Session

SUBJECTS_PER_ACCOUNT = 100
DEVICES_PER_ACCOUNT = 200
EXTERNAL_ID_LENGTH = 128
PAYLOAD_KEY_BYTES = 32
AS_THE_DIALECT_SAYS = DeviceSettings()

TOPICS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "native": tuple(
            f"tracker/{{shard}}/{{device_id}}/{rest}"
            for rest in ("position", "position/cbor", "status", "command", "ack", "result")
        ),
        "owntracks": ("owntracks/{shard}/{device_id}",),
    }
)
"""The topics of a device by dialect, the one it publishes positions to first."""
OTHER_TOPICS = ("gateway/{shard}/{device_id}/#",)
"""What stands before the topics that a device of another dialect writes by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttEndpoint:
    """Where devices reach the broker."""

    host: str
    port: int
    tls: bool


class Family:
    """Changes of subjects and devices, each in a viewer's name; what is not his does not exist."""

    def __init__(self, sealer: Sealer, mqtt: MqttEndpoint, dialects: Collection[str]) -> None:
        self._sealer = sealer
        self._mqtt = mqtt
        self._dialects = frozenset(dialects)

    def add_subject(
        self, session: Session, viewer: Viewer, *, kind: SubjectKind, name: str, now: datetime
    ) -> Subject:
        """Add a child, relative, pet, vehicle or phone.

        Raises:
            Invalid: ("name", ...) empty or longer than 80 characters, or there are 100 subjects already.
        """
        subject = Subject(
            account_id=viewer.account_id,
            subject_id=new_id(),
            kind=kind,
            name=clean_name(name),
            created_at=now,
        )
        if len(Access(session, viewer).subjects(limit=SUBJECTS_PER_ACCOUNT)) >= SUBJECTS_PER_ACCOUNT:
            raise Invalid(("name", "There are 100 already: remove some first."))
        subjects.add(session, subject)
        return subject

    def change_subject(
        self,
        session: Session,
        viewer: Viewer,
        subject_id: str,
        *,
        kind: SubjectKind | None,
        name: str | None,
        now: datetime,  # noqa: ARG002
    ) -> Subject:
        """Change a subject's kind or name; None leaves it.

        Raises:
            NotFound: missing, or not the viewer's.
            Invalid: ("name", ...) empty or longer than 80 characters.
        """
        present = Access(session, viewer).subject(subject_id)
        subjects.change(
            session,
            viewer.account_id,
            subject_id,
            kind=kind or present.kind,
            name=present.name if name is None else clean_name(name),
        )
        return Access(session, viewer).subject(subject_id)

    def remove_subject(self, session: Session, viewer: Viewer, subject_id: str, *, now: datetime) -> None:
        """Remove a subject with its devices and everything they reported.

        Raises:
            NotFound: missing, or not the viewer's.
        """
        access = Access(session, viewer)
        access.subject(subject_id)
        for device in access.devices(subject_id=subject_id):
            self.remove_device(session, viewer, device.device_id, now=now)
        subjects.remove(session, viewer.account_id, subject_id)
        live.wake(session, viewer.account_id)

    def add_device(
        self,
        session: Session,
        viewer: Viewer,
        *,
        subject_id: str,
        name: str,
        dialect: str,
        external_id: str | None,
        payload_key: str | None,
        settings: DeviceSettings = AS_THE_DIALECT_SAYS,
        now: datetime,
    ) -> tuple[Device, MqttAccess]:
        """Add a device to a subject and return it with its credentials, which cannot be read again.

        `external_id` is its own name in a gateway's messages. `payload_key` is the secret that its app
        encrypts payloads with, at most 32 bytes of UTF-8. `settings` are what differs from its dialect.

        Raises:
            NotFound: the subject is missing, or not the viewer's.
            Invalid: ("name" | "dialect" | "external_id" | "payload_key", ...).
        """
        access = Access(session, viewer)
        access.subject(subject_id)
        if dialect not in self._dialects:
            raise Invalid(("dialect", "There is no such kind of device."))
        device = Device(
            account_id=viewer.account_id,
            device_id=new_id(),
            subject_id=subject_id,
            name=clean_name(name),
            dialect=dialect,
            external_id=_external_id(external_id),
            created_at=now,
            settings=settings,
        )
        present = access.devices(limit=DEVICES_PER_ACCOUNT)
        if len(present) >= DEVICES_PER_ACCOUNT:
            raise Invalid(("name", "There are 200 already: remove some first."))
        _require_free(present, device.external_id, device.device_id)
        mqtt = self._access(device)
        devices.add(
            session,
            device,
            mqtt_password_hash=password_hash(mqtt.password),
            payload_key_sealed=self._seal_key(device.device_id, payload_key),
        )
        _claim(session, device, now)
        return device, mqtt

    def rotate(self, session: Session, viewer: Viewer, device_id: str, *, now: datetime) -> MqttAccess:  # noqa: ARG002
        """Give a device a new password; the old one ends when the broker has read the new one.

        Raises:
            NotFound: missing, or not the viewer's.
        """
        mqtt = self._access(Access(session, viewer).device(device_id))
        devices.set_password_hash(session, viewer.account_id, device_id, password_hash(mqtt.password))
        return mqtt

    def change_device(
        self,
        session: Session,
        viewer: Viewer,
        device_id: str,
        *,
        name: str,
        subject_id: str,
        external_id: str | None,
        settings: DeviceSettings | None = None,
        now: datetime,
    ) -> Device:
        """Change a device's name, subject, external id (None takes it away) and settings (None leaves them).

        Its last position and its history go with it to the new subject.

        Raises:
            NotFound: the device or the subject is missing, or not the viewer's.
            Invalid: ("name" | "external_id", ...).
        """
        access = Access(session, viewer)
        present = access.device(device_id)
        access.subject(subject_id)
        label = _external_id(external_id)
        _require_free(access.devices(limit=DEVICES_PER_ACCOUNT), label, device_id)
        devices.change(
            session,
            viewer.account_id,
            device_id,
            name=clean_name(name),
            subject_id=subject_id,
            external_id=label,
            settings=settings or present.settings,
            given_at=now if subject_id != present.subject_id else None,
        )
        if subject_id != present.subject_id:
            positions.move_last(session, viewer.account_id, device_id, subject_id)
            live.wake(session, viewer.account_id)
        changed = access.device(device_id)
        if changed.external_id != present.external_id:
            _claim(session, changed, now)
        return changed

    def remove_device(self, session: Session, viewer: Viewer, device_id: str, *, now: datetime) -> None:  # noqa: ARG002
        """Remove a device and everything it reported; the broker ends its connection.

        Raises:
            NotFound: missing, or not the viewer's.
        """
        Access(session, viewer).device(device_id)
        # The row goes first: whatever ingest resolves from now on it refuses.
        devices.remove(session, viewer.account_id, device_id)
        positions.remove_of_device(session, viewer.account_id, device_id)
        facts.remove_of_device(session, viewer.account_id, device_id)
        events.forget_device(session, viewer.account_id, device_id)
        refusals.remove_of(session, viewer.account_id, device_id=device_id)
        live.wake(session, viewer.account_id)

    def _access(self, device: Device) -> MqttAccess:
        shard = shard_of(device.device_id)
        topics = TOPICS.get(device.dialect, OTHER_TOPICS)
        return MqttAccess(
            host=self._mqtt.host,
            port=self._mqtt.port,
            tls=self._mqtt.tls,
            username=device.device_id,
            password=short_password() if device.dialect == "meshtastic" else secrets.token_hex(16),
            client_id=device.device_id,
            topics=tuple(topic.format(shard=shard, device_id=device.device_id) for topic in topics),
        )

    def _seal_key(self, device_id: str, payload_key: str | None) -> bytes | None:
        if not payload_key:
            return None
        key = payload_key.encode()
        if len(key) > PAYLOAD_KEY_BYTES:
            raise Invalid(("payload_key", "At most 32 bytes."))
        return self._sealer.seal(key, context=devices.payload_key_context(device_id))


def _claim(session: Session, device: Device, now: datetime) -> None:
    """Give a device what gateways and sources have said of its name before it had it."""
    if device.external_id is None:
        return
    quarantine.ask_replay(session, device.account_id, device.external_id, now)
    unclaimed.remove_claimed(session, device.account_id, device.external_id)


def _external_id(text: str | None) -> str | None:
    label = (text or "").strip()
    if len(label) > EXTERNAL_ID_LENGTH or not label.isprintable():
        raise Invalid(("external_id", "At most 128 visible characters."))
    return label or None


def _require_free(present: Sequence[Device], external_id: str | None, device_id: str) -> None:
    others = {(each.external_id or "").lower() for each in present if each.device_id != device_id}
    if external_id is not None and external_id.lower() in others:
        raise Invalid(("external_id", "Another device of yours has it already."))
