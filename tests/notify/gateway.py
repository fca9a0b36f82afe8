"""A real small HTTP gateway that remembers what it got and answers what it is told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Got:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: str

    @property
    def message(self) -> dict[str, str]:
        decoded: dict[str, str] = json.loads(self.body)
        return decoded


@dataclass
class Gateway:
    """Answers `status`; numbers in `by_number` get theirs; while `hold` is not set nobody is answered."""

    port: int = 0
    status: int = 200
    by_number: dict[str, int] = field(default_factory=dict)
    hold: threading.Event = field(default_factory=threading.Event)
    got: list[Got] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/send"


@contextmanager
def gateway() -> Iterator[Gateway]:
    """Run a gateway on a free port."""
    here = Gateway()
    here.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            got = Got(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            here.got.append(got)
            here.hold.wait(30)
            to = got.message["to"] if body else ""
            self.send_response(here.by_number.get(to, here.status))
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - http.server's name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield here
    finally:
        here.hold.set()
        server.shutdown()
        server.server_close()
        thread.join()
