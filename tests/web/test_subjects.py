"""Subjects by the API: add, list in pages, look at, change, remove."""

import pytest

from tests.web.callers import Caller, Household, add_device, add_subject, report
from tracker.domain.geo import LatLon
from tracker.web.context import Services

SUBJECTS = "/api/v1/subjects"


@pytest.mark.parametrize("kind", ["child", "relative", "pet", "vehicle", "phone"])
def test_a_new_subject_of_any_kind_has_no_position_yet(owner: Caller, kind: str) -> None:
    answer = owner.post(SUBJECTS, {"kind": kind, "name": "  Рекс  "})
    assert answer.status_code == 201
    assert answer.json["kind"] == kind
    assert answer.json["name"] == "Рекс"
    assert answer.json["last_position"] is None
    assert answer.json["freshness"] == "never"
    assert owner.get(f"{SUBJECTS}/{answer.json['id']}").json == answer.json


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "dragon", "name": "Rex"}, "kind"),
        ({"kind": "pet"}, "name"),
        ({"kind": "pet", "name": ""}, "name"),
        ({"kind": "pet", "name": "   "}, "name"),
        ({"kind": "pet", "name": "x" * 81}, "name"),
        ({"kind": "pet", "name": 7}, "name"),
        ({"kind": "pet", "name": "a\0b"}, "name"),
        ({"kind": "pet", "name": "Rex", "colour": "red"}, "colour"),
        ([], "body"),
        ("Rex", "body"),
    ],
)
def test_a_wrong_field_is_named(owner: Caller, body: object, field: str) -> None:
    answer = owner.post(SUBJECTS, body)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert [each["field"] for each in answer.json["errors"]] == [field]


def test_half_a_surrogate_pair_is_no_name(owner: Caller) -> None:
    text = r'{"kind": "pet", "name": "\ud800"}'
    answer = owner.call("POST", SUBJECTS, data=text, content_type="application/json")
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "name"


def test_the_last_position_is_a_feature_with_its_freshness(
    home: Household, owner: Caller, services: Services
) -> None:
    subject_id = add_subject(owner)
    device_id = add_device(owner, subject_id)
    report(
        services,
        home.account_id,
        subject_id,
        device_id,
        minutes_ago=20,
        at=LatLon(lat=60.17, lon=24.94),
        accuracy_m=12.5,
        battery_pct=80.0,
    )
    shown = owner.get(f"{SUBJECTS}/{subject_id}").json
    assert shown["freshness"] == "stale"
    feature = shown["last_position"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [24.94, 60.17]}
    assert feature["properties"]["accuracy_m"] == 12.5
    assert feature["properties"]["device_id"] == device_id
    assert feature["properties"]["speed_mps"] is None
    assert feature["properties"]["recorded_at"].endswith("Z")


def test_pages_hold_every_subject_once(owner: Caller) -> None:
    made = {add_subject(owner, f"pet {number}") for number in range(5)}
    seen: list[str] = []
    after = ""
    while True:
        page = owner.get(f"{SUBJECTS}?limit=2{after}").json
        assert len(page["items"]) <= 2
        seen += [each["id"] for each in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(seen) == 5
    assert set(seen) == made


@pytest.mark.parametrize(
    "query", ["after=zzz", "after=%00", "after=", "limit=0", "limit=1001", "limit=x", "x=1"]
)
def test_a_page_that_cannot_be_is_refused(owner: Caller, query: str) -> None:
    answer = owner.get(f"{SUBJECTS}?{query}")
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == query.partition("=")[0]


def test_a_change_keeps_what_it_leaves_out(owner: Caller) -> None:
    subject_id = add_subject(owner, "Rex", "pet")
    assert owner.patch(f"{SUBJECTS}/{subject_id}", {"name": "Max"}).json["kind"] == "pet"
    changed = owner.patch(f"{SUBJECTS}/{subject_id}", {"kind": "phone"}).json
    assert (changed["name"], changed["kind"]) == ("Max", "phone")


def test_a_removed_subject_is_gone_with_its_devices(
    home: Household, owner: Caller, services: Services
) -> None:
    subject_id = add_subject(owner)
    device_id = add_device(owner, subject_id)
    report(services, home.account_id, subject_id, device_id)
    answer = owner.delete(f"{SUBJECTS}/{subject_id}")
    assert (answer.status_code, answer.data) == (204, b"")
    assert owner.get(f"{SUBJECTS}/{subject_id}").status_code == 404
    assert owner.get(f"/api/v1/devices/{device_id}").status_code == 404
    assert owner.get(f"/api/v1/positions?subject_id={subject_id}").status_code == 404


def test_a_foreign_subject_is_missing_byte_for_byte(owner: Caller, neighbours: Household) -> None:
    theirs = add_subject(neighbours.bearer)
    foreign = owner.get(f"{SUBJECTS}/{theirs}")
    missing = owner.get(f"{SUBJECTS}/0123456789abcdef")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.data.replace(theirs.encode(), b"") == missing.data.replace(b"0123456789abcdef", b"")
    for method, body in (("PATCH", {"name": "mine"}), ("DELETE", None)):
        assert owner.call(method, f"{SUBJECTS}/{theirs}", body).status_code == 404
    assert neighbours.bearer.get(f"{SUBJECTS}/{theirs}").json["name"] == "Rex"
