"""`tracker web`."""

import click

from tracker import settings, wiring
from tracker.cli import _log
from tracker.local.resolve import with_private_servers
from tracker.web.app import create_app
from tracker.web.server import serve


@click.command("web")
def web() -> None:
    """Serve the pages and the API until told to stop."""
    resolved = with_private_servers(settings.read())
    _log.configure(resolved.log)
    host, port = resolved.http_address
    serve(lambda: create_app(wiring.build(resolved, pool_size=20)), host, port)


COMMAND = web
