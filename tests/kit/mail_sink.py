"""A real mail server (aiosmtpd) that keeps what it takes."""

import email
import email.policy
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.kit.certificates import write_certificate
from tracker.local.ports import free_port

USER, PASSWORD = "ryadom", "p@ss word"


@dataclass
class MailSink:
    """Refuses `nobody@` for good, `later@` for now, and letters whose subject holds "spam"."""

    port: int
    certificate: Path | None
    got: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address.startswith("nobody@"):
            return "550 5.1.1 no such user"
        if address.startswith("later@"):
            return "451 4.3.0 try later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        if "spam" in str(message["Subject"]):
            return "554 5.7.1 no"
        self.raw.append(envelope.content)
        self.got.append(message)
        self.secured.append(session.ssl is not None)
        self.senders.append(envelope.mail_from)
        return "250 2.0.0 queued"


@contextmanager
def mail_sink(folder: Path, *, tls: bool = True, implicit: bool = False) -> Iterator[MailSink]:
    """Run a mail server: with STARTTLS and a password, with TLS from the start, or with neither."""
    certificate, key = write_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    sink = MailSink(free_port(), certificate)
    how: dict[str, Any] = {}
    if implicit:
        how = {"ssl_context": context}
    elif tls:
        how = {"tls_context": context, "require_starttls": True, "auth_required": True}
        how["authenticator"] = _authenticate
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port, **how)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()


def _authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    # With `handled` nothing would be answered.
    return AuthResult(success=right, handled=False)
