"""Lines of a file of any size, each of bounded length. Pure."""

from collections.abc import Iterator
from typing import BinaryIO

LINE_BYTES = 64 * 1024


def lines(stream: BinaryIO, *, keep_ends: bool = False) -> Iterator[str | None]:
    """Yield the lines, without their ends unless wanted; None for one beyond 64 KiB.

    Text is UTF-8 with or without a byte order mark; what is not UTF-8 becomes U+FFFD.
    """
    first = True
    while line := stream.readline(LINE_BYTES + 2):
        whole = line.endswith(b"\n")
        if not whole and len(line) > LINE_BYTES:
            while (more := stream.readline(LINE_BYTES)) and not more.endswith(b"\n"):
                pass
            yield None
        else:
            text = line.decode("utf-8", "replace")
            text = text if keep_ends else text.rstrip("\r\n")
            yield text.removeprefix("\ufeff") if first else text
        first = False
