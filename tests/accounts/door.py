"""The front door of accounts in tests: asks, reads the messages that would go out, signs in."""

import re
from dataclasses import dataclass
from typing import Any

from tests.kit.clock import StandingClock
from tracker.accounts.service import Accounts, Blocked, CodeAsked, SignedIn, WrongCode
from tracker.domain.access import Viewer
from tracker.domain.account import SessionKind
from tracker.domain.notification import Notification
from tracker.store import outbox
from tracker.store.seal import Sealer
from tracker.store.session import Session

HERE = "198.51.100.7"
ELSEWHERE = "203.0.113.9"
OWNER = "+79161234567"
OWN_CODE = "river7stone"


def another(code: str) -> str:
    """Return a wrong code of eight digits."""
    return f"{(int(code) + 1) % 10**8:08d}"


@dataclass
class Door:
    """Accounts on one transaction; `messages` are read from the outbox, as the worker would."""

    session: Session
    accounts: Accounts
    sealer: Sealer
    clock: StandingClock

    def ask(self, phone: str = OWNER, **given: Any) -> CodeAsked:
        defaults = {"region": "RU-MOW", "locale": "ru", "address": HERE, "now": self.clock()}
        return self.accounts.ask_code(self.session, phone=phone, **{**defaults, **given})

    def messages(self) -> list[Notification]:
        """Return the notifications recorded since the last call."""
        claimed = outbox.claim(self.session, self.sealer, self.clock(), limit=1000)
        for each in claimed:
            outbox.settle(self.session, each.outbox_id, "sent", self.clock())
        return [each.notification for each in claimed]

    def ask_and_read(self, phone: str = OWNER, **given: Any) -> tuple[CodeAsked, str]:
        """Ask for a code and return it with its request; a minute passes first."""
        self.clock.go_on(seconds=60)
        asked = self.ask(phone, **given)
        (message,) = [each for each in self.messages() if each.kind == "login_code"]
        code = message.args["code"]
        assert re.fullmatch(r"\d{8}", code)
        return asked, code

    def enter(
        self, code: str, login_id: str | None = None, phone: str = OWNER, **given: Any
    ) -> SignedIn | WrongCode | Blocked:
        defaults = {
            "accept_terms": True,
            "kind": SessionKind.COOKIE,
            "address": HERE,
            "agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "locale": "ru",
            "now": self.clock(),
        }
        return self.accounts.sign_in(
            self.session, phone=phone, code=code, login_id=login_id, **{**defaults, **given}
        )

    def sign_in(self, phone: str = OWNER, **given: Any) -> SignedIn:
        """Sign in by a code from an SMS."""
        asked, code = self.ask_and_read(phone)
        outcome = self.enter(code, asked.login_id, phone, **given)
        assert isinstance(outcome, SignedIn)
        return outcome

    def viewer(self, phone: str = OWNER) -> Viewer:
        """Sign in by a code from an SMS and return the viewer."""
        return self.viewer_of(self.sign_in(phone).token)

    def viewer_of(self, token: str) -> Viewer:
        found = self.accounts.authenticate(self.session, token, self.clock())
        assert found is not None
        return found[1]

    def set_own_code(self, code: str = OWN_CODE, phone: str = OWNER) -> None:
        """Sign in and set an own code; the notices are read away."""
        self.accounts.set_own_code(self.session, self.viewer(phone), code, now=self.clock())
        self.messages()
