"""A program under test: keeps two children, `lower` and `upper`, each of which writes its life to a file.

python -m tests.local.supervised FOLDER [stubborn]
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

from tracker.local.supervise import Process, Stopped, Supervisor

CHILD = """
import os, signal, sys, time
name, folder, stubborn = sys.argv[1:]
def note(what):
    with open(folder + "/life", "a") as life:
        life.write(f"{name} {what} {os.getpid()}\\n")
def end(*_):
    note("asked")
    if stubborn != name:
        note("ended")
        sys.exit(0)
signal.signal(signal.SIGTERM, end)
note("started")
open(f"{folder}/{name}.ready", "w").close()
print("hello from", name, flush=True)
while True:
    time.sleep(60)
"""


def child(name: str, folder: Path, stubborn: str) -> Process:
    """Return a child that is ready once its file is there."""
    return Process(
        name=name,
        command=(sys.executable, "-c", CHILD, name, str(folder), stubborn),
        environment=os.environ,
        ready=(folder / f"{name}.ready").exists,
    )


def main() -> None:
    """Run until a signal."""
    folder = Path(sys.argv[1])
    stubborn = sys.argv[2] if len(sys.argv) > 2 else ""

    def say(name: str, line: str) -> None:
        sys.stdout.write(f"{name} | {line}\n")
        sys.stdout.flush()

    with Supervisor(say) as supervisor, suppress(Stopped):
        supervisor.start(child("lower", folder, stubborn))
        supervisor.start(child("upper", folder, stubborn))
        (folder / "all.ready").touch()
        supervisor.run()


if __name__ == "__main__":
    main()
