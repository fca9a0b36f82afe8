"""A whole running service of its own, as `tracker up` starts it, and browsers of two sizes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.kit.waiting import until
from tracker.local.ports import free_port

CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser")
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@dataclass(frozen=True)
class House:
    """The running service: where its pages are and where its messages go."""

    url: str
    mqtt_port: int
    data_dir: Path

    def last_code(self, phone: str) -> str:
        """Return the newest code sent to a phone, once there is one."""
        path = self.data_dir / "outbox" / "sms.jsonl"

        def newest() -> str | None:
            lines = path.read_text().splitlines() if path.exists() else []
            for line in reversed(lines):
                message = json.loads(line)
                if message["to"] == phone:
                    assert message["from"] == "3339"
                    digits = [word.strip(".,:;#") for word in message["text"].split()]
                    return next(word for word in digits if word.isdigit() and len(word) == 8)
            return None

        return until(newest, "a code by SMS")


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One service for all stories of this process."""
    data_dir = tmp_path_factory.mktemp("house")
    http_port, mqtt_port = free_port(), free_port()
    log = (data_dir.parent / "house.log").open("w")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRACKER_")} | {
        "TRACKER_DATA_DIR": str(data_dir),
        "TRACKER_HTTP": f"127.0.0.1:{http_port}",
        "TRACKER_MQTT": f"127.0.0.1:{mqtt_port}",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tracker", "up"], env=environment, stdout=log, stderr=subprocess.STDOUT
    )
    found = House(url=f"http://127.0.0.1:{http_port}", mqtt_port=mqtt_port, data_dir=data_dir)

    def ready() -> bool:
        assert process.poll() is None, Path(log.name).read_text()[-4000:]
        try:
            return httpx.get(f"{found.url}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    try:
        until(ready, "the service to be ready", timeout_s=90)
        yield found
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=30)
        finally:
            process.kill()
            log.close()
    assert process.returncode == 0, Path(log.name).read_text()[-4000:]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium without a window."""
    executable = next(path for path in CHROMIUM if Path(path).exists())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(CHROMIUM_ARGUMENTS))
        yield browser
        browser.close()
