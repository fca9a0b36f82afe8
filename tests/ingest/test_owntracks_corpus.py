"""Every recorded OwnTracks message comes out as its line says."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.messages import message
from tracker.domain.errors import Malformed
from tracker.domain.position import Position
from tracker.ingest.dialects.owntracks import DIALECT

CORPUS = Path(__file__).parents[1] / "corpus" / "owntracks.jsonl"
LINES = [json.loads(line) for line in CORPUS.read_text().splitlines()]
TOLERANCE = {"speed_mps": 2e-6}


def decoded_position(line: dict[str, Any]) -> Position | None:
    """The position of a line moved below a device of ours: whose it is says the topic alone."""
    rest = line["topic"].split("/")[3:] if line["topic"] else []
    key = line["key"].encode() if "key" in line else None
    decoded = DIALECT.decode(
        message("owntracks", line["payload"].encode(), *rest, retained=line.get("retain", False), key=key)
    )
    positions = [report.position for report in decoded.reports if report.position is not None]
    assert len(positions) <= 1
    return positions[0] if positions else None


@pytest.mark.parametrize("line", LINES, ids=[line["id"] for line in LINES])
def test_the_line_comes_out_as_expected(line: dict[str, Any]) -> None:
    expected = line["expect"]
    if expected == "reject":
        with pytest.raises(Malformed):
            decoded_position(line)
        return
    position = decoded_position(line)
    if expected == "ignore":
        assert position is None
        return
    assert position is not None
    for name, value in expected.items():
        check_member(position, name, value)


def check_member(position: Position, name: str, value: Any) -> None:
    match name:
        case "device":
            pass
        case "time":
            assert position.recorded_at == datetime.fromisoformat(value)
        case "lat" | "lon":
            assert getattr(position.at, name) == pytest.approx(value, abs=1e-9)
        case "extras":
            assert {key: position.attrs.get(key) for key in value} == value
        case _ if isinstance(value, float):
            assert getattr(position, name) == pytest.approx(value, abs=TOLERANCE.get(name, 1e-6))
        case _:
            assert getattr(position, name) == value


def test_lines_of_one_fix_make_one_position() -> None:
    groups: dict[str, set[datetime]] = {}
    for line in LINES:
        if "dedupe_group" in line and (position := decoded_position(line)):
            groups.setdefault(line["dedupe_group"], set()).add(position.recorded_at)
    assert groups
    assert {name: len(times) for name, times in groups.items()} == dict.fromkeys(groups, 1)
