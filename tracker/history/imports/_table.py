"""Reads tables of text with a header, whatever their separator, in bounded memory. Pure."""

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping
from typing import BinaryIO

from tracker.history.imports._lines import lines

SEPARATORS = (",", ";", "\t", "|")
COLUMNS = 500
DECIMAL_COMMA = ";"
"""Spreadsheets part columns by this where the comma is in the numbers; elsewhere it may part thousands."""

_WITH_COMMA = re.compile(r"\s*[-+]?\d*,\d+(?:[eE][-+]?\d+)?\s*", re.ASCII)


def header(head: bytes) -> tuple[str, ...]:
    """Return the names in the first line of a file, lower case and without blanks around them."""
    line = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].decode("utf-8", "replace").strip("\r")
    return _names(line)[1]


def _names(line: str) -> tuple[str, tuple[str, ...]]:
    separator = max(SEPARATORS, key=line.count)
    try:
        row = next(csv.reader(io.StringIO(line), delimiter=separator), [])
    except csv.Error:
        row = []
    return separator, tuple(name.strip().lower() for name in row)


def rows(stream: BinaryIO, *, texts: Collection[str] = ()) -> Iterator[tuple[int, Mapping[str, str] | None]]:
    """Yield the number of the line that ends each row, and its cells by column; None for one of no sense.

    A row of another length than the header is of no sense, and so is one with a quote that does not close.
    In a table parted by semicolons, numbers with a decimal comma get a point, but not in the columns `texts`.
    """
    count = 0

    def counted() -> Iterator[str]:
        nonlocal count
        for line in source:
            count += 1
            # csv refuses a NUL, which is how a line beyond all bounds is made to fail.
            yield "\0" if line is None else line

    source = lines(stream, keep_ends=True)
    first = next(source, None)
    count += 1
    if first is None:
        return
    separator, names = _names(first.rstrip("\r\n"))
    if len(names) > COLUMNS:
        return
    numbered = counted()
    reader = csv.reader(numbered, delimiter=separator)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield count, None
            reader = csv.reader(numbered, delimiter=separator)
            continue
        if not row:
            continue
        if len(row) != len(names):
            yield count, None
            continue
        cells = dict(zip(names, row, strict=True))
        if separator == DECIMAL_COMMA:
            cells |= _with_points(cells, texts)
        yield count, cells


def _with_points(cells: Mapping[str, str], texts: Collection[str]) -> dict[str, str]:
    """Return the numbers with a decimal comma, with a point instead."""
    return {
        name: cell.replace(",", ".")
        for name, cell in cells.items()
        if "," in cell and name not in texts and _WITH_COMMA.fullmatch(cell)
    }
