"""What no fence can be is refused with the field and the reason, and nothing is half saved."""

from itertools import pairwise
from typing import Any

import pytest

from tests.web.callers import Caller
from tests.web.happenings import add_place, circle

BOW_TIE = [[24.90, 60.10], [24.92, 60.12], [24.92, 60.10], [24.90, 60.12], [24.90, 60.10]]


def polygon(ring: list[list[float]], **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"name": "Yard", "all_subjects": True, **properties},
    }


def sized(radius_m: object) -> dict[str, Any]:
    feature = circle()
    return {**feature, "properties": {**feature["properties"], "radius_m": radius_m}}


def many_corners(count: int) -> list[list[float]]:
    ring = [[24.0 + i * 1e-6, 60.0 + (i % 2) * 1e-7] for i in range(count - 2)]
    return [*ring, [24.05, 60.3], ring[0]]


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("self-crossing", polygon(BOW_TIE), "geometry"),
    ("empty", polygon([]), "geometry"),
    ("giant", polygon([[-60, -60], [60, -60], [60, 60], [-60, 60], [-60, -60]]), "geometry"),
    ("100,000 corners", polygon(many_corners(100_000)), "geometry"),
    ("off the Earth", polygon([[24, 95], [25, 95], [25, 96], [24, 95]]), "geometry"),
    ("radius 0", circle(radius_m=0), "properties.radius_m"),
    ("radius 1e9", circle(radius_m=1e9), "properties.radius_m"),
    ("no radius", {**circle(), "properties": {"name": "x", "all_subjects": True}}, "properties.radius_m"),
    ("a radius of text", sized("100"), "properties.radius_m"),
    ("a radius that is a flag", sized(True), "properties.radius_m"),
    ("the machine's own zone", circle(time_zone="localtime"), "properties.time_zone"),
    ("no such zone", circle(time_zone="Mars/Olympus"), "properties.time_zone"),
    ("a zone out of the folder", circle(time_zone="../etc/passwd"), "properties.time_zone"),
    (
        "a rule that never fires",
        circle(
            schedule={
                "recurring": [
                    {
                        "rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
                        "first": "2026-09-01T08:00",
                        "lasts_s": 3600,
                    }
                ]
            }
        ),
        "properties.schedule",
    ),
    ("an unknown subject", circle(all_subjects=False, subject_ids=["0" * 16]), "properties.subject_ids"),
    ("for nobody", circle(all_subjects=False), "properties.subject_ids"),
    ("without a name", circle(name=""), "properties.name"),
    ("no Feature", {"type": "Nonsense"}, "type"),
    ("a point of text", {**circle(), "geometry": {"type": "Point", "coordinates": ["a", "b"]}}, "geometry"),
]


@pytest.mark.parametrize(("said", "feature", "field"), BAD, ids=[each[0] for each in BAD])
def test_it_is_refused_by_its_field(owner: Caller, said: str, feature: dict[str, Any], field: str) -> None:
    answer = owner.post("/api/v1/geofences", feature)
    assert answer.status_code == 422, answer.get_data(as_text=True)[:500]
    named = [each["field"] for each in answer.json["errors"]]
    assert any(each == field or each.startswith(f"{field}.") for each in named), named
    assert not {"float", "int"} & {each.rpartition(".")[2] for each in named}, named
    assert all(each["message"] for each in answer.json["errors"])
    assert owner.get("/api/v1/geofences").json["items"] == []


def test_what_runs_the_wrong_way_round_is_turned(owner: Caller) -> None:
    ring = [[24.90, 60.10], [24.90, 60.11], [24.91, 60.11], [24.91, 60.10], [24.90, 60.10]]  # clockwise
    answer = owner.post("/api/v1/geofences", polygon(ring))
    assert answer.status_code == 201
    (told,) = answer.json["geometry"]["coordinates"]
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(told))
    assert area > 0


def test_a_refused_change_leaves_all_as_it_was(owner: Caller) -> None:
    place_id = add_place(owner)
    path = f"/api/v1/geofences/{place_id}"
    before = owner.get(path).json
    answer = owner.patch(path, {"type": "Feature", "properties": {"name": "Other", "radius_m": 0}})
    assert answer.status_code == 422
    assert owner.get(path).json == before


def test_a_body_beyond_any_fence_is_too_large(owner: Caller) -> None:
    huge = b'{"type":"Feature","properties":{"name":"' + b"x" * (5 * 1024 * 1024) + b'"}}'
    answer = owner.call("POST", "/api/v1/geofences", data=huge, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert "64 KiB" not in answer.json["detail"]  # which is the limit of other calls
