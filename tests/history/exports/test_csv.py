"""A table that is opened in a spreadsheet runs nothing."""

import csv
import io

import pytest

from tests.history.fixes import many, read, written
from tracker.history.exports.csv import COLUMNS


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "＝1", "'=1"])
def test_no_text_of_a_device_begins_as_a_formula(text: str) -> None:
    fix = many(1)[0]._replace(trigger=text)
    file = written("csv", [fix])
    header, row = csv.reader(io.StringIO(file.decode(), newline=""))
    assert header == list(COLUMNS)
    cell = row[COLUMNS.index("trigger")]
    assert cell == "'" + text
    assert read(file) == ([fix], [], None)


def test_a_place_south_and_west_stays_a_number() -> None:
    fix = many(1)[0]
    fix = fix._replace(at=type(fix.at)(lat=-33.5, lon=-70.25))
    row = list(csv.reader(io.StringIO(written("csv", [fix]).decode(), newline="")))[1]
    assert (row[COLUMNS.index("lat")], row[COLUMNS.index("lon")]) == ("-33.5", "-70.25")
