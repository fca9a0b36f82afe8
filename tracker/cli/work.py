"""`tracker work`."""

import click

from tracker import settings, wiring
from tracker.local.resolve import with_private_servers


@click.command("work")
def work() -> None:
    """Send notifications, keep the broker's users and the tables in order until told to stop."""
    wiring.run_work(with_private_servers(settings.read()))


COMMAND = work
