"""`tracker web`."""

import click
from gevent import monkey


@click.command("web")
def web() -> None:
    """Serve the pages and the API until told to stop."""
    # Nothing that holds a socket, a lock or TLS may be imported before this: it would stay uncooperative.
    monkey.patch_all()
    _serve()


def _serve() -> None:
    from tracker import settings, wiring  # noqa: PLC0415 - see above
    from tracker.cli import _log  # noqa: PLC0415
    from tracker.local.resolve import with_private_servers  # noqa: PLC0415
    from tracker.web.app import Application, create_app  # noqa: PLC0415
    from tracker.web.server import serve  # noqa: PLC0415

    resolved = with_private_servers(settings.read())
    _log.configure(resolved.log)
    host, port = resolved.http_address

    def make_app() -> Application:
        services = wiring.build(resolved, pool_size=20)
        return create_app(services, intake=wiring.intake(services))

    serve(make_app, host, port)


COMMAND = web
