"""`tracker migrate`."""

import click

from tracker import settings, wiring
from tracker.local.resolve import with_private_servers


@click.command("migrate")
def migrate() -> None:
    """Bring the database to this version's schema; safe to repeat."""
    wiring.migrate(with_private_servers(settings.read()))


COMMAND = migrate
