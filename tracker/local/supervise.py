"""Starts processes in order, restarts the ones that die, stops them in reverse order.

A process goes through: started -> ready -> ended -> (after its back-off) started again. Only the first start
of a process is waited for: if it ends before it is ready, that is a mistake of set-up and the whole start
fails. Once it has been ready, every end that nobody asked for is followed by a new start.

Everything happens in the one thread that made the supervisor: Linux ends the children by PR_SET_PDEATHSIG
when that thread ends, also when this program was killed.
"""

import ctypes
import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

from tracker.domain.errors import Misconfigured
from tracker.local.identity import ServerUser

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
HEALTHY_AFTER_S = 60.0
STOP_WITHIN_S = 10.0
KEPT_FOR_EACH_S = 1.0
IMPATIENT = 2
"""How many signals mean: now."""
TURN_S = 0.25
READY_ASKED_EVERY_S = 0.1
PR_SET_PDEATHSIG = 1

Say = Callable[[str, str], None]
"""Takes the name of a process and one line that it wrote."""


def next_delay_s(previous_s: float, lived_s: float) -> float:
    """Return how long to wait before the next start of a process that lived `lived_s` seconds.

    Doubles from 0.5 s to 30 s; a life of 60 s or more begins anew. `previous_s` is 0 before the first wait.
    """
    if previous_s <= 0 or lived_s >= HEALTHY_AFTER_S:
        return FIRST_DELAY_S
    return min(previous_s * 2, LONGEST_DELAY_S)


@dataclass(frozen=True)
class Process:
    """One program to be kept running."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    ready: Callable[[], bool] = lambda: True
    user: ServerUser | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    ready_within_s: float = 60.0


@dataclass
class _Running:
    process: Process
    popen: subprocess.Popen[bytes]
    started_at_s: float
    delay_s: float = 0.0
    start_again_at_s: float | None = None
    rest: bytes = b""


class Stopped(Exception):
    """A signal asked this program to stop while something was being waited for."""


@dataclass
class Supervisor:
    """Keeps processes running until SIGINT or SIGTERM; use it as a context manager, in the main thread."""

    say: Say
    tick: Callable[[], None] = lambda: None
    """Called about four times a second while processes run."""
    _running: list[_Running] = field(default_factory=list)
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _stop_asked: int = 0

    def __enter__(self) -> "Supervisor":
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)
        self._woken.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._old_wakeup = signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        self._old_handlers = {
            number: signal.signal(number, self._on_signal)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
        }
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            for number, handler in self._old_handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(self._old_wakeup)
            self._selector.close()
            self._wake.close()
            self._woken.close()

    def _on_signal(self, number: int, _: object) -> None:
        if number != signal.SIGCHLD:
            self._stop_asked += 1

    def start(self, process: Process) -> None:
        """Start `process` and wait until it is ready; from then on it is kept running.

        Raises:
            Misconfigured: it ended, or was not ready in time; its own lines say why.
            Stopped: a signal came first.
        """
        running = self._spawn(process)
        self._running.append(running)
        give_up_at_s = time.monotonic() + process.ready_within_s
        while not process.ready():
            if running.popen.poll() is not None:
                self._read(running, to_end=True)
                raise Misconfigured(f"{process.name} {_ending(running.popen)} before it was ready")
            if time.monotonic() > give_up_at_s:
                raise Misconfigured(f"{process.name} was not ready after {process.ready_within_s:.0f} s")
            # A process that writes much must not be asked as often as it writes.
            ask_again_at_s = time.monotonic() + READY_ASKED_EVERY_S
            while (left_s := ask_again_at_s - time.monotonic()) > 0 and not self._stop_asked:
                self._turn(left_s)
            if self._stop_asked:
                raise Stopped

    def run_once(self, process: Process) -> None:
        """Run `process` to its end.

        Raises:
            Misconfigured: it failed; its own lines say why.
            Stopped: a signal came first; the process is ended.
        """
        running = self._spawn(process)
        while running.popen.poll() is None and not self._stop_asked:
            self._turn(0.1)
        if running.popen.poll() is None:
            self._end([running])
        self._read(running, to_end=True)
        if self._stop_asked:
            raise Stopped
        if running.popen.returncode != 0:
            raise Misconfigured(f"{process.name} {_ending(running.popen)}")

    def run(self) -> None:
        """Keep everything running until a signal asks to stop."""
        while not self._stop_asked:
            self._turn(TURN_S)
            for running in self._running:
                self._revive(running)
            self.tick()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to the process called `name`, if it runs at the moment."""
        for running in self._running:
            if running.process.name == name and running.popen.poll() is None:
                running.popen.send_signal(number)

    def pid(self, name: str) -> int | None:
        """Return the process id of `name`; None while it is down."""
        for running in self._running:
            if running.process.name == name and running.popen.poll() is None:
                return running.popen.pid
        return None

    def stop(self) -> None:
        """End every process within 10 s, the last started first; a second signal kills them at once."""
        self._end(list(reversed(self._running)))
        self._running.clear()

    # --- inside ---------------------------------------------------------------------------------------

    def _spawn(self, process: Process) -> _Running:
        arguments = process.user.popen_arguments() if process.user else {}
        popen: subprocess.Popen[bytes] = subprocess.Popen(
            list(process.command),
            env=dict(process.environment),
            cwd="/" if arguments else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # A session of its own: the terminal's Ctrl-C reaches this program only, which stops in order.
            start_new_session=True,
            preexec_fn=die_with_parent(process.stop_signal),  # noqa: PLW1509  # one thread only
            **arguments,  # type: ignore[call-overload]
        )
        running = _Running(process, popen, time.monotonic())
        output = _output(popen)
        os.set_blocking(output.fileno(), False)
        self._selector.register(output, selectors.EVENT_READ, running)
        return running

    def _turn(self, at_most_s: float) -> None:
        for key, _ in self._selector.select(at_most_s):
            if key.data is None:
                with suppress(BlockingIOError):
                    while self._woken.recv(4096):
                        pass
            else:
                self._read(key.data)

    def _read(self, running: _Running, *, to_end: bool = False) -> None:
        output = _output(running.popen)
        while not output.closed:
            try:
                some = os.read(output.fileno(), 65536)
            except BlockingIOError:
                some = None
            if some is None and not to_end:
                return
            if some:
                *lines, running.rest = (running.rest + some).split(b"\n")
                for line in lines:
                    self.say(running.process.name, line.decode("utf-8", "replace"))
                # A line without an end must not grow for ever.
                if len(running.rest) > 1 << 20:
                    running.rest = b""
                if not to_end:
                    return
                continue
            if running.rest:
                self.say(running.process.name, running.rest.decode("utf-8", "replace"))
                running.rest = b""
            self._selector.unregister(output)
            output.close()

    def _revive(self, running: _Running) -> None:
        if running.popen.poll() is None:
            return
        now_s = time.monotonic()
        if running.start_again_at_s is None:
            self._read(running, to_end=True)
            _kill_group(running.popen)
            running.delay_s = next_delay_s(running.delay_s, now_s - running.started_at_s)
            running.start_again_at_s = now_s + running.delay_s
            self.say(
                running.process.name,
                f"{_ending(running.popen)}; starting it again in {running.delay_s:g} s",
            )
        elif now_s >= running.start_again_at_s:
            fresh = self._spawn(running.process)
            fresh.delay_s = running.delay_s
            self._running[self._running.index(running)] = fresh

    def _end(self, in_order: Sequence[_Running]) -> None:
        give_up_at_s = time.monotonic() + STOP_WITHIN_S
        for number, running in enumerate(in_order, start=1):
            if running.popen.poll() is None:
                running.popen.send_signal(running.process.stop_signal)
            # Whoever dawdles must leave time for the servers below to write what they hold.
            turn_ends_at_s = give_up_at_s - KEPT_FOR_EACH_S * (len(in_order) - number)
            while running.popen.poll() is None and time.monotonic() < turn_ends_at_s:
                if self._stop_asked >= IMPATIENT:
                    break
                self._turn(0.1)
            if running.popen.poll() is None:
                self.say(running.process.name, "did not stop in time: killed")
                running.popen.kill()
                running.popen.wait()
            _kill_group(running.popen)
            self._read(running, to_end=True)


def _output(popen: subprocess.Popen[bytes]) -> IO[bytes]:
    if popen.stdout is None:
        raise AssertionError("every process is started with a pipe")
    return popen.stdout


def _kill_group(popen: subprocess.Popen[bytes]) -> None:
    """End what a dead process left behind in its group, such as web workers."""
    with suppress(ProcessLookupError):
        os.killpg(popen.pid, signal.SIGKILL)


def _ending(popen: subprocess.Popen[bytes]) -> str:
    code = popen.returncode
    if code is not None and code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """Return a `preexec_fn` that has Linux send `number` to the new process when the calling thread ends."""
    libc = ctypes.CDLL(None)
    parent_pid = os.getpid()

    def prepare() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(number))
        # The parent may have ended before the line above.
        if os.getppid() != parent_pid:
            os._exit(1)

    return prepare
