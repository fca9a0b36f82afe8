"""Files that people hand in: kept in a folder until the worker has read them."""

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from tracker.domain.errors import Invalid, Unavailable
from tracker.domain.ids import is_id, new_id
from tracker.history.imports import _open
from tracker.history.imports._record import Broken, Format
from tracker.store import imports
from tracker.store.imports import Import, ImportState
from tracker.store.session import Session

AT_ONCE = 5
"""How many imports of one account may wait or run."""
ROOM_BYTES = 512 * 1024 * 1024
"""What must stay free of the disk beside a file."""
ORPHAN_AFTER_S = 3600
_CHUNK_BYTES = 256 * 1024


class Source(Protocol):
    """Where the bytes of a file come from."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file that was received whole."""

    import_id: str
    format: str
    digest: str
    size_bytes: int


class Uploads:
    """The folder of files that wait to be read, each named by its import's id; at most `limit_bytes` each."""

    def __init__(self, folder: Path, formats: Mapping[str, Format], *, limit_bytes: int) -> None:
        self._folder = folder
        self._formats = formats
        self.limit_bytes = limit_bytes

    def path(self, import_id: str) -> Path:
        """Return where the file of an import is."""
        return self._folder / import_id

    def check_room(self, size_bytes: int) -> None:
        """Pass if a file of so many bytes may come.

        Raises:
            Invalid: it is larger than the service takes.
            Unavailable: the disk has no room for it now.
        """
        if size_bytes > self.limit_bytes:
            raise Invalid(("file", "is larger than this service takes"))
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shutil.disk_usage(self._folder).free < size_bytes + ROOM_BYTES:
            raise Unavailable("the disk has no room for the file")

    def receive(self, source: Source) -> Kept:
        """Write a file to the folder as it comes, and tell its format.

        Raises:
            Invalid: it is empty, larger than the service takes, or of no known format.
            Unavailable: the disk is full.
        """
        import_id = new_id()
        path = self.path(import_id)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            return self._receive(source, import_id, path)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise Unavailable("the file could not be kept") from error
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def _receive(self, source: Source, import_id: str, path: Path) -> Kept:
        digest, size_bytes = hashlib.sha256(), 0
        path.touch(mode=0o600)
        with path.open("wb") as file:
            while chunk := source.read(_CHUNK_BYTES):
                size_bytes += len(chunk)
                if size_bytes > self.limit_bytes:
                    raise Invalid(("file", "is larger than this service takes"))
                digest.update(chunk)
                file.write(chunk)
        if not size_bytes:
            raise Invalid(("file", "is empty"))
        with path.open("rb") as read:
            try:
                name = _open.sniff(read, self._formats)
            except Broken:
                raise Invalid(("file", "is of no format that this service reads")) from None
        return Kept(import_id=import_id, format=name, digest=digest.hexdigest(), size_bytes=size_bytes)

    def open(self, import_id: str) -> BinaryIO:
        """Return the file of an import.

        Raises:
            FileNotFoundError: it is not there.
        """
        return self.path(import_id).open("rb")

    def remove(self, import_id: str) -> None:
        """Delete the file of an import, if it is there."""
        self.path(import_id).unlink(missing_ok=True)

    def sweep(self, needed: set[str], now: datetime) -> int:
        """Delete files that no import needs and that nobody has written to for an hour; return how many."""
        if not self._folder.is_dir():
            return 0
        found = 0
        for path in self._folder.iterdir():
            if is_id(path.name) and path.name not in needed:
                try:
                    age_s = now.timestamp() - path.stat().st_mtime
                except FileNotFoundError:
                    continue
                if age_s > ORPHAN_AFTER_S:
                    path.unlink(missing_ok=True)
                    found += 1
        return found


def check_count(session: Session, account_id: str) -> None:
    """Pass if the account may hand in one more file.

    Raises:
        Invalid: five of its files wait or are being read.
    """
    if imports.count_unfinished(session, account_id) >= AT_ONCE:
        raise Invalid(("file", "five files wait already; let them be read first"))


def ask(
    session: Session, kept: Kept, *, account_id: str, device_id: str, file_name: str, now: datetime
) -> Import:
    """Have a received file read into the history of a device of the account; return the import."""
    new = Import(
        account_id=account_id,
        import_id=kept.import_id,
        device_id=device_id,
        format=kept.format,
        file_name=file_name,
        digest=kept.digest,
        size_bytes=kept.size_bytes,
        state=ImportState.QUEUED,
        created_at=now,
        changed_at=now,
    )
    imports.add(session, new)
    return new


def cancel(session: Session, account_id: str, import_id: str, now: datetime) -> None:
    """End an import; what was read stays.

    Raises:
        NotFound: this account has no such import.
    """
    imports.cancel(session, account_id, import_id, now)
