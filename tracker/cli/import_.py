"""`tracker import`."""

import hashlib
import shutil
import sys
from pathlib import Path
from typing import BinaryIO

import click

from tracker import registry, settings, wiring
from tracker.cli import _log
from tracker.domain.clock import utc_now
from tracker.domain.errors import NotFound, Refused
from tracker.domain.ids import is_id, new_id
from tracker.history.importing import Reading
from tracker.history.imports import _open
from tracker.local.resolve import with_private_servers
from tracker.store import devices, imports
from tracker.store.imports import Import, ImportState
from tracker.store.session import Database

BAR_COLUMNS = 30


@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--device", "device_id", required=True, help="The device that the positions are of: its id.")
@click.option("--format", "format_name", help="Do not tell the format from the file, it is this one.")
def import_(file: BinaryIO, device_id: str, format_name: str | None) -> None:
    """Read a file of positions into a device's history.

    Reads GPX, KML, GeoJSON, CSV, FIT, Google Takeout (ZIP, Records.json, Semantic Location History) and
    Timeline, OwnTracks Recorder .rec and Traccar CSV. Interrupted, it goes on where it was when it is run
    again; the same file twice adds nothing.
    """
    resolved = with_private_servers(settings.read())
    _log.configure(resolved.log)
    formats = registry.load("tracker.history.imports", "FORMAT")
    if not file.seekable():
        raise click.UsageError("the file must be one that can be read twice: no pipe")
    if format_name not in {None, _open.ARCHIVE, *formats}:
        raise click.UsageError(f"formats: {', '.join(formats)}, {_open.ARCHIVE}")
    if not is_id(device_id):
        raise NotFound("there is no such device")
    database = wiring.database(resolved, pool_size=2)
    try:
        claimed, subject_id = _claimed(database, file, device_id, format_name or _open.sniff(file, formats))
        if claimed.records:
            click.echo(f"goes on behind {claimed.records} records", err=True)
        reading = Reading(
            database, claimed, subject_id, file, formats, holder=imports.COMMAND, clock=utc_now, heard=_show
        )
        _sum_up(reading.run())
    finally:
        database.close()


def _claimed(database: Database, file: BinaryIO, device_id: str, format_name: str) -> tuple[Import, str]:
    """Return this file's interrupted import, or a new one, and whose positions it brings."""
    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    now = utc_now()
    with database.begin() as session:
        owned = devices.owned(session, [device_id]).get(device_id)
        if owned is None:
            raise NotFound("there is no such device")
        found = imports.resumable(session, owned.account_id, device_id, digest, format_name)
        if found is None:
            found = Import(
                account_id=owned.account_id,
                import_id=new_id(),
                device_id=device_id,
                format=format_name,
                file_name=Path(getattr(file, "name", "")).name[:200],
                digest=digest,
                size_bytes=_open.size_bytes(file),
                state=ImportState.READING,
                created_at=now,
                changed_at=now,
            )
            imports.add(session, found, holder=imports.COMMAND)
    file.seek(0)
    return found, owned.subject_id


def _show(progress: Import) -> None:
    """Draw how far it is; a line a batch where nobody looks at a terminal."""
    share = min(1.0, progress.read_bytes / max(1, progress.size_bytes))
    numbers = f"{share:4.0%}  {progress.positions_read} positions, {progress.positions_new} new"
    if progress.refused:
        numbers += f", {progress.refused} refused"
    if not sys.stderr.isatty():
        click.echo(numbers, err=True)
        return
    filled = int(share * BAR_COLUMNS)
    line = f"[{'#' * filled}{'.' * (BAR_COLUMNS - filled)}] {numbers}"
    click.echo("\r" + line[: shutil.get_terminal_size().columns - 1].ljust(BAR_COLUMNS), nl=False, err=True)


def _sum_up(done: Import) -> None:
    if sys.stderr.isatty():
        click.echo(err=True)
    click.echo(f"{done.positions_read} positions, {done.positions_new} of them new, {done.refused} refused")
    for why, count in sorted(done.detail.get("reasons", {}).items()):
        click.echo(f"  refused, {why}: {count}")
    if ending := done.detail.get("ending"):
        said = f"the rest of the file cannot be read: {ending}"
        if done.state is ImportState.FAILED:
            raise Refused(said)
        click.echo(f"  {said}")


COMMAND = import_
