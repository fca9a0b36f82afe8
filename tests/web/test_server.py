"""`tracker web` as a process: cooperative from its first import, and quiet."""

import signal
import socket
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from gunicorn.http.errors import InvalidChunkSize
from werkzeug.test import run_wsgi_app

from tests.web.serving import WebServer
from tracker.web.server import whole_bodies


def test_the_server_starts_without_a_warning_of_late_patching_and_stops_when_told(
    data_dir: Path, committed_database: str
) -> None:
    server = WebServer(data_dir, committed_database)
    try:
        assert "MonkeyPatchWarning" not in server.log
        assert server.log == ""
        server.popen.send_signal(signal.SIGTERM)
        assert server.popen.wait(timeout=10) == 0
    finally:
        server.close()


SECRET = "/api/v1/ingest/osmand/0123456789abcdef/0a1b2c3d4e5f60718293a4b5c6d7e8f9?lat=60.17081&lon=24.94151"


def test_a_request_that_cannot_be_read_is_answered_and_not_quoted_in_the_log(
    data_dir: Path, committed_database: str
) -> None:
    broken = {
        f"GET {SECRET}&name=\xc3 HTTP/1.1\r\n\r\n": b"400",
        f"GET {SECRET}\r\n\r\n": b"400",
        f"GET {SECRET}&name=a {SECRET} HTTP/1.1\r\n\r\n": b"400",
        f"GET / HTTP/1.1\r\nAuthorization {SECRET}\r\n\r\n": b"400",
        f"GET / HTTP/1.1\r\nTransfer-Encoding: {SECRET}\r\n\r\n": b"501",
        f"GET / HTTP/1.1\r\nExpect: {SECRET}\r\n\r\n": b"417",
        f"GET {SECRET}{'x' * 5000} HTTP/1.1\r\n\r\n": b"414",
        f"GET / HTTP/1.1\r\nX: {SECRET}{'x' * 9000}\r\n\r\n": b"431",
    }
    server = WebServer(data_dir, committed_database)
    try:
        for text, status in broken.items():
            with socket.create_connection(("127.0.0.1", server.port), timeout=10) as caller:
                caller.sendall(text.encode("latin-1"))
                answer = caller.recv(4096)
            assert answer.split()[1] == status
            assert b"60.17" not in answer
        assert server.log == ""
    finally:
        server.close()


class Nonsense(BytesIO):
    """What gunicorn's body does over chunks that are none."""

    def read(self, size: int | None = -1) -> bytes:  # noqa: ARG002
        raise InvalidChunkSize(SECRET.encode())


@pytest.mark.parametrize(
    ("body", "length", "status"),
    [
        (BytesIO(b"12345"), "5", 200),
        (BytesIO(b"1234"), "5", 400),
        (BytesIO(b"12345"), None, 200),
        (Nonsense(), None, 400),
    ],
)
def test_a_body_that_is_cut_short_or_garbled_is_not_taken_for_a_whole_one(
    body: BytesIO, length: str | None, status: int
) -> None:
    app = Flask(__name__)
    taken: list[bytes] = []

    @app.post("/")
    def take() -> str:
        taken.append(request.stream.read())
        return ""

    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "SERVER_NAME": "x",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": body,
        "wsgi.input_terminated": True,
    } | ({"CONTENT_LENGTH": length} if length else {})
    _, answered, _ = run_wsgi_app(whole_bodies(app), environ)
    assert int(answered.split()[0]) == status
    assert taken == ([b"12345"] if status == 200 else [])
