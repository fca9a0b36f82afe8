"""Rules by the API: what each kind takes, versions, who is told."""

from typing import Any

import pytest

from tests.kit.clock import StandingClock
from tests.web.callers import Caller, Household, add_subject
from tests.web.happenings import add_place, add_rule


def test_kinds_say_what_they_take(owner: Caller) -> None:
    kinds = {each["kind"]: each for each in owner.get("/api/v1/rules/kinds").json["items"]}
    assert {"arrived", "left", "not_arrived", "escape", "speed", "battery", "silence", "sos"} <= set(kinds)
    late = kinds["not_arrived"]
    assert late["needs_fence"]
    assert late["urgency"] == "urgent"
    assert late["args"]["required"] == ["by"]
    assert set(late["types"]) == {"not_arrived", "not_arrived_silent", "arrived_late"}
    assert all(each["title"] and each["args"]["type"] == "object" for each in kinds.values())


def test_a_rule_comes_back_with_everything_filled_in(owner: Caller) -> None:
    place_id = add_place(owner)
    schedule = {"weekly": [{"days": [0, 1, 2, 3, 4], "spans": [{"start": "07:00", "end": "15:00"}]}]}
    rule_id = add_rule(
        owner,
        "not_arrived",
        place_id,
        name="School by 8:30",
        args={"by": "08:30"},
        schedule=schedule,
        notify={"urgency": "alarm", "all_at_once": False, "escalate_after_s": 300},
    )
    rule = owner.get(f"/api/v1/rules/{rule_id}").json
    assert (rule["kind"], rule["name"], rule["geofence_id"]) == ("not_arrived", "School by 8:30", place_id)
    assert rule["args"] == {"by": "08:30", "grace_s": 300, "silent_after_s": 1200}
    assert rule["schedule"] == schedule
    assert rule["notify"] == {
        "contact_ids": [],
        "channels": [],
        "urgency": "alarm",
        "all_at_once": False,
        "escalate_after_s": 300,
        "throttle_s": 300,
    }
    assert (rule["enabled"], rule["version"]) == (True, 1)


def test_another_meaning_is_a_new_version_and_another_name_is_not(
    owner: Caller, clock: StandingClock
) -> None:
    rule_id = add_rule(owner, "arrived", add_place(owner))
    path = f"/api/v1/rules/{rule_id}"
    began = owner.get(path).json["active_from"]
    clock.go_on(minutes=5)
    assert owner.patch(path, {"name": "Lessons"}).json["version"] == 1
    changed = owner.patch(path, {"args": {"min_stay_s": 60}}).json
    assert changed["version"] == 2
    assert changed["active_from"] > began
    assert owner.patch(path, {"enabled": False}).json["enabled"] is False


def test_rules_of_a_place_and_of_a_subject(owner: Caller) -> None:
    rex, tom = add_subject(owner, "Rex"), add_subject(owner, "Tom")
    place_id = add_place(owner)
    at_place = add_rule(owner, "left", place_id, all_subjects=False, subject_ids=[rex])
    anywhere = add_rule(owner, "battery")
    of_place = owner.get(f"/api/v1/rules?geofence_id={place_id}").json["items"]
    assert [each["id"] for each in of_place] == [at_place]
    of_rex = owner.get(f"/api/v1/rules?subject_id={rex}").json["items"]
    assert {each["id"] for each in of_rex} == {at_place, anywhere}
    of_tom = owner.get(f"/api/v1/rules?subject_id={tom}").json["items"]
    assert [each["id"] for each in of_tom] == [anywhere]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"kind": "nonsense"}, "kind"),
    ({"kind": "arrived", "geofence_id": None}, "geofence_id"),
    ({"kind": "arrived", "geofence_id": "0" * 16}, "geofence_id"),
    ({"kind": "not_arrived"}, "args.by"),
    ({"kind": "not_arrived", "args": {"by": "25:00"}}, "args.by"),
    ({"kind": "arrived", "args": {"min_stay_s": -1}}, "args.min_stay_s"),
    ({"kind": "arrived", "args": {"speed": 3}}, "args.speed"),
    ({"kind": "arrived", "notify": {"contact_ids": ["0" * 16]}}, "notify.contact_ids.0"),
    ({"kind": "arrived", "notify": {"channels": ["pigeon"]}}, "notify.channels.0"),
    ({"kind": "arrived", "notify": {"escalate_after_s": 5}}, "notify.escalate_after_s"),
    ({"kind": "arrived", "notify": {"urgency": "dire"}}, "notify.urgency"),
    ({"kind": "arrived", "all_subjects": False}, "subject_ids"),
    ({"kind": "arrived", "schedule": {"weekly": [{"days": [7], "spans": []}]}}, "schedule.weekly.0.days.0"),
    ({"kind": "arrived", "schedule": {"holidays": ["2026-02-30"]}}, "schedule"),
    ({"kind": "arrived", "surprise": True}, "surprise"),
]


@pytest.mark.parametrize(("body", "field"), BAD, ids=[each[1] for each in BAD])
def test_a_wrong_rule_is_refused_by_its_field(owner: Caller, body: dict[str, Any], field: str) -> None:
    given = {"all_subjects": True, "geofence_id": add_place(owner), **body}
    answer = owner.post("/api/v1/rules", {name: value for name, value in given.items() if value is not None})
    assert answer.status_code == 422, answer.get_data(as_text=True)
    assert any(each["field"].startswith(field) for each in answer.json["errors"]), answer.json["errors"]
    assert owner.get("/api/v1/rules").json["items"] == []


def test_a_place_of_another_family_is_no_place(home: Household, neighbours: Household) -> None:
    theirs = add_place(neighbours.bearer)
    answer = home.bearer.post(
        "/api/v1/rules", {"kind": "arrived", "all_subjects": True, "geofence_id": theirs}
    )
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "geofence_id"
