"""Every recorded message comes out as its line says (tests/corpus/README.md).

TRACKER_CORPUS names another folder of files in the same form.
"""

import json
import os
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tracker import registry
from tracker.domain.errors import Malformed
from tracker.domain.position import Position, Report
from tracker.ingest.rehearsal import Rehearsal, corpus_dialect, corpus_message

CORPUS = Path(os.environ.get("TRACKER_CORPUS") or Path(__file__).parents[1] / "corpus")
DIALECTS = registry.load("tracker.ingest.dialects", "DIALECT")
LINES = [
    json.loads(line)
    for file in sorted(CORPUS.glob("*.jsonl"))
    for line in file.read_text().splitlines()
    if line.strip()
]
CLOCKS_AGREE = timedelta(milliseconds=2)
ALONE = [line for line in LINES if "seq" not in line]
SEQUENCES: dict[str, list[dict[str, Any]]] = defaultdict(list)
for _line in LINES:
    if "seq" in _line:
        SEQUENCES[_line["seq"]].append(_line)


def outcome(lines: Sequence[dict[str, Any]]) -> list[Report]:
    """What the last line gives after the others, and then the closing of the window.

    Raises:
        Malformed: the last line is refused.
    """
    rehearsal = Rehearsal()
    *earlier, last = sorted(lines, key=lambda line: line.get("seq_no", 0))
    for line in earlier:
        try:
            rehearsal.hear(DIALECTS[corpus_dialect(line)], corpus_message(line))
        except Malformed:
            assert line["expect"] == "reject"
        else:
            assert line["expect"] != "reject"
    decoded = rehearsal.hear(DIALECTS[corpus_dialect(last)], corpus_message(last))
    reports = [*decoded.reports, *rehearsal.flush()]
    if decoded.problems and not reports:
        raise Malformed(decoded.problems[0].reason, decoded.problems[0].detail)
    return [report for report in reports if report.position is not None]


def check(expected: Any, lines: Sequence[dict[str, Any]]) -> None:
    if expected == "reject":
        with pytest.raises(Malformed):
            outcome(lines)
        return
    reports = outcome(lines)
    wanted = [] if expected == "ignore" else expected if isinstance(expected, list) else [expected]
    assert len(reports) == len(wanted)
    for report, members in zip(reports, wanted, strict=True):
        check_report(report, members, corpus_message(lines[-1]).received_at)


def check_report(report: Report, members: dict[str, Any], received_at: datetime) -> None:
    position = report.position
    assert position is not None
    for name, value in members.items():
        match name:
            case "device":
                assert report.external_id == value
            case "time":
                moment = received_at if value == "received" else datetime.fromisoformat(value)
                assert abs(position.recorded_at - moment) <= CLOCKS_AGREE
            case "extras":
                check_part(position.attrs, value, name)
            case _:
                check_value(member(position, name), value, name)


def member(position: Position, name: str) -> Any:
    return getattr(position.at if name in ("lat", "lon") else position, name)


def check_part(found: Any, wanted: dict[str, Any], name: str) -> None:
    for key, value in wanted.items():
        check_value(found.get(key), value, f"{name}.{key}")


def check_value(found: Any, wanted: Any, name: str) -> None:
    if isinstance(wanted, dict):
        check_part(found, wanted, name)
    elif isinstance(wanted, int | float) and not isinstance(wanted, bool):
        assert not isinstance(found, bool), name
        assert found == pytest.approx(wanted, abs=2e-6 if name == "speed_mps" else 1e-6), name
    else:
        assert found == wanted, name


@pytest.mark.parametrize("line", ALONE, ids=[line["id"] for line in ALONE])
def test_the_line_comes_out_as_expected(line: dict[str, Any]) -> None:
    check(line["expect"], [line])


@pytest.mark.parametrize("lines", SEQUENCES.values(), ids=SEQUENCES)
def test_the_sequence_ends_as_its_last_line_expects(lines: list[dict[str, Any]]) -> None:
    check(max(lines, key=lambda line: line.get("seq_no", 0))["expect"], lines)


def test_lines_of_one_fix_make_one_position() -> None:
    groups: dict[str, set[tuple[str | None, datetime]]] = defaultdict(set)
    for line in ALONE:
        if "dedupe_group" in line:
            groups[line["dedupe_group"]] |= {
                (report.external_id, report.position.recorded_at)
                for report in outcome([line])
                if report.position is not None
            }
    assert {name: len(keys) for name, keys in groups.items()} == dict.fromkeys(groups, 1)


def test_every_dialect_of_the_corpus_is_here() -> None:
    assert LINES
    assert {corpus_dialect(line) for line in LINES} <= DIALECTS.keys()
