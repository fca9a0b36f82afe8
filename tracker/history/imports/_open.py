"""Tells of what format a file is, by what is in it, and opens it. Pure."""

import io
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from tracker.history.imports import _archive
from tracker.history.imports._record import HEAD_BYTES, Broken, Ending, Format, Record

ARCHIVE = "zip"
RAW, CONCLUDED = "google_records", "google_semantic"


def format_of(head: bytes, formats: Mapping[str, Format]) -> Format | None:
    """Return the format of a file that begins with `head`; None for one that is not known.

    A format that asks for more is asked first, in the order below; the others follow by name.
    """
    head = head.removeprefix(b"\xef\xbb\xbf")
    first = ("fit", "gpx", "kml", "google_semantic", "google_timeline", "google_records", "traccar_csv")
    names = (*(name for name in first if name in formats), *(name for name in formats if name not in first))
    return next((formats[name] for name in names if formats[name].matches(head)), None)


def sniff(stream: BinaryIO, formats: Mapping[str, Format]) -> str:
    """Return the name of the format of a file, "zip" for an archive; the stream is at its start again.

    Raises:
        Broken: UNKNOWN_FORMAT.
    """
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    if head.startswith(_archive.MAGIC):
        return ARCHIVE
    found = format_of(head, formats)
    if found is None:
        raise Broken(Ending.UNKNOWN_FORMAT)
    return found.name


def records(stream: BinaryIO, name: str, formats: Mapping[str, Format]) -> Iterator[Record]:
    """Yield the records of a file of the named format; of an archive, those of every file it knows.

    Raises:
        Broken: the rest cannot be read, or an archive holds nothing that is known.
    """
    if name == ARCHIVE:
        yield from _archived(stream, formats)
    else:
        yield from formats[name].read(stream)


def _archived(stream: BinaryIO, formats: Mapping[str, Format]) -> Iterator[Record]:
    kinds: set[str] = set()
    encrypted = False
    for head, _ in _archive.members(stream):
        if isinstance(head, Ending):
            encrypted |= head is Ending.ENCRYPTED
        elif found := format_of(head, formats):
            kinds.add(found.name)
    if not kinds:
        raise Broken(Ending.ENCRYPTED if encrypted else Ending.UNKNOWN_FORMAT)
    # Where the fixes themselves are there, what was concluded from them would only blur the track.
    passed_over = {CONCLUDED} if RAW in kinds else set()
    stream.seek(0)
    ending: Broken | None = None
    for head, member in _archive.members(stream):
        if isinstance(head, Ending):
            ending = Broken(head)
            continue
        found = format_of(head, formats)
        if found is None or found.name in passed_over:
            continue
        try:
            yield from found.read(member)
        except Broken as error:
            # One damaged file does not hide the others; a bomb ends everything.
            if error.ending is Ending.TOO_LARGE:
                raise
            ending = error
    if ending:
        raise ending


def size_bytes(stream: BinaryIO) -> int:
    """Return the length of a stream, which is at its start afterwards."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    return size
