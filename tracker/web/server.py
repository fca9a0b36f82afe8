"""Runs the application in gunicorn with gevent: thousands of open streams in one small process."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gevent
from gunicorn.app.base import BaseApplication
from gunicorn.workers.ggevent import GeventWorker

if TYPE_CHECKING:
    from tracker.web.app import Application

CONNECTIONS = 20_000
GRACE_S = 5
"""How long open answers may still take once the server is told to stop; streams end at once by themselves."""


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
            return self.served

    Server().run()
