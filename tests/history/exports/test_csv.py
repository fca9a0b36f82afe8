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
    assert cell.startswith("'" + text[0])
    assert read(file) == ([fix], [], None)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
@pytest.mark.parametrize("text", ["a{}=1+1{}b", "a{}'=1{}'", 'a{}"=1{}', "{}{}-1", "a{}＝1{}", "x{}y{}z"])
def test_a_spreadsheet_that_splits_at_another_separator_finds_no_formula_either(
    separator: str, text: str
) -> None:
    fix = many(1)[0]._replace(trigger=text.format(separator, separator), attrs={"k": f"v{separator}=1"})
    file = written("csv", [fix])
    for line in file.decode().splitlines()[1:]:
        for cell in next(csv.reader([line], delimiter=separator)):
            assert not cell.startswith(("=", "+", "-", "@", "＝"))
    assert read(file) == ([fix], [], None)


def test_a_place_south_and_west_stays_a_number() -> None:
    fix = many(1)[0]
    fix = fix._replace(at=type(fix.at)(lat=-33.5, lon=-70.25))
    row = list(csv.reader(io.StringIO(written("csv", [fix]).decode(), newline="")))[1]
    assert (row[COLUMNS.index("lat")], row[COLUMNS.index("lon")]) == ("-33.5", "-70.25")
