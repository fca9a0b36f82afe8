"""`tracker decode`: what the service makes of a payload."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from tracker.cli.main import tracker

FIX = '{"_type":"location","lat":48.858,"lon":2.295,"tst":1497508651,"acc":5,"vel":36}'
CORPUS = Path(__file__).parents[1] / "corpus"


def run(payload: str, *options: str) -> Result:
    return CliRunner().invoke(tracker, ["decode", *options], input=payload)


def test_a_position_is_one_canonical_object() -> None:
    answer = run(
        '{"latitude":2.0,"longitude":1.0,"speed":36}',
        "--topic",
        "location/dog",
        "--speed-unit",
        "kmh",
        "--received-at",
        "2026-01-15T08:00:00",
    )
    assert answer.exit_code == 0
    assert json.loads(answer.output) == {
        "device": "location/dog",
        "time": "2026-01-15T08:00:00Z",
        "lat": 2.0,
        "lon": 1.0,
        "speed_mps": 10.0,
    }


def test_one_part_of_a_position_waits_for_the_others() -> None:
    assert run("59.1", "--topic", "ovms/user/leaf/metric/v/p/latitude").output == "ignore\n"


def test_events_are_told_when_asked_for() -> None:
    topic = "ovms/user/leaf/metric/s/v3/connected"
    assert run("no", "--topic", topic).output == "ignore\n"
    told = run(
        "no", "--topic", topic, "--events", "--received-at", "2026-01-15T08:00:00Z"
    ).output.splitlines()
    assert json.loads(told[1]) == {
        "event": "presence",
        "device": "user/leaf",
        "time": "2026-01-15T08:00:00Z",
        "data": {"online": False},
    }


def test_a_refusal_says_why_and_exits_1() -> None:
    answer = run('{"latitude":95,"longitude":1}', "--dialect", "ha_json", "--topic", "x")
    assert answer.exit_code == 1
    assert answer.output == "reject: out_of_range: lat, lon\n"


def test_a_refused_element_stands_beside_the_good_ones() -> None:
    good = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [1, 2]},
        "properties": {"time": 1497508651},
    }
    answer = run(json.dumps({"locations": [good, {**good, "properties": {}}]}), "--dialect", "geojson")
    assert answer.exit_code == 1
    first, second = answer.output.splitlines()
    assert json.loads(first)["lat"] == 2
    assert second == "reject: no_time: time"


def test_a_payload_whose_dialect_nothing_tells_is_a_wrong_call() -> None:
    assert run(FIX, "--topic", "nowhere").exit_code == 2
    assert run(FIX, "--dialect", "klingon").exit_code == 2
    assert run(FIX, "--dialect", "geojson", "--received-at", "soon").exit_code == 2


def test_a_corpus_gives_a_line_for_each_of_its_lines() -> None:
    file = CORPUS / "ovms.jsonl"
    wanted = [json.loads(line) for line in file.read_text().splitlines()]
    answer = CliRunner().invoke(tracker, ["decode", "--corpus", str(file)])
    assert answer.exit_code == 0
    found = [json.loads(line) for line in answer.output.splitlines()]
    assert [line["id"] for line in found] == [line["id"] for line in wanted]
    assert [isinstance(line["result"], dict) for line in found] == [
        isinstance(line["expect"], dict) for line in wanted
    ]
