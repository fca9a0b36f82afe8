"""Takes a file of positions out of a request, without holding the database or the file in memory."""

from tracker import registry
from tracker.history import uploads
from tracker.history.uploads import Source, Uploads
from tracker.settings import Settings
from tracker.store.imports import Import
from tracker.web.context import RequestContext


def folder(settings: Settings) -> Uploads:
    """Return where files wait for the worker."""
    formats = registry.load("tracker.history.imports", "FORMAT")
    return Uploads(settings.data_dir / "imports", formats, limit_bytes=settings.import_bytes)


def take(
    context: RequestContext, source: Source, *, device_id: str, file_name: str, size_bytes: int
) -> Import:
    """Keep a file and have it read into the history of one of the caller's devices.

    `size_bytes` is what the caller says that he sends, 0 if he does not.

    Raises:
        NotFound: the device is missing, or not the caller's.
        Invalid: the file is empty, too large, of no known format, or too many wait.
        Unavailable: the disk has no room.
    """
    kept_in = folder(context.services.settings)
    device = context.access.device(device_id)
    uploads.check_count(context.session, device.account_id)
    kept_in.check_room(size_bytes)
    # The file may take minutes to come: no connection to the database may wait for it.
    context.commit()
    kept = kept_in.receive(source)
    try:
        context.access.device(device_id)
        uploads.check_count(context.session, device.account_id)
        return uploads.ask(
            context.session,
            kept,
            account_id=device.account_id,
            device_id=device_id,
            file_name=file_name,
            now=context.services.clock(),
        )
    except Exception:
        kept_in.remove(kept.import_id)
        raise
