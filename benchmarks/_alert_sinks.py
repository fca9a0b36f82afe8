"""Where alerts end: an SMSC (smpp34), a mail server (aiosmtpd) and a push service, each a process of its own.

Mail and push are taken over TLS, by a certificate made for the measurement. Each notes the moment when it has
a message whole; what the message says is read when the measurement is over.
"""

import asyncio
import contextlib
import email
import email.policy
import http.client
import ipaddress
import multiprocessing
import queue
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, NamedTuple

import smpp34
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.kit.push_sink import Browser
from tracker.domain.clock import utc_now
from tracker.local.ports import free_port

USER, PASSWORD = "ryadom", "secret"
RECEIPT, HEADED, WIDE = 4, 0x40, 8
BARE_TEXT = "P0000 arrived at School at 8:31"


class Taken(NamedTuple):
    """A message that a sink had whole at `at_s`, Unix time, as it came."""

    channel: str
    at_s: float
    body: bytes


@dataclass
class Sinks:
    """The running sinks, what they took so far, and how to send each a bare message."""

    certificate: Path
    ports: dict[str, int]
    _told: "Queue[Taken]"
    browser: Browser = field(default_factory=Browser)

    @property
    def sms_url(self) -> str:
        """What `TRACKER_SMS` says."""
        return f"smpp://{USER}:{PASSWORD}@127.0.0.1:{self.ports['sms']}"

    @property
    def mail_url(self) -> str:
        """What `TRACKER_MAIL` says."""
        return f"smtp://{USER}:{PASSWORD}@localhost:{self.ports['email']}"

    def push_endpoint(self, name: str) -> str:
        """Return what a browser would give."""
        return f"https://localhost:{self.ports['webpush']}/{name}"

    def take(self) -> list[Taken]:
        """Return what came since the last call."""
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self._told.get(timeout=0.05))
        return found

    def text(self, taken: Taken) -> str:
        """Return what a message says to a person."""
        if taken.channel == "webpush":
            return str(self.browser.open(taken.body)["body"])
        if taken.channel == "email":
            letter = email.message_from_bytes(taken.body, policy=email.policy.default)
            return str(letter.get_content())
        return taken.body.decode()

    def bare_ms(self, channel: str, count: int) -> list[float]:
        """Return how long each of so many bare messages took, from us to the sink's answer and back.

        A letter has a connection of its own, as the service sends it; the others share one.
        """
        if channel == "sms":
            return asyncio.run(_bare_sms(self.ports["sms"], count))
        context = ssl.create_default_context(cafile=str(self.certificate))
        if channel == "email":
            return [_timed_ms(lambda: _bare_letter(self.ports["email"], context)) for _ in range(count)]
        link = http.client.HTTPSConnection("localhost", self.ports["webpush"], context=context)
        link.connect()
        try:
            return [_timed_ms(lambda: _bare_push(link)) for _ in range(count)]
        finally:
            link.close()


@contextmanager
def alert_sinks(folder: Path) -> Iterator[Sinks]:
    """Run the three sinks from when they listen; the certificate is written to the folder."""
    certificate, key = _write_certificate(folder)
    spawn = multiprocessing.get_context("spawn")
    told: Queue[Taken] = spawn.Queue()
    runs = {"sms": _run_smsc, "email": _run_mail_server, "webpush": _run_push_service}
    ports = {channel: free_port() for channel in runs}
    ready = {channel: spawn.Event() for channel in runs}
    running = [
        spawn.Process(target=run, args=(ports[channel], ready[channel], told, certificate, key), daemon=True)
        for channel, run in runs.items()
    ]
    for each in running:
        each.start()
    try:
        for channel, listens in ready.items():
            if not listens.wait(60):
                raise TimeoutError(f"the sink of {channel} did not begin to listen")
        yield Sinks(certificate=certificate, ports=ports, _told=told)
    finally:
        for process in running:
            process.kill()
            process.join()


def _run_smsc(port: int, ready: Event, told: "Queue[Taken]", _certificate: Path, _key: Path) -> None:
    asyncio.run(_serve_smsc(port, ready, told))


async def _serve_smsc(port: int, ready: Event, told: "Queue[Taken]") -> None:
    server = smpp34.Server(host="127.0.0.1", port=port, system_id="sink")
    await server.start()
    ready.set()
    sessions: dict[str, Any] = {}
    running: set[asyncio.Task[None]] = set()
    count = 0
    while True:
        event = await server.next()
        if isinstance(event, smpp34.Esme):
            sessions[event.session_id] = event
        elif isinstance(event, smpp34.Unbound):
            sessions.pop(event.session_id, None)
        else:
            at_s, count = time.time(), count + 1
            event.accept(f"{count:x}")
            told.put(Taken("sms", at_s, _octets(event)))
            if event.registered_delivery:
                task = asyncio.create_task(_receipt(sessions[event.session_id], event, f"{count:x}"))
                running.add(task)
                task.add_done_callback(running.discard)


def _octets(event: smpp34.SubmitSmEvent) -> bytes:
    octets = event.short_message[6:] if event.esm_class & HEADED else event.short_message
    return octets.decode("utf-16-be" if event.data_coding == WIDE else "latin-1").encode()


async def _receipt(esme: Any, event: smpp34.SubmitSmEvent, message_id: str) -> None:
    date = "2611231754"
    text = f"id:{message_id} sub:001 dlvrd:001 submit date:{date} done date:{date} stat:DELIVRD err:000 text:"
    await esme.deliver_sm(
        source_addr=event.destination_addr,
        destination_addr=event.source_addr,
        esm_class=RECEIPT,
        short_message=text.encode(),
    )


class _MailSink:
    def __init__(self, told: "Queue[Taken]") -> None:
        self._told = told

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's
        self._told.put(Taken("email", time.time(), envelope.content))
        return "250 2.0.0 queued"


def _run_mail_server(port: int, ready: Event, told: "Queue[Taken]", certificate: Path, key: Path) -> None:
    controller = Controller(
        _MailSink(told),
        hostname="127.0.0.1",
        port=port,
        tls_context=_server_tls(certificate, key),
        require_starttls=True,
        auth_required=True,
        authenticator=lambda *_: AuthResult(success=True, handled=False),
    )
    controller.start()
    ready.set()
    while True:
        time.sleep(3600)


def _run_push_service(port: int, ready: Event, told: "Queue[Taken]", certificate: Path, key: Path) -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.put(Taken("webpush", time.time(), body))
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.socket = _server_tls(certificate, key).wrap_socket(server.socket, server_side=True)
    ready.set()
    server.serve_forever()


def _server_tls(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def _timed_ms(send: Callable[[], None]) -> float:
    began_s = time.perf_counter()
    send()
    return (time.perf_counter() - began_s) * 1000


async def _bare_sms(port: int, count: int) -> list[float]:
    client = smpp34.Client("127.0.0.1", port, USER, PASSWORD)
    smsc = await client.connect()
    taken = []
    for _ in range(count):
        began_s = time.perf_counter()
        await smsc.submit_sm(destination_addr="79990000001", short_message=BARE_TEXT.encode())
        taken.append((time.perf_counter() - began_s) * 1000)
    await client.stop()
    return taken


def _bare_letter(port: int, context: ssl.SSLContext) -> None:
    with smtplib.SMTP("localhost", port, local_hostname="bench") as link:
        link.starttls(context=context)
        link.login(USER, PASSWORD)
        link.sendmail("a@example.org", ["b@example.org"], f"Subject: bare\r\n\r\n{BARE_TEXT}\r\n")


def _bare_push(link: http.client.HTTPSConnection) -> None:
    link.request("POST", "/bare", BARE_TEXT)
    link.getresponse().read()


def _write_certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(utc_now() - timedelta(days=1))
        .not_valid_after(utc_now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "sinks.pem", folder / "sinks.key"
    files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files
