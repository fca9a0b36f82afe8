"""`tracker work`."""

import click

from tracker import settings, wiring
from tracker.cli import _log
from tracker.local.resolve import with_private_servers


@click.command("work")
def work() -> None:
    """Send notifications, keep the broker's users and the tables in order until told to stop."""
    resolved = with_private_servers(settings.read())
    _log.configure(resolved.log)
    wiring.run_work(resolved)


COMMAND = work
