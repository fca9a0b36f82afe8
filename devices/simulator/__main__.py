"""`python -m devices.simulator demo|fleet`: simulated devices against a real broker."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from devices.simulator.credentials import CredentialsUnreadable, read_credentials
from devices.simulator.family import run_demo
from devices.simulator.fleet import run_fleet, summary
from devices.simulator.track import TrackUnreadable


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return the exit code: 0 done, 1 the fleet was not fully acknowledged, 2 wrong
    input."""
    asked = _parser().parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        credentials = read_credentials(asked.credentials)
        if asked.command == "demo":
            run_demo(credentials, stopped=stop.is_set)
            return 0
        report = run_fleet(
            credentials,
            positions=asked.positions,
            rate_per_s=asked.rate,
            out=asked.out,
            timeout_s=asked.timeout,
            stopped=stop.is_set,
        )
    except (CredentialsUnreadable, TrackUnreadable) as error:
        print(error, file=sys.stderr)
        return 2
    print(summary(report))
    return 0 if report.complete else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m devices.simulator", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="replay tracks for ever, as now")
    fleet = commands.add_parser(
        "fleet", help="publish N positions and wait until each is acknowledged as committed"
    )
    for each in (demo, fleet):
        each.add_argument("--credentials", type=Path, required=True, metavar="FILE")
    fleet.add_argument("--positions", type=int, required=True, metavar="N")
    fleet.add_argument("--rate", type=float, required=True, metavar="PER_SECOND")
    fleet.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="acknowledged: device_id,recorded_at"
    )
    fleet.add_argument("--timeout", type=float, default=600.0, metavar="SECONDS")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
