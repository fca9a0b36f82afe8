"""Who handed a message over: a device, a gateway, or a source that the service reads itself."""

from dataclasses import dataclass
from enum import StrEnum


class OriginKind(StrEnum):
    """What kind of sender it is: a device speaks for itself, the others for devices of their account."""

    DEVICE = "device"
    GATEWAY = "gateway"
    SOURCE = "source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The authenticated sender of a message; `origin_id` is the device's, gateway's or source's id."""

    kind: OriginKind
    account_id: str
    origin_id: str
    dialect: str
