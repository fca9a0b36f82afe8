"""The whole service as one command runs it: two copies side by side, whose processes are then killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.kit.places import new_folder
from tests.kit.service import RunningService
from tests.kit.waiting import until
from tracker.local.ports import free_port

PROCESSES = ("postgres", "mosquitto", "ingest", "work", "web")


def children(service: RunningService) -> dict[str, int]:
    """Return the process ids of a service's own processes by name; one that is down is missing."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = status.read_text().rpartition(")")
            words = (status.parent / "cmdline").read_text().split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        state, parent = rest.split()[:2]
        # A process that is ending has no command line before it is a zombie.
        if int(parent) == service.popen.pid and state != "Z" and words[0]:
            command = Path(words[0]).name
            found[command if command in PROCESSES else words[3]] = int(status.parent.name)
            assert name
    return found


def started(service: RunningService) -> list[str]:
    """Return the command lines of every process with the service's data folder in arguments or settings."""
    mark = str(service.data_dir).encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        if folder.name == str(os.getpid()):
            continue
        try:
            words = (folder / "cmdline").read_bytes()
            if mark in words or mark in (folder / "environ").read_bytes():
                found.append(words.replace(b"\0", b" ").decode())
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[RunningService, RunningService]]:
    """Two services with data folders and ports of their own, both ready."""
    with ExitStack() as stack:
        services = []
        for _ in range(2):
            service = RunningService(stack.enter_context(new_folder()) / "var")
            stack.callback(service.close)
            services.append(service)
        for service in services:
            service.wait_ready()
            until(lambda log=service: "Ryadom runs at" in log.log, "the last line")  # type: ignore[misc]
        yield services[0], services[1]


def test_two_copies_run_side_by_side(pair: tuple[RunningService, RunningService]) -> None:
    for service in pair:
        assert set(children(service)) == set(PROCESSES)
        assert f"Ryadom runs at {service.url}" in service.log
        assert f"SMS codes are written to {service.data_dir}/outbox/sms.jsonl" in service.log


def test_the_doctor_finds_nothing_wrong(pair: tuple[RunningService, RunningService]) -> None:
    done = run(pair[0], "doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["ok", name]
        for name in ("database", "postgis", "migrations", "broker", "sms", "mail", "push", "disk", "clock")
    ]
    assert "only for development" in done.stdout


def test_a_third_copy_on_the_same_data_folder_is_refused_in_one_line(
    pair: tuple[RunningService, RunningService],
) -> None:
    done = run(pair[0], "up")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "TRACKER_DATA_DIR" in done.stderr


@pytest.mark.parametrize("setting", ["TRACKER_HTTP", "TRACKER_MQTT"])
def test_a_taken_port_is_said_in_one_line_before_anything_starts(
    pair: tuple[RunningService, RunningService], data_dir: Path, setting: str
) -> None:
    free = {"TRACKER_HTTP": f"127.0.0.1:{free_port()}", "TRACKER_MQTT": f"127.0.0.1:{free_port()}"}
    taken = {**free, "TRACKER_DATA_DIR": str(data_dir), setting: pair[0].environment()[setting]}
    done = run(pair[1], "up", **taken)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert setting in done.stderr
    assert not (data_dir / "postgres" / "data").exists()


@pytest.mark.parametrize("name", ["ingest", "mosquitto", "postgres", "web"])
def test_a_killed_process_comes_back_and_the_service_with_it(
    pair: tuple[RunningService, RunningService], name: str
) -> None:
    service = pair[0]
    killed = children(service)[name]
    os.kill(killed, signal.SIGKILL)
    until(lambda: children(service).get(name) not in {None, killed}, f"{name} to come back")
    service.wait_ready()
    until(lambda: set(children(service)) == set(PROCESSES), "every process")


def test_ctrl_c_stops_everything_and_a_second_start_finds_it_all(
    pair: tuple[RunningService, RunningService],
) -> None:
    service = pair[1]
    secret = (service.data_dir / "keys" / "secret").read_text()
    assert service.stop(signal.SIGINT) == 0
    assert started(service) == []
    service.start()
    service.wait_ready()
    assert (service.data_dir / "keys" / "secret").read_text() == secret


def test_processes_end_with_a_service_that_was_killed(pair: tuple[RunningService, RunningService]) -> None:
    service = pair[1]
    service.popen.kill()
    service.popen.wait()
    until(lambda: started(service) == [], "everything to end")


def run(service: RunningService, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run a command beside a service."""
    return subprocess.run(
        [sys.executable, "-m", "tracker", *arguments],
        env={**service.environment(), **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
