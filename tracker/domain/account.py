"""The account of one family, and the sessions that open it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SessionKind(StrEnum):
    """How the caller carries the session: a browser's cookie or a bearer token."""

    COOKIE = "cookie"
    BEARER = "bearer"
    TOKEN = "token"  # noqa: S105 - a kind of session, no secret


class SessionLevel(StrEnum):
    """What proved the owner: a code by SMS, his own code, or a named token made within a session."""

    SMS = "sms"
    OWN_CODE = "own_code"
    TOKEN = "token"  # noqa: S105 - a level, no secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One family's account; `phone` is E.164, `locale` "ru" or "en", `region` an ISO 3166 alpha-2 code."""

    account_id: str
    phone: str
    locale: str
    region: str | None
    created_at: datetime
    has_own_code: bool = False
    terms_version: str | None = None
    terms_accepted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedSession:
    """A live way into an account; the secret itself is stored only as a SHA-256 hash.

    `proved_at` is when the owner last gave a code in it: sensitive acts ask for at most 5 minutes ago.
    """

    account_id: str
    session_id: str
    kind: SessionKind
    level: SessionLevel
    name: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    proved_at: datetime
