"""A mail server, by SMTP.

`smtp://user:password@host:587` begins in the clear and must then turn to TLS (STARTTLS); `smtps://...:465` is
TLS from the start. Without TLS only a server on this machine is spoken to, or one named with `?plain=1`, and
the password is not given to it.
"""

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError, MessageError
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx

from tracker.domain.errors import Misconfigured, Refused, Unavailable
from tracker.notify.mail._mailer import Letter

TIMEOUT_S = 6.0
WHOLE_S = 30.0
"""A letter takes no longer, whatever the server does."""
ANSWERS_BYTES = 64 * 1024
_PORTS = {"smtp": 25, "smtps": 465}
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpAddress:
    """Where a mail server listens, as whom to sign in ("" as nobody), and whether it may be without TLS."""

    host: str
    port: int
    tls: bool
    plain_allowed: bool
    user: str
    password: str


class SmtpMailer:
    """Opens a connection for each letter: they are few, and a server forgets idle ones."""

    def __init__(self, address: SmtpAddress, tls: ssl.SSLContext) -> None:
        self._address = address
        self._tls = tls

    def send(self, letter: Letter, now: datetime, *, message_id: str) -> None:
        """Hand the letter to the server.

        Raises:
            Unavailable: no answer, no TLS, a refused password or sender, or an answer of 4xx.
            Refused: the server answers the recipient or the letter with 5xx, or the address is none.
        """
        message = message_of(letter, now, message_id)
        with self._connection() as server:
            server.send_message(message, from_addr=parseaddr(letter.sender)[1], to_addrs=[letter.to])

    def probe(self) -> None:
        """Connect, turn to TLS and sign in.

        Raises:
            Unavailable: one of these failed; says which.
        """
        with self._connection() as server:
            server.noop()

    @contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        try:
            with _Bounded(self._address, self._tls) as server:
                yield server
        except smtplib.SMTPRecipientsRefused as refused:
            raise _by_code("the recipient", max(code for code, _ in refused.recipients.values())) from None
        except smtplib.SMTPAuthenticationError as error:
            raise Unavailable(f"the mail server refuses our password: {error.smtp_code}") from None
        except smtplib.SMTPSenderRefused as error:
            raise Unavailable(f"the mail server refuses our sender: {error.smtp_code}") from None
        except smtplib.SMTPDataError as error:
            raise _by_code("the letter", error.smtp_code) from None
        except smtplib.SMTPNotSupportedError:
            raise Refused("the mail server cannot take such an address") from None
        except ssl.SSLCertVerificationError:
            raise Unavailable("the mail server's certificate is not good") from None
        except smtplib.SMTPResponseException as error:
            raise Unavailable(f"the mail server answers {error.smtp_code}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise Unavailable(f"the mail server does not answer: {type(error).__name__}") from None


def message_of(letter: Letter, now: datetime, message_id: str) -> EmailMessage:
    """Return the letter as it goes out; its Message-ID is the same for a repeat.

    Raises:
        Refused: an address is none, or a header would hold another one.
    """
    domain = parseaddr(letter.sender)[1].rpartition("@")[2]
    message = EmailMessage(policy=SMTP_POLICY)
    try:
        message["Subject"] = " ".join(letter.subject.split())
        message["From"] = letter.sender
        message["To"] = letter.to
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{message_id}@{domain}>"
        # RFC 3834: no out-of-office answers to this.
        message["Auto-Submitted"] = "auto-generated"
    except (ValueError, IndexError, MessageError, HeaderParseError):
        raise Refused("the address is none") from None
    found = message["To"].addresses
    if len(found) != 1 or found[0].addr_spec != letter.to or not found[0].username or not found[0].domain:
        raise Refused("the address is none")
    # Base64 whatever it holds: lines stay short and need no 8BITMIME of any server on the way.
    message.set_content(letter.text, cte="base64")
    return message


def _by_code(what: str, code: int) -> Refused | Unavailable:
    kind = Refused if code >= 500 else Unavailable
    return kind(f"the mail server answers {code} to {what}")


class _Bounded(smtplib.SMTP):
    """A conversation of bounded length: in bytes that come, and in time whatever comes."""

    def __init__(self, address: SmtpAddress, tls: ssl.SSLContext) -> None:
        # Named, since the default asks the resolver for this machine's whole name.
        super().__init__(timeout=TIMEOUT_S, local_hostname="tracker")
        self._address = address
        self._tls = tls
        self._left = ANSWERS_BYTES
        self._host = address.host  # what smtplib checks the certificate for
        self._watch = threading.Timer(WHOLE_S, self._give_up)
        self._watch.daemon = True

    def __enter__(self) -> "_Bounded":
        self._watch.start()
        try:
            code, _ = self.connect(self._address.host, self._address.port)
            if code != 220:
                raise smtplib.SMTPConnectError(code, "")
            self.ehlo_or_helo_if_needed()
            secure = self._address.tls or self._turn_to_tls()
            if self._address.user and secure:
                self.login(self._address.user, self._address.password)
        except smtplib.SMTPNotSupportedError:
            self._end()
            raise Unavailable("the mail server offers no way to sign in") from None
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            with suppress(smtplib.SMTPException, OSError):
                self.docmd("QUIT")
        finally:
            self._end()

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:
            self.file = _Counted(self.sock.makefile("rb"), self)  # type: ignore[union-attr]
        return super().getreply()

    def take(self, octets: int) -> None:
        """Count what came.

        Raises:
            OSError: it is more than an honest server says.
        """
        self._left -= octets
        if self._left < 0:
            raise OSError("the mail server says too much")

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        opened = socket.create_connection((host, port), timeout)
        return self._tls.wrap_socket(opened, server_hostname=host) if self._address.tls else opened

    def _turn_to_tls(self) -> bool:
        if self.has_extn("starttls"):
            code, _ = self.starttls(context=self._tls)
            if code != 220:
                raise smtplib.SMTPResponseException(code, "STARTTLS")
            self.ehlo()
            return True
        if not self._address.plain_allowed:
            raise Unavailable("the mail server offers no TLS (STARTTLS)")
        return False

    def _give_up(self) -> None:
        opened = self.sock
        if opened is not None:
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)

    def _end(self) -> None:
        self._watch.cancel()
        self.close()


class _Counted:
    """The server's answers, counted."""

    def __init__(self, stream: Any, server: _Bounded) -> None:
        self._stream = stream
        self._server = server

    def readline(self, limit: int) -> bytes:
        line: bytes = self._stream.readline(limit)
        self._server.take(len(line))
        return line

    def close(self) -> None:
        self._stream.close()


class SmtpTransport:
    """`TRACKER_MAIL=smtp(s)://...`."""

    name = "smtp"
    schemes = ("smtp", "smtps")

    def open(self, url: str, outbox_dir: Path) -> SmtpMailer:  # noqa: ARG002
        """Return the mailer of a server. `SSL_CERT_FILE` may name the certificates that are trusted.

        Raises:
            Misconfigured: the address has no host, or a wrong port.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS[parts.scheme]
        except ValueError:
            raise Misconfigured("TRACKER_MAIL: smtp(s)://user:password@host:port") from None
        host = parts.hostname or ""
        if not host:
            raise Misconfigured("TRACKER_MAIL: smtp(s)://user:password@host:port")
        address = SmtpAddress(
            host=host,
            port=port,
            tls=parts.scheme == "smtps",
            plain_allowed=host in _THIS_MACHINE or parse_qs(parts.query).get("plain") == ["1"],
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )
        return SmtpMailer(address, httpx.create_ssl_context())


TRANSPORT = SmtpTransport()
