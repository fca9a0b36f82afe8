"""A file of JSON lines, readable by its owner only, that several processes append to."""

import fcntl
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path


def append_line(path: Path, now: datetime, line: Mapping[str, str]) -> None:
    """Append one object with `at` and the members of `line`, whole or not at all.

    Raises:
        OSError: the file cannot be written, or the disk is full.
    """
    at = now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    octets = json.dumps({"at": at, **line}, ensure_ascii=False).encode() + b"\n"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        try:
            if os.write(descriptor, octets) != len(octets):
                raise OSError(28, "no space left")
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)
