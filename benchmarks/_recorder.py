"""The peer: OwnTracks Recorder 0.9.7 on the same broker, writing its files, its HTTP server off."""

import multiprocessing
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks._fleet import LISTENER, PASSWORD, PEER_ROOT, PUBLISHER, wait_for
from benchmarks._publisher import publish_all
from benchmarks._servers import ENVIRONMENT, Servers


def program() -> Path | None:
    """Return where script/peer-recorder put the program, or None."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    found = Path(cache) / "ryadom" / "recorder-0.9.7" / "ot-recorder"
    return found if found.exists() else None


def positions_per_s(servers: Servers, messages: Sequence[tuple[str, bytes]]) -> float | None:
    """Return how many of these the Recorder stores a second, or None if it was not built.

    From the publisher's first byte to the last change of its files. They go below a root of their own, so
    that ingest has no work meanwhile.
    """
    found = program()
    if found is None:
        return None
    folder = Path(tempfile.mkdtemp(prefix="recorder-"))
    server = ("--host", "127.0.0.1", "--port", str(servers.broker.port), "--qos", "1", "--http-port", "0")
    files = ("--storage", str(folder), "--norevgeo", "--quiet")
    environment = ENVIRONMENT | {"OTR_USER": LISTENER, "OTR_PASS": PASSWORD}
    subprocess.run([found, *files, "--initialize"], check=True, env=environment, capture_output=True)
    process = subprocess.Popen(
        [found, *server, *files, f"{PEER_ROOT}/+/+"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        first, rest = _renamed(messages[:1]), _renamed(messages)
        # Its last will tells nothing of when it has subscribed: the first position it stores does.
        wait_for(lambda: _published(servers, first) and _lines(folder) > 0, "the Recorder", every_s=0.5)
        before = _lines(folder)
        began, _ = _published(servers, rest)
        wait_for(lambda: _lines(folder) >= before + len(rest), "the Recorder's files")
        return len(rest) / (max(each.stat().st_mtime for each in _files(folder)) - began)
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _renamed(messages: Sequence[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return [(PEER_ROOT + topic[topic.index("/") :], payload) for topic, payload in messages]


def _published(servers: Servers, messages: Sequence[tuple[str, bytes]]) -> tuple[float, float]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        address = ("127.0.0.1", servers.broker.port, PUBLISHER, PASSWORD)
        return pool.apply_async(publish_all, (*address, messages)).get(timeout=60)


def _files(folder: Path) -> list[Path]:
    return list((folder / "rec").rglob("*.rec"))


def _lines(folder: Path) -> int:
    return sum(each.read_bytes().count(b"\n") for each in _files(folder))
