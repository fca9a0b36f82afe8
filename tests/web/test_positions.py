"""Stored positions by the API."""

import pytest

from tests.web.callers import Caller, Household, add_device, add_subject, report
from tracker.web.context import Services

POSITIONS = "/api/v1/positions"


def test_positions_come_oldest_first_in_pages(home: Household, owner: Caller, services: Services) -> None:
    subject_id = add_subject(owner)
    device_id = add_device(owner, subject_id)
    reported = [
        report(services, home.account_id, subject_id, device_id, minutes_ago=minutes)
        for minutes in (50, 40, 30, 20, 10)
    ]
    seen = []
    after = ""
    while True:
        page = owner.get(f"{POSITIONS}?subject_id={subject_id}&limit=2{after}").json
        assert page["type"] == "FeatureCollection"
        seen += [each["properties"]["recorded_at"] for each in page["features"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen == [each.recorded_at.isoformat().replace("+00:00", "Z") for each in reported]


def test_from_counts_and_to_does_not(home: Household, owner: Caller, services: Services) -> None:
    subject_id = add_subject(owner)
    device_id = add_device(owner, subject_id)
    first = report(services, home.account_id, subject_id, device_id, minutes_ago=30)
    second = report(services, home.account_id, subject_id, device_id, minutes_ago=20)
    since, until = (each.recorded_at.isoformat().replace("+00:00", "Z") for each in (first, second))
    found = owner.get(f"{POSITIONS}?subject_id={subject_id}&from={since}&to={until}").json
    assert [each["properties"]["recorded_at"] for each in found["features"]] == [since]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "subject_id"),
        ("subject_id=1", "subject_id"),
        ("subject_id={id}&format=shp", "format"),
        ("subject_id={id}&from=yesterday", "from"),
        ("subject_id={id}&from=1700000000", "from"),
        ("subject_id={id}&from=2026-01-01T00:00:00", "from"),
        ("subject_id={id}&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "to"),
        ("subject_id={id}&after=MXwy", "after"),
        ("subject_id={id}&simplify_m=-5", "simplify_m"),
    ],
)
def test_a_wrong_question_is_refused(owner: Caller, query: str, field: str) -> None:
    answer = owner.get(f"{POSITIONS}?{query.format(id=add_subject(owner))}")
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == field


def test_a_foreign_subject_is_missing(owner: Caller, neighbours: Household) -> None:
    theirs = add_subject(neighbours.bearer)
    assert owner.get(f"{POSITIONS}?subject_id={theirs}").status_code == 404
