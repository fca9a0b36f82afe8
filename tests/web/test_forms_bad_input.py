"""What a page's form would never send is refused with the reason, and nothing is half saved."""

from typing import Any

import pytest

from tests.web.callers import Household
from tests.web.happenings import add_place

DEEP = "[" * 100_000
CIRCLE = {
    "shape": "circle",
    "lat": "60.17",
    "lon": "24.94",
    "radius_m": "100",
    "name": "x",
    "all_subjects": "true",
}
SPEED = {"kind": "speed", "all_subjects": "true", "args.limit_mps": "60", "act": "save", "enabled": "true"}
RECURRING = {"rrule": "FREQ=DAILY", "rrule_first": "2026-12-01T08:00"}

PLACES: list[tuple[str, dict[str, str]]] = [
    ("a shape of brackets", {"shape": "kept", "kept_geometry": DEEP}),
    ("a shape that is a number", {"shape": "kept", "kept_geometry": "5"}),
    ("a schedule of brackets", {"keep_schedule": "true", "schedule_kept": DEEP}),
    ("a schedule that is a list", {"keep_schedule": "true", "schedule_kept": "[1]"}),
    ("a squared digit", {**RECURRING, "rrule_lasts_min": "²"}),
    ("more digits than a number has", {**RECURRING, "rrule_lasts_min": "9" * 5000}),
    ("holidays that end before they begin", {"holidays": "2026-11-03..2026-10-26"}),
    ("no radius at all", {"radius_m": "nan"}),
    ("a radius beyond all", {"radius_m": "1e999"}),
]


@pytest.mark.parametrize(("said", "fields"), PLACES, ids=[each[0] for each in PLACES])
def test_a_place(home: Household, said: str, fields: dict[str, str]) -> None:
    answer = home.cookie.submit("/places/new", **{**CIRCLE, **fields})
    assert answer.status_code == 422
    assert "field__error" in answer.get_data(as_text=True)
    assert home.bearer.get("/api/v1/geofences").json["items"] == []


@pytest.mark.parametrize("given", ["inf", "nan", "1e999", "-1e999", "x" * 5000])
def test_a_setting_of_a_rule(home: Household, given: str) -> None:
    kinds: list[dict[str, Any]] = home.bearer.get("/api/v1/rules/kinds").json["items"]
    place_id = add_place(home.bearer)
    for kind in kinds:
        numbers = [name for name, each in kind["args"]["properties"].items() if each["type"] != "string"]
        if numbers and kind["args"]["properties"][numbers[0]]["type"] != "boolean":
            form = {"kind": kind["kind"], "geofence_id": place_id, "all_subjects": "true", "act": "save"}
            answer = home.cookie.submit("/rules/new", **form, **{f"args.{numbers[0]}": given})
            assert answer.status_code == 422, (kind["kind"], numbers[0])
    assert home.bearer.get("/api/v1/rules").json["items"] == []


def test_what_is_wrong_with_a_schedule_names_the_part_of_the_form(home: Household) -> None:
    answer = home.cookie.submit("/rules/new", **SPEED, holidays="nonsense")
    assert answer.status_code == 422
    assert "Not on these days: must be a day" in answer.get_data(as_text=True)


def test_a_file_s_places_of_brackets_are_refused(home: Household) -> None:
    answer = home.cookie.submit("/places/import/add", pick="1", feature_1=DEEP)
    assert answer.status_code == 422
    assert home.bearer.get("/api/v1/geofences").json["items"] == []
