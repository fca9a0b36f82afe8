"""`tracker export`."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

import click

from tracker import registry, settings, wiring
from tracker.cli import _log
from tracker.domain.clock import utc_now
from tracker.domain.ids import is_id
from tracker.domain.position import EARLIEST, Placed
from tracker.history.exporting import pages
from tracker.history.exports._writer import Writer
from tracker.local.resolve import with_private_servers
from tracker.store import exports


class Moment(click.ParamType[datetime]):
    """A moment by RFC 3339, or a date, which is its midnight in UTC."""

    name = "moment"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment."""
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail("a moment as 2026-01-31T12:00:00Z, or a date", param, ctx)
        return found if found.tzinfo else found.replace(tzinfo=UTC)


@click.command("export")
@click.option("--device", "device_id", help="A device's positions: its id.")
@click.option("--subject", "subject_id", help="The positions of all devices of a subject: its id.")
@click.option("--format", "format_name", default="gpx", show_default=True, help="gpx, kml, geojson or csv.")
@click.option("--from", "since", type=Moment(), help="From this moment on; from the first if unsaid.")
@click.option("--to", "until", type=Moment(), help="Before this moment; to the last if unsaid.")
@click.option(
    "--output", type=click.File("wb"), default="-", help="Where to write; to standard output if unsaid."
)
def export(
    device_id: str | None,
    subject_id: str | None,
    format_name: str,
    since: datetime | None,
    until: datetime | None,
    output: BinaryIO,
) -> None:
    """Write stored positions to a file that `tracker import` and other programs read."""
    resolved = with_private_servers(settings.read())
    _log.configure(resolved.log)
    formats = registry.load("tracker.history.exports", "FORMAT")
    if format_name not in formats:
        raise click.UsageError(f"formats: {', '.join(formats)}")
    identity = device_id or subject_id
    if (device_id is None) == (subject_id is None) or not is_id(identity or ""):
        raise click.UsageError("give --device ID or --subject ID")
    writer: Writer = formats[format_name]
    database = wiring.database(resolved, pool_size=1)
    with database.begin() as session:
        moved = exports.device(session, device_id) if device_id else exports.subject(session, str(subject_id))

    def fetch(
        since: datetime, until: datetime, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[Placed]:
        with database.begin() as session:
            return exports.page(session, moved, since=since, until=until, after=after, limit=limit)

    found = pages(fetch, since or EARLIEST, until or utc_now() + timedelta(days=1))
    try:
        for part in writer.write(found, moved.name):
            output.write(part)
        output.flush()
    except BrokenPipeError:
        # The reader has seen enough, as `head` does.
        sys.stderr.close()
    finally:
        database.close()


COMMAND = export
