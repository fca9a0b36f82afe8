import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.kit.waiting import until
from tracker.domain.errors import Misconfigured
from tracker.local.supervise import Process, Supervisor

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the supervised program on `tmp_path`, wait until both children are ready."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> "subprocess.Popen[str]":
        popen = subprocess.Popen(
            [sys.executable, "-m", "tests.local.supervised", str(tmp_path), *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(popen)
        until((tmp_path / "all.ready").exists, "both children")
        return popen

    yield run
    for popen in started:
        if popen.poll() is None:
            popen.kill()
        popen.communicate()


def life(folder: Path) -> list[list[str]]:
    """Return what the children wrote: name, what, process id."""
    return [line.split() for line in (folder / "life").read_text().splitlines()]


def lives(pid: int) -> bool:
    """Tell whether a process runs, zombies not counted."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def pids(folder: Path) -> dict[str, int]:
    """Return the newest process id of each child."""
    return {name: int(pid) for name, what, pid in life(folder) if what == "started"}


def test_a_killed_child_is_started_again(start: Start, tmp_path: Path) -> None:
    start()
    first = pids(tmp_path)["upper"]
    os.kill(first, signal.SIGKILL)
    until(lambda: pids(tmp_path)["upper"] != first, "a new child")
    assert lives(pids(tmp_path)["upper"])
    assert not Path(f"/proc/{first}").exists(), "the dead one was not reaped"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_last_started_first_and_leaves_nothing(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    popen = start()
    popen.send_signal(number)
    assert popen.wait(timeout=15) == 0
    assert [line[:2] for line in life(tmp_path)[-4:]] == [
        ["upper", "asked"],
        ["upper", "ended"],
        ["lower", "asked"],
        ["lower", "ended"],
    ]
    assert not any(lives(pid) for pid in pids(tmp_path).values())


def test_a_child_that_does_not_stop_is_killed_and_the_others_still_get_their_time(
    start: Start, tmp_path: Path
) -> None:
    popen = start("upper")
    popen.send_signal(signal.SIGINT)
    assert popen.wait(timeout=15) == 0
    assert ["lower", "ended"] in [line[:2] for line in life(tmp_path)]
    assert not any(lives(pid) for pid in pids(tmp_path).values())


def test_a_second_signal_does_not_wait_for_the_stubborn(start: Start, tmp_path: Path) -> None:
    popen = start("upper")
    popen.send_signal(signal.SIGINT)
    until(lambda: ["upper", "asked"] in [line[:2] for line in life(tmp_path)], "the first signal")
    popen.send_signal(signal.SIGINT)
    assert popen.wait(timeout=5) == 0
    assert not any(lives(pid) for pid in pids(tmp_path).values())


def test_children_end_with_a_parent_that_was_killed(start: Start, tmp_path: Path) -> None:
    popen = start()
    popen.kill()
    popen.wait()
    until(lambda: not any(lives(pid) for pid in pids(tmp_path).values()), "the children to end")


def test_lines_carry_the_name_of_their_process(start: Start) -> None:
    popen = start()
    popen.send_signal(signal.SIGINT)
    written, _ = popen.communicate(timeout=15)
    assert "lower | hello from lower" in written
    assert "upper | hello from upper" in written


def test_a_process_that_ends_before_it_is_ready_is_a_mistake_of_set_up() -> None:
    said: list[tuple[str, str]] = []
    with Supervisor(lambda name, line: said.append((name, line))) as supervisor:
        broken = Process("broken", ("sh", "-c", "echo the reason; exit 7"), os.environ, ready=lambda: False)
        with pytest.raises(Misconfigured, match="broken ended with exit code 7"):
            supervisor.start(broken)
    assert ("broken", "the reason") in said


def test_a_process_that_is_never_ready_is_given_up() -> None:
    with Supervisor(lambda *_: None) as supervisor:
        slow = Process("slow", ("sleep", "60"), os.environ, ready=lambda: False, ready_within_s=0.2)
        with pytest.raises(Misconfigured, match="slow was not ready"):
            supervisor.start(slow)
        pid = supervisor.pid("slow")
        assert pid is not None
    assert not lives(pid)


def test_run_once_tells_failure_from_success() -> None:
    with Supervisor(lambda *_: None) as supervisor:
        supervisor.run_once(Process("fine", ("true",), os.environ))
        with pytest.raises(Misconfigured, match="bad ended with exit code 1"):
            supervisor.run_once(Process("bad", ("false",), os.environ))
