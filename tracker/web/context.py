"""What one request works with: the services, its transaction, its caller."""

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, cast

from flask import g, request

from tracker.accounts.contacts import Contacts
from tracker.accounts.family import Family
from tracker.accounts.gateways import Gateways
from tracker.accounts.senders import Senders
from tracker.accounts.service import Accounts
from tracker.domain.access import Viewer
from tracker.domain.account import Account, SignedSession
from tracker.domain.clock import Clock
from tracker.domain.errors import NotSignedIn
from tracker.geofence.places import Places
from tracker.geofence.ruling import Ruling
from tracker.notify.acknowledging import Alerts
from tracker.settings import Settings
from tracker.store.access import Access
from tracker.store.seal import Sealer
from tracker.store.session import Database, Session

if TYPE_CHECKING:
    from tracker.web.apart import Apart
    from tracker.web.intake import Buckets, Intake
    from tracker.web.live import LiveStreams
    from tracker.web.metrics import WebMetrics


class Services(Protocol):
    """What the application is built from."""

    @property
    def settings(self) -> Settings: ...
    @property
    def database(self) -> Database: ...
    @property
    def sealer(self) -> Sealer: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def family(self) -> Family: ...
    @property
    def gateways(self) -> Gateways: ...
    @property
    def geofences(self) -> Places: ...
    @property
    def rules(self) -> Ruling: ...
    @property
    def alerts(self) -> Alerts: ...
    @property
    def contacts(self) -> Contacts: ...
    @property
    def push_key(self) -> str: ...
    @property
    def clock(self) -> Clock: ...


class RequestContext:
    """One request: at most one transaction, opened when first needed and ended before the answer leaves."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.now: datetime = services.clock()
        self.nonce = secrets.token_urlsafe(16)
        self.locale: str | None = None
        self.signed: SignedSession | None = None
        self._viewer: Viewer | None = None
        self._session: Session | None = None
        self._account: Account | None = None
        self._stack = ExitStack()
        self._after_commit: list[Callable[[], None]] = []

    @property
    def session(self) -> Session:
        """The transaction of this request.

        Raises:
            Unavailable: the database cannot be reached.
        """
        if self._session is None:
            self._session = self._stack.enter_context(self.services.database.begin())
        return self._session

    @property
    def has_transaction(self) -> bool:
        """Whether a transaction is open; none is after it was undone."""
        return self._session is not None

    def sign_in(self, signed: SignedSession, viewer: Viewer) -> None:
        """Take the caller as signed in for the rest of this request."""
        self.signed, self._viewer, self._account = signed, viewer, None

    @property
    def is_signed_in(self) -> bool:
        """Whether the caller is known."""
        return self._viewer is not None

    @property
    def viewer(self) -> Viewer:
        """The signed-in caller.

        Raises:
            NotSignedIn: there is none.
        """
        if self._viewer is None:
            raise NotSignedIn("sign in first")
        return self._viewer

    @property
    def access(self) -> Access:
        """The caller's reads, within the transaction of this request."""
        return Access(self.session, self.viewer)

    @property
    def account(self) -> Account:
        """The caller's account, read once a request."""
        if self._account is None:
            self._account = self.access.account()
        return self._account

    def forget_account(self) -> None:
        """Read the account anew the next time, since it was changed."""
        self._account = None

    @property
    def address(self) -> str:
        """The caller's network address, as the trusted proxies report it; "" if unknown."""
        return request.remote_addr or ""

    @property
    def agent(self) -> str:
        """What the caller's program calls itself, at most 200 characters."""
        return request.headers.get("User-Agent", "")[:200]

    def after_commit(self, act: Callable[[], None]) -> None:
        """Have `act` called once the transaction of this request is committed, before the answer leaves."""
        self._after_commit.append(act)

    def commit(self) -> None:
        """End the transaction by keeping it; nothing to do if there is none.

        Raises:
            Unavailable: the database went away; nothing is kept.
        """
        self._session = None
        self._stack.close()
        acts, self._after_commit = self._after_commit, []
        for act in acts:
            act()

    def roll_back(self, error: Exception) -> Exception:
        """End the transaction by undoing it; return `error`, or what the store makes of it."""
        self._session = None
        self._after_commit = []
        try:
            self._stack.__exit__(type(error), error, error.__traceback__)
        except Exception as better:
            return better
        return error


class Application(Protocol):
    """What outlives a request."""

    @property
    def live(self) -> "LiveStreams": ...
    @property
    def metrics(self) -> "WebMetrics": ...
    @property
    def provisioning_wait_s(self) -> float: ...
    @property
    def apart(self) -> "Apart": ...
    @property
    def intake(self) -> "Intake | None": ...
    @property
    def senders(self) -> Senders: ...
    @property
    def device_buckets(self) -> "Buckets": ...
    @property
    def gateway_buckets(self) -> "Buckets": ...


def application() -> Application:
    """Return the application that answers the request."""
    return cast(Application, g.app)


def here() -> RequestContext:
    """Return the context of the request being answered."""
    return cast(RequestContext, g.context)
