"""A message to a person, recorded with the change that caused it and sent afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One thing to tell over one channel; `kind` names the template, `args` fill it (JSON values).

    `to` is the channel's address (E.164 for "sms"). After `expires_at` it is worthless and not sent.
    `account_id` is None before there is an account.
    """

    channel: str
    kind: str
    to: str
    locale: str
    expires_at: datetime
    args: Mapping[str, Any] = field(default_factory=dict)
    account_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A notification that one worker holds by lease until it is settled."""

    outbox_id: str
    attempts: int
    notification: Notification
