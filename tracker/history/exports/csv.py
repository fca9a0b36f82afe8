"""CSV (RFC 4180) with a header: one row a position, columns named as the product names things.

Texts come from devices, so a spreadsheet must not take one for a formula (CWE-1236): a text that begins like
one, or with an apostrophe, gets an apostrophe before it, which the reader of this format takes off again. So
does what stands behind a separator of other tables: where the comma is the decimal sign, spreadsheets split a
row at semicolons.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from tracker.domain.position import Placed
from tracker.history.exports._writer import MEASURES, as_text, known, rfc3339

COLUMNS = ("recorded_at", "received_at", "subject_id", "device_id", "lat", "lon", *MEASURES)
_FORMULA = re.compile("""(^|[;|\t\r\n])(?="*[-=+@\t\r\n'＝＋－＠])""")
_TEXTS = frozenset({"trigger", "network", "attrs"})


class Csv:
    """Writes a table."""

    name = "csv"
    media_type = "text/csv; charset=utf-8"

    def write(self, pages: Iterable[Sequence[Placed]], title: str) -> Iterator[bytes]:  # noqa: ARG002
        """Yield a whole table; it has no place for a title."""
        yield (",".join(COLUMNS) + "\r\n").encode()
        for page in pages:
            text = io.StringIO(newline="")
            writer = csv.writer(text)
            writer.writerows(map(_row, page))
            yield text.getvalue().encode()


def _row(placed: Placed) -> list[str]:
    position = placed.position
    cells = {name: as_text(value) for name, value in known(position)}
    for name in _TEXTS & cells.keys():
        cells[name] = guarded(cells[name])
    return [
        rfc3339(position.recorded_at),
        rfc3339(placed.received_at),
        placed.subject_id,
        placed.device_id,
        repr(position.at.lat),
        repr(position.at.lon),
        *(cells.get(name, "") for name in MEASURES),
    ]


def guarded(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return _FORMULA.sub(r"\1'", text)


FORMAT = Csv()
