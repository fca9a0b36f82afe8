"""What reports a subject's positions, and how it proves itself to the broker."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class SpeedUnit(StrEnum):
    """The unit in which a device writes its speed, where its convention leaves that open."""

    MPS = "mps"
    KMH = "kmh"
    KNOTS = "knots"
    MPH = "mph"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSettings:
    """How one device differs from others of its dialect; None: as the dialect's specification says.

    `codec` names the reader of its radio payloads (a LoRaWAN network that sends bytes without meaning).
    """

    speed_unit: SpeedUnit | None = None
    codec: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A handset or tracker of one subject; `device_id` is also its MQTT user name and client id.

    `external_id` is the device's own name in a gateway's messages. `provisioned_at` is when the broker
    first knew its present password; `revoked_at` when it lost its rights. `online` is what it last said.
    """

    account_id: str
    device_id: str
    subject_id: str
    name: str
    dialect: str
    external_id: str | None
    created_at: datetime
    provisioned_at: datetime | None = None
    revoked_at: datetime | None = None
    online: bool | None = None
    settings: DeviceSettings = field(default_factory=DeviceSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttAccess:
    """What a device needs to publish, shown once: the password is stored only as a hash."""

    host: str
    port: int
    tls: bool
    username: str
    password: str
    client_id: str
    topics: tuple[str, ...]
