"""docs/import.md names every format."""

import re
from pathlib import Path

from flask import Flask
from flask_babel import Babel

from tests.history.fixes import READERS, WRITERS
from tracker.history.imports._record import Ending, Why
from tracker.web.pages.imports import words

DOCS = Path(__file__).parents[2] / "docs" / "import.md"


def test_the_table_lists_the_formats_that_exist() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", DOCS.read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(READERS)
    assert WRITERS.keys() <= READERS.keys()


def test_every_reason_and_ending_has_words() -> None:
    app = Flask("words")
    Babel(app)
    with app.test_request_context():
        said = words()
    assert said["reasons"].keys() == {each.value for each in Why}
    assert said["endings"].keys() == {each.value for each in Ending}
