"""The whole service as `tracker up` starts it, for tests of the running product."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.kit.waiting import until
from tracker.local.ports import free_port


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """Return this process' environment with no setting of the product but those given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRACKER_")}
    return {**kept, "TRACKER_DATA_DIR": str(data_dir), **settings}


@dataclass
class RunningService:
    """`tracker up` with a data folder and ports of its own."""

    data_dir: Path
    arguments: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    http_port: int = field(default_factory=free_port)
    mqtt_port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.log_path = self.data_dir.with_name(f"{self.data_dir.name}.log")
        self.start()

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def log(self) -> str:
        """What it has written so far, on both streams."""
        return self.log_path.read_text()

    def environment(self) -> dict[str, str]:
        """The environment of its commands: run `python -m tracker ...` with it beside the service."""
        return environment(
            self.data_dir,
            TRACKER_HTTP=f"127.0.0.1:{self.http_port}",
            TRACKER_MQTT=f"127.0.0.1:{self.mqtt_port}",
            **self.settings,
        )

    def start(self) -> None:
        """Start it; returns at once."""
        with self.log_path.open("a") as log:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "tracker", "up", *self.arguments],
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_ready(self, timeout_s: float = 90) -> None:
        """Wait until it says that it is ready."""

        def ready() -> bool:
            assert self.popen.poll() is None, self.log[-4000:]
            try:
                return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
            except httpx.TransportError:
                return False

        until(ready, "the service to be ready", timeout_s=timeout_s)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ask it to stop and return its exit code."""
        self.popen.send_signal(number)
        return self.popen.wait(timeout=20)

    def close(self) -> None:
        """End it whatever it does; its children die with it."""
        if self.popen.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        self.log_path.unlink(missing_ok=True)
