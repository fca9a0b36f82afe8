"""Schedules as the API writes them: read, refused by field, written back."""

from datetime import date
from typing import Any

import pytest

from tracker.domain.errors import Invalid
from tracker.geofence import schedule_json

TODAY = date(2026, 11, 21)
SCHOOL: dict[str, Any] = {
    "weekly": [{"days": [0, 1, 2, 3, 4], "spans": [{"start": "08:00", "end": "14:30"}]}],
    "recurring": [
        {"rrule": "FREQ=WEEKLY;BYDAY=SA;INTERVAL=2", "first": "2026-09-05T10:00:00", "lasts_s": 5400}
    ],
    "terms": [{"first": "2026-09-01", "last": "2027-05-25", "holidays": [["2026-12-28", "2027-01-10"]]}],
    "rota": {"first": "2026-08-31", "weeks": [True, False]},
    "holidays": ["2027-02-23"],
    "time_zone": "Europe/Moscow",
}


def test_what_is_read_is_written_back() -> None:
    assert schedule_json.to_json(schedule_json.read(SCHOOL, TODAY)) == SCHOOL


@pytest.mark.parametrize("nothing", [None, {}, {"weekly": []}, {"time_zone": "Europe/Moscow"}])
def test_a_schedule_that_says_nothing_is_none(nothing: Any) -> None:
    assert schedule_json.read(nothing, TODAY) is None


def with_(field: str, value: Any) -> dict[str, Any]:
    return {**SCHOOL, field: value}


SPAN = {"start": "08:00", "end": "09:00"}


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ([], "schedule"),
        (with_("monthly", 1), "schedule.monthly"),
        (with_("weekly", {}), "schedule.weekly"),
        (with_("weekly", "08:00"), "schedule.weekly"),
        (with_("weekly", [{"days": [0, 7], "spans": [SPAN]}]), "schedule.weekly.0.days.1"),
        (with_("weekly", [{"days": [True], "spans": [SPAN]}]), "schedule.weekly.0.days.0"),
        (with_("weekly", [{"days": [], "spans": [SPAN]}]), "schedule.weekly.0.days"),
        (with_("weekly", [{"days": [0], "spans": []}]), "schedule.weekly.0.spans"),
        (
            with_("weekly", [{"days": [0], "spans": [SPAN, {"start": "25:00", "end": "09:00"}]}]),
            "schedule.weekly.0.spans.1.start",
        ),
        (
            with_("weekly", [{"days": [0], "spans": [{"start": "08:00+03:00", "end": "09:00"}]}]),
            "schedule.weekly.0.spans.0.start",
        ),
        (with_("weekly", [{"days": [0], "spans": [{"start": "08:00"}]}]), "schedule.weekly.0.spans.0.end"),
        (
            with_("recurring", [{"rrule": "FREQ=SECONDLY", "first": "2026-09-05T10:00", "lasts_s": 60}]),
            "schedule.recurring.0.rrule",
        ),
        (
            with_("recurring", [{"rrule": "FREQ=DAILY", "first": "2026-09-05T10:00Z", "lasts_s": 60}]),
            "schedule.recurring.0.first",
        ),
        (
            with_("recurring", [{"rrule": "FREQ=DAILY", "first": "2026-09-05T10:00", "lasts_s": 10**30}]),
            "schedule",
        ),
        (with_("terms", [{"first": "2026-09-01", "last": "20270525"}]), "schedule.terms.0.last"),
        (
            with_("terms", [{"first": "2026-09-01", "last": "2027-05-25", "holidays": [["2026-12-28"]]}]),
            "schedule.terms.0.holidays.0",
        ),
        (with_("rota", {"first": "2026-08-31", "weeks": [1]}), "schedule.rota.weeks.0"),
        (with_("rota", {"first": "2026-08-31", "weeks": [False]}), "schedule.rota.weeks"),
        (with_("holidays", ["2027-02-30"]), "schedule.holidays.0"),
        (with_("time_zone", "Europe/Nowhere"), "schedule.time_zone"),
        (with_("time_zone", 3), "schedule.time_zone"),
        ({"terms": [{"first": "2020-09-01", "last": "2021-05-25"}]}, "schedule"),
    ],
)
def test_the_wrong_field_is_named(document: Any, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        schedule_json.read(document, TODAY)
    assert [name for name, _ in refused.value.errors] == [field]


def test_a_part_of_another_document_is_named_by_its_place() -> None:
    with pytest.raises(Invalid) as refused:
        schedule_json.read({"time_zone": "x", "holidays": ["2027-01-01"]}, TODAY, at="properties.schedule")
    assert refused.value.errors[0][0] == "properties.schedule.time_zone"
