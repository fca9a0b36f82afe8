"""Those who call the application in tests: by bearer, by named token, by cookie, or as a stranger."""

import re
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from tracker.domain.account import SessionKind, SessionLevel, SignedSession
from tracker.domain.errors import Reason
from tracker.domain.geo import LatLon
from tracker.domain.ids import new_id
from tracker.domain.position import Placed, Position
from tracker.store import accounts, outbox, positions, quarantine, sessions, unclaimed
from tracker.store.seal import token_hash
from tracker.web.context import Services
from tracker.web.guards import SESSION_COOKIE

Answer = Any
"""A werkzeug TestResponse; its own type calls the JSON of every answer optional."""

_CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Caller:
    """One caller of the application; `bearer` or `cookie` is its secret, neither makes a stranger."""

    app: Flask
    bearer: str | None = None
    cookie: str | None = None
    session_id: str = ""
    account_id: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client: FlaskClient = self.app.test_client()
        if self.cookie:
            self.client.set_cookie(SESSION_COOKIE, self.cookie)
        if self.bearer:
            self.headers["Authorization"] = f"Bearer {self.bearer}"

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        """Call the API with JSON; a caller by cookie sends his CSRF token."""
        headers = {**self.headers, **options.pop("headers", {})}
        if self.cookie and method not in {"GET", "HEAD"}:
            headers.setdefault("X-CSRF-Token", self.csrf())
        if body is not None:
            options["json"] = body
        return self.client.open(path, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> Answer:
        """GET."""
        return self.call("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        """POST a JSON body."""
        return self.call("POST", path, body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> Answer:
        """PATCH with a JSON body."""
        return self.call("PATCH", path, body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Answer:
        """PUT a JSON body."""
        return self.call("PUT", path, body, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        """DELETE."""
        return self.call("DELETE", path, **options)

    def csrf(self) -> str:
        """Return the token of this browser's forms."""
        answer = self.client.get("/account" if self.cookie else "/login")
        if answer.status_code == 303:  # signed in meanwhile
            answer = self.client.get("/account")
        page = answer.get_data(as_text=True)
        found = _CSRF.search(page)
        assert found, page[:2000]
        return found[1]

    def submit(self, path: str, **fields: str) -> Answer:
        """Submit a form of a page, as a browser does."""
        return self.client.post(path, data={"csrf_token": self.csrf(), **fields})


@dataclass(frozen=True)
class Household:
    """One account with a caller of each kind."""

    account_id: str
    phone: str
    bearer: Caller
    token: Caller
    cookie: Caller


def any_phone() -> str:
    """Return a Russian mobile number that no other test uses."""
    return f"+7999{secrets.randbelow(10_000_000):07d}"


def any_address() -> str:
    """Return an address in a network that no other test calls from, so that its limits are untouched."""
    return ".".join(str(part) for part in (10, *secrets.token_bytes(2), 1))


def household(app: Flask, services: Services, phone: str) -> Household:
    """Open an account for `phone` and sign in by every kind of session, the code given just now."""
    now = services.clock()
    with services.database.begin() as session:
        account = accounts.open_account(session, phone=phone, locale="en", region="RU", now=now)
        callers = {}
        for kind, level in (
            (SessionKind.BEARER, SessionLevel.SMS),
            (SessionKind.TOKEN, SessionLevel.TOKEN),
            (SessionKind.COOKIE, SessionLevel.SMS),
        ):
            secret = secrets.token_urlsafe(32)
            signed = SignedSession(
                account_id=account.account_id,
                session_id=new_id(),
                kind=kind,
                level=level,
                name=f"test {kind}",
                created_at=now,
                last_seen_at=now,
                expires_at=now + timedelta(days=30),
                proved_at=now,
            )
            sessions.add(session, signed, token_hash(secret))
            callers[kind] = (secret, signed.session_id)
    made = {}
    for kind, (secret, session_id) in callers.items():
        made[kind] = Caller(
            app,
            bearer=None if kind is SessionKind.COOKIE else secret,
            cookie=secret if kind is SessionKind.COOKIE else None,
            session_id=session_id,
            account_id=account.account_id,
        )
    return Household(
        account.account_id,
        phone,
        made[SessionKind.BEARER],
        made[SessionKind.TOKEN],
        made[SessionKind.COOKIE],
    )


def add_subject(caller: Caller, name: str = "Rex", kind: str = "pet") -> str:
    """Add a subject by the API and return its id."""
    answer = caller.post("/api/v1/subjects", {"kind": kind, "name": name})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.json["id"])


def add_device(caller: Caller, subject_id: str, name: str = "collar", dialect: str = "native") -> str:
    """Add a device by the API and return its id."""
    body = {"subject_id": subject_id, "name": name, "dialect": dialect}
    answer = caller.post("/api/v1/devices", body)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.json["id"])


TABLE = b"time,lat,lon\r\n2026-11-20T09:00:00Z,60.17,24.94\r\n2026-11-20T09:01:00Z,60.18,24.95\r\n"


def hand_in(caller: Caller, device_id: str, data: bytes = TABLE, name: str = "track.csv") -> str:
    """Hand in a file of positions by the API and return the id of its import."""
    answer = caller.call(
        "POST",
        f"/api/v1/imports?device_id={device_id}&name={name}",
        data=data,
        headers={"Content-Type": "application/octet-stream"},
    )
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.json["id"])


def add_gateway(caller: Caller, name: str = "Traccar", dialect: str = "traccar_forward") -> str:
    """Add a gateway by the API and return its id."""
    answer = caller.post("/api/v1/gateways", {"name": name, "dialect": dialect})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.json["id"])


def hear(
    services: Services, account_id: str, origin_id: str, external_id: str, dialect: str = "traccar_forward"
) -> None:
    """Note an unknown device as ingest would."""
    with services.database.begin() as session:
        unclaimed.note(session, account_id, origin_id, external_id, dialect, 1, services.clock())


def report(
    services: Services,
    account_id: str,
    subject_id: str,
    device_id: str,
    *,
    minutes_ago: float = 0.0,
    at: LatLon = LatLon(lat=60.17, lon=24.94),  # noqa: B008 - a value, frozen
    **known: Any,
) -> Position:
    """Store a position as ingest would."""
    now = services.clock()
    position = Position(recorded_at=now - timedelta(minutes=minutes_ago), at=at, **known)
    with services.database.begin() as session:
        positions.ensure_partitions(session, {positions.week_of(position.recorded_at)})
        placed = Placed(
            account_id=account_id,
            subject_id=subject_id,
            device_id=device_id,
            received_at=now,
            position=position,
        )
        positions.append(session, [placed])
    return position


def refuse(
    services: Services,
    account_id: str,
    device_id: str,
    *,
    reason: Reason = Reason.NOT_JSON,
    payload: bytes = b"{",
    minutes_ago: float = 0.0,
    **known: Any,
) -> str:
    """Put a message into quarantine as ingest would, and return its id."""
    with services.database.begin() as session:
        return quarantine.put(
            session,
            services.sealer,
            account_id=account_id,
            device_id=device_id,
            reason=reason,
            detail=known.pop("detail", ""),
            topic=known.pop("topic", "a topic"),
            payload=payload,
            received_at=services.clock() - timedelta(minutes=minutes_ago),
            **known,
        )


def sent_code(services: Services, phone: str) -> str:
    """Return the code of the newest message to `phone` that waits to be sent, taking every waiting one."""
    codes = []
    with services.database.begin() as session:
        while claimed := outbox.claim(session, services.sealer, services.clock()):
            for one in claimed:
                outbox.settle(session, one.outbox_id, "sent", services.clock())
                if one.notification.kind == "login_code" and one.notification.to == phone:
                    codes.append(str(one.notification.args["code"]))
    assert codes, "no code was sent"
    return codes[-1]
