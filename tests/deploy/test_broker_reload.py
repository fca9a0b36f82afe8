"""deploy/mosquitto/run.sh, run here with its paths moved into a folder of the test."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.waiting import until
from tracker.domain.broker_password import password_hash
from tracker.ingest.client import BrokerAddress, accepts
from tracker.local.identity import find_program
from tracker.local.ports import answers, free_port

ROOT = Path(__file__).parents[2]


@pytest.fixture
def container(data_dir: Path) -> Iterator[tuple["subprocess.Popen[bytes]", Path, int]]:
    """The script with nothing in its broker folder yet: process, folder, port."""
    port = free_port()
    moved = {"/broker/": f"{data_dir}/broker/", "/mosquitto/": f"{data_dir}/mosquitto/"}
    for folder in ("broker", "mosquitto/config", "mosquitto/data"):
        (data_dir / folder).mkdir(parents=True)
        (data_dir / folder).chmod(0o777)
    for name in ("run.sh", "mosquitto.conf"):
        text = (ROOT / "deploy/mosquitto" / name).read_text()
        for before, after in moved.items():
            text = text.replace(before, after)
        text = text.replace("listener 1883", f"listener {port} 127.0.0.1")
        (data_dir / "mosquitto/config" / name).write_text(text)
    program = find_program("mosquitto", "/usr/sbin")
    assert program is not None
    with (data_dir / "log").open("wb") as log:
        popen = subprocess.Popen(
            ["/bin/sh", str(data_dir / "mosquitto/config/run.sh")],
            env={"PATH": f"{program.parent}:{os.defpath}"},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    yield popen, data_dir, port
    if popen.poll() is None:
        os.killpg(popen.pid, signal.SIGKILL)
        popen.wait()


def put(folder: Path, name: str, text: str) -> None:
    """Replace a file as the provisioner does."""
    draft = folder / f".{name}"
    draft.write_text(text)
    draft.chmod(0o644)
    draft.rename(folder / name)


def test_it_waits_for_its_files_reads_them_again_and_stops(
    container: tuple["subprocess.Popen[bytes]", Path, int],
) -> None:
    popen, folder, port = container
    assert not answers("127.0.0.1", port)
    put(folder / "broker", "access", "topic read nothing\n")
    put(folder / "broker", "passwords", f"one:{password_hash('first')}\n")
    until(lambda: answers("127.0.0.1", port), "Mosquitto to listen")
    put(folder / "broker", "passwords", f"two:{password_hash('second')}\n")
    second = BrokerAddress(host="127.0.0.1", port=port, tls=False, username="two", password="second")
    until(lambda: accepts(second), "Mosquitto to read its files again")
    popen.send_signal(signal.SIGTERM)
    assert popen.wait(timeout=10) == 0
    assert not answers("127.0.0.1", port)
