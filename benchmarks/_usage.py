"""What processes used, as /proc tells (Linux, proc(5))."""

import os
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """Return the processor seconds of a process and its children, the ended ones that it waited for too."""
    words = _stat(pid)
    own = sum(map(int, words[11:15])) / _TICKS_PER_S
    return own + sum(cpu_s(child) for child in children(pid))


def peak_memory_mb(pid: int) -> float:
    """Return the most memory that a process had resident so far."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1000
    raise LookupError(pid)


def memory_mb(pid: int) -> float:
    """Return the memory that a process has resident now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    raise LookupError(pid)


def parent(pid: int) -> int:
    """Return the id of the process that started this one."""
    return int(_stat(pid)[1])


def children(pid: int) -> list[int]:
    """Return the ids of the running processes that a process started."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        # Ended meanwhile.
        return ["Z", "0", *["0"] * 20]
