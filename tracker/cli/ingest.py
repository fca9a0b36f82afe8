"""`tracker ingest`."""

import click

from tracker import settings, wiring
from tracker.local.resolve import with_private_servers


@click.command("ingest")
def ingest() -> None:
    """Take positions from the broker into the database until told to stop."""
    wiring.run_ingest(with_private_servers(settings.read()))


COMMAND = ingest
