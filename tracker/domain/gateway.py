"""A gateway: one broker credential through which many devices of one account report."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A Traccar server, a LoRaWAN network, a radio bridge; `gateway_id` is its MQTT user name and client id.

    It publishes below `gateway/{shard}/{gateway_id}/` what its `dialect` writes. `provisioned_at` is when the
    broker first knew its present password; `revoked_at` when it lost its rights.
    """

    account_id: str
    gateway_id: str
    name: str
    dialect: str
    created_at: datetime
    provisioned_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayOwner:
    """What ingest must know of a gateway: whose it is, and how it speaks."""

    account_id: str
    gateway_id: str
    dialect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclaimed:
    """A device that a gateway or source (`origin_id`) speaks of and no device of the account is called like.

    `messages` counts what was heard of it between the two moments.
    """

    account_id: str
    origin_id: str
    external_id: str
    dialect: str
    first_heard_at: datetime
    last_heard_at: datetime
    messages: int
