"""Files within a ZIP archive (a Takeout, a KMZ), read as streams and never unpacked. Pure.

An archive is hostile until shown otherwise: its directory, its members and what they unpack to are bounded,
whatever its headers claim.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from tracker.history.imports._record import HEAD_BYTES, Broken, Ending

MAGIC = b"PK\x03\x04"
MEMBERS = 10_000
DIRECTORY_BYTES = 4 * 1024 * 1024
UNPACKED_BYTES = 16 * 1024**3
RATIO = 200
"""JSON of positions packs to a tenth, repeated text to a fiftieth; bombs to a thousandth and less."""
RATIO_FROM_BYTES = 16 * 1024 * 1024

_END = b"PK\x05\x06"
_END_BYTES = 22
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1


class Budget:
    """How much one archive may still unpack to."""

    def __init__(self) -> None:
        self.left = UNPACKED_BYTES


class Member(io.RawIOBase):
    """One file of an archive, read forwards within the archive's bounds."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget) -> None:
        super().__init__()
        self._allowed = max(RATIO_FROM_BYTES, info.compress_size * RATIO)
        self._budget = budget
        try:
            self._file = archive.open(info)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError):
            raise Broken(Ending.ARCHIVE) from None

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read on.

        Raises:
            Broken: the member is damaged, or unpacks to more than it may.
        """
        try:
            read = self._file.read(len(buffer))
        except EOFError:
            raise Broken(Ending.CUT_SHORT) from None
        except (zipfile.BadZipFile, zlib.error, ValueError):
            raise Broken(Ending.ARCHIVE) from None
        self._allowed -= len(read)
        self._budget.left -= len(read)
        if self._allowed < 0 or self._budget.left < 0:
            raise Broken(Ending.TOO_LARGE)
        buffer[: len(read)] = read
        return len(read)

    def close(self) -> None:
        """Close the member; the archive stays open."""
        if not self.closed:
            self._file.close()
        super().close()


def check_directory(stream: BinaryIO) -> None:
    """Pass if the archive's directory is one that is safe to read whole.

    Raises:
        Broken: there is none, or it has more than 10,000 members or 4 MiB, or is of the 64-bit kind.
    """
    size = stream.seek(0, io.SEEK_END)
    tail_bytes = min(size, _END_BYTES + 0xFFFF)
    stream.seek(size - tail_bytes)
    tail = stream.read(tail_bytes)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise Broken(Ending.ARCHIVE)
    count = int.from_bytes(tail[at + 10 : at + 12], "little")
    directory_bytes = int.from_bytes(tail[at + 12 : at + 16], "little")
    if count > MEMBERS or directory_bytes > DIRECTORY_BYTES:
        raise Broken(Ending.TOO_LARGE)
    if b"PK\x06\x07" in tail[max(0, at - 20) : at]:
        raise Broken(Ending.TOO_LARGE)
    stream.seek(0)


def members(stream: BinaryIO) -> Iterator[tuple[bytes | Ending, BinaryIO]]:
    """Yield the head and the whole stream of each file, in the order they lie in the archive.

    What is packed by an unusual method is passed over. In place of its head, one that is encrypted has
    ENCRYPTED, and one that is damaged at its very beginning ARCHIVE. A stream is closed when the next is
    asked for.

    Raises:
        Broken: the directory cannot be read.
    """
    check_directory(stream)
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError):
        raise Broken(Ending.ARCHIVE) from None
    budget = Budget()
    with archive:
        for info in sorted(archive.infolist(), key=lambda each: each.header_offset):
            if info.is_dir():
                continue
            if info.flag_bits & _ENCRYPTED:
                yield Ending.ENCRYPTED, io.BytesIO()
                continue
            if info.compress_type not in _METHODS:
                continue
            with io.BufferedReader(Member(archive, info, budget), buffer_size=HEAD_BYTES) as member:
                yield _head(member), member


def _head(member: "io.BufferedReader[Member]") -> bytes | Ending:
    try:
        return member.peek(HEAD_BYTES)[:HEAD_BYTES]
    except Broken as error:
        if error.ending is Ending.TOO_LARGE:
            raise
        return Ending.ARCHIVE
