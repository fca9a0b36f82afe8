"""`tracker ingest`."""

import click

from tracker import settings, wiring
from tracker.cli import _log
from tracker.local.resolve import with_private_servers


@click.command("ingest")
def ingest() -> None:
    """Take positions from the broker into the database until told to stop."""
    resolved = with_private_servers(settings.read())
    _log.configure(resolved.log)
    wiring.run_ingest(resolved)


COMMAND = ingest
