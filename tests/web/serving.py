"""`tracker web` as a process of its own, for tests of what a test client cannot show."""

import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.kit.service import environment
from tests.kit.waiting import until
from tracker.local.ports import free_port
from tracker.local.supervise import die_with_parent

SECRET_KEY = "0123456789abcdef0123456789abcdef"


@dataclass
class WebServer:
    """One running web server on a port of its own."""

    data_dir: Path
    database_url: str
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        settings = {
            "TRACKER_HTTP": f"127.0.0.1:{self.port}",
            "TRACKER_DATABASE_URL": self.database_url,
            "TRACKER_BROKER_URL": "mqtt://127.0.0.1:1",
            "TRACKER_SECRET_KEY": SECRET_KEY,
        }
        self.log_path = self.data_dir / "web.log"
        with self.log_path.open("w") as log:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "tracker", "web"],
                env=environment(self.data_dir, **settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509
            )
        until(self._answers, "the web server to answer", timeout_s=60)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self.log_path.read_text()

    def _answers(self) -> bool:
        assert self.popen.poll() is None, self.log
        try:
            return httpx.get(f"{self.url}/healthz", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def close(self) -> None:
        """End it whatever it does."""
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
