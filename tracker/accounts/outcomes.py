"""What signing in can end with; a wrong code is a value and no error, since its count must be kept."""

from dataclasses import dataclass

from tracker.domain.account import Account, SignedSession


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeAsked:
    """A code was asked for; the same whether a message goes out or not. `phone` is the number as E.164."""

    login_id: str
    phone: str
    sender: str
    expires_in_s: int
    resend_in_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """The account is open. `token` and `device_token` are shown here only.

    `device_token` marks this browser as one that has signed in: kept for long, it gives later requests for
    a code a budget of their own (`Accounts.ask_code`); it opens nothing.
    """

    token: str
    session: SignedSession
    account: Account
    device_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongCode:
    """The code does not open; 0 left: this request for a code is over (expired, used or unknown)."""

    attempts_left: int


@dataclass(frozen=True, slots=True)
class Blocked:
    """Three wrong entries were made: no code is looked at until a new one by SMS is used."""
