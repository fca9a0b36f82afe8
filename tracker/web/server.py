"""Runs the application in gunicorn with gevent: thousands of open streams in one small process."""

from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import gevent
from gunicorn import util
from gunicorn.app.base import BaseApplication
from gunicorn.http import errors
from gunicorn.workers.ggevent import GeventWorker
from werkzeug.exceptions import ClientDisconnected

if TYPE_CHECKING:
    from tracker.web.app import Application

CONNECTIONS = 20_000
GRACE_S = 5
"""How long open answers may still take once the server is told to stop; streams end at once by themselves."""

BROKEN = {
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
}
"""How requests that are no HTTP are answered, but for the usual 400."""


class Body:
    """The body of a request; one whose chunks make no sense ends like a caller who went away."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        """Read on.

        Raises:
            ClientDisconnected: the rest cannot be read.
        """
        try:
            return bytes(self._stream.read(size if size >= 0 else None))
        except errors.ParseException:
            raise ClientDisconnected from None  # its text quotes the body


def whole_bodies(application: Callable[..., Any]) -> Callable[..., Any]:
    """Return a WSGI application for which a body that is shorter than announced is an error, and no body."""

    def wrapped(environ: dict[str, Any], start_response: Any) -> Any:
        environ["wsgi.input"] = Body(environ["wsgi.input"])
        if environ.get("CONTENT_LENGTH"):
            # Gunicorn ends a body that was cut short like a whole one; so told, werkzeug counts itself.
            environ.pop("wsgi.input_terminated", None)
        return application(environ, start_response)

    return wrapped


def serve(make_app: Callable[[], "Application"], host: str, port: int, *, workers: int = 1) -> None:
    """Serve until SIGTERM or SIGINT. The standard library must be cooperative already (gevent's `patch_all`).

    `make_app` builds services and application inside the worker: connections and threads made before the
    fork would be shared.
    """

    class Worker(GeventWorker):  # type: ignore[misc]
        """A worker whose streams end when it is told to stop."""

        def handle_exit(self, sig: int, frame: Any) -> None:
            super().handle_exit(sig, frame)
            self._end_streams()

        def handle_quit(self, sig: int, frame: Any) -> None:
            super().handle_quit(sig, frame)
            self._end_streams()

        def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:  # noqa: ARG002
            """Answer what failed outside the application.

            Gunicorn would log the request and quote it: an address may hold a password and a place.
            """
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            if isinstance(exc, errors.ParseException):
                status = BROKEN.get(type(exc), HTTPStatus.BAD_REQUEST)
            else:
                self.log.error("a request failed: %s", type(exc).__name__)
            with suppress(OSError):
                util.write_error(client, status.value, status.phrase, "")

        def _end_streams(self) -> None:
            app = getattr(self.app, "served", None)
            if app is not None:
                # A signal handler may not wait for a lock; a greenlet may.
                gevent.spawn(app.live.stop)

    class Server(BaseApplication):  # type: ignore[misc]
        """gunicorn, told everything here and nothing by files or arguments."""

        served: "Application | None" = None

        def load_config(self) -> None:
            address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            for name, value in {
                "bind": [address],
                "workers": workers,
                "worker_class": Worker,
                "worker_connections": CONNECTIONS,
                "graceful_timeout": GRACE_S,
                "timeout": 60,
                "keepalive": 65,
                "limit_request_line": 4094,
                "limit_request_fields": 64,
                "limit_request_field_size": 8190,
                "forwarded_allow_ips": "",
                "proc_name": "tracker-web",
                "errorlog": "-",
                "loglevel": "warning",
                "accesslog": None,
                "control_socket_disable": True,
            }.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> "Application":
            self.served = make_app()
            self.served.wsgi_app = whole_bodies(self.served.wsgi_app)  # type: ignore[method-assign]
            return self.served

    Server().run()
