"""Trips, stops, gaps and days by the API."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.history.movement import day
from tests.web.callers import Caller, Household, add_device, add_subject
from tracker.domain.geo import LatLon
from tracker.domain.position import Placed, Position
from tracker.history.track import Fix
from tracker.store import positions
from tracker.web.context import Services

LISTS = ("trips", "stops", "gaps", "days")


def of_today(services: Services, fixes: list[Fix]) -> list[Fix]:
    """Return the fixes moved so that the last is of now."""
    shift_s = round(services.clock().timestamp() - 60 - fixes[-1].recorded_at)
    return [fix._replace(recorded_at=fix.recorded_at + shift_s) for fix in fixes]


def store(services: Services, home: Household, subject_id: str, batches: list[list[Fix]]) -> str:
    """Store fixes of a new device of a subject, batch by batch; return the device's id."""
    device_id = add_device(home.bearer, subject_id)
    for batch in batches:
        placed = [
            Placed(
                account_id=home.account_id,
                subject_id=subject_id,
                device_id=device_id,
                received_at=services.clock(),
                position=Position(
                    recorded_at=datetime.fromtimestamp(fix.recorded_at, UTC),
                    at=LatLon(lat=fix.lat, lon=fix.lon),
                    accuracy_m=fix.accuracy_m,
                ),
            )
            for fix in batch
        ]
        with services.database.begin() as session:
            weeks = {positions.week_of(each.position.recorded_at) for each in placed}
            positions.ensure_partitions(session, weeks)
            positions.append(session, placed)
    return device_id


def told(owner: Caller, subject_id: str) -> dict[str, Any]:
    since = "2020-01-01T00:00:00Z"
    found = {}
    for name in LISTS:
        days = owner.get(f"/api/v1/{name}?subject_id={subject_id}&from={_ago(owner, 30)}")
        assert days.status_code == 200, (since, days.get_data(as_text=True))
        found[name] = [
            {key: value for key, value in item.items() if key not in {"subject_id", "device_id"}}
            for item in days.json["items"]
        ]
    return found


def _ago(owner: Caller, days: int) -> str:
    now: datetime = owner.app.services.clock()  # type: ignore[attr-defined]
    return (now - timedelta(days=days)).isoformat().replace("+00:00", "Z")


def test_any_order_and_batches_of_arrival_give_the_same_answers(
    home: Household, owner: Caller, services: Services
) -> None:
    fixes = of_today(services, day().fixes)
    shuffled = random.Random(5).sample(fixes, len(fixes))
    in_order, mixed = add_subject(owner, "in order", "child"), add_subject(owner, "mixed", "child")
    store(services, home, in_order, [fixes])
    store(services, home, mixed, [*(shuffled[at : at + 70] for at in range(0, len(fixes), 70)), fixes[:99]])
    answers = told(owner, in_order)
    assert answers == told(owner, mixed)
    assert len(answers["trips"]) == 3
    assert len(answers["stops"]) == 4
    assert [gap["reason"] for gap in answers["gaps"]] == ["silence"]
    known_m = sum(trip["distance_m"] for trip in answers["trips"])
    assert sum(each["distance_m"] for each in answers["days"]) == pytest.approx(known_m, abs=1)


def test_trips_come_in_pages(home: Household, owner: Caller, services: Services) -> None:
    subject_id = add_subject(owner, kind="child")
    store(services, home, subject_id, [of_today(services, day().fixes)])
    query = f"/api/v1/trips?subject_id={subject_id}&from={_ago(owner, 2)}"
    whole = owner.get(query).json["items"]
    seen: list[Any] = []
    after = ""
    while True:
        page = owner.get(f"{query}&limit=1{after}").json
        seen += page["items"]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen == whole


def test_only_what_overlaps_the_span_is_told_and_told_whole(
    home: Household, owner: Caller, services: Services
) -> None:
    subject_id = add_subject(owner, kind="child")
    store(services, home, subject_id, [of_today(services, day().fixes)])
    whole = owner.get(f"/api/v1/trips?subject_id={subject_id}").json["items"]
    middle = datetime.fromisoformat(whole[1]["start_at"]) + timedelta(seconds=60)
    since = middle.isoformat().replace("+00:00", "Z")
    until = (middle + timedelta(seconds=30)).isoformat().replace("+00:00", "Z")
    found = owner.get(f"/api/v1/trips?subject_id={subject_id}&from={since}&to={until}").json["items"]
    assert found == [whole[1]]


def test_a_position_that_cannot_be_true_is_marked_and_told(
    home: Household, owner: Caller, services: Services
) -> None:
    walker = day()
    walker.spike(40_000, 0).stay(300)
    subject_id = add_subject(owner, kind="child")
    store(services, home, subject_id, [of_today(services, walker.fixes)])
    path = f"/api/v1/positions?subject_id={subject_id}&limit=10000"
    features = owner.get(path).json["features"]
    assert len(features) == len(walker.fixes)
    assert [each["properties"]["outlier"] for each in features].count(True) == 1
    # It is marked as well where it is the first or the last of a page.
    number = next(at for at, each in enumerate(features) if each["properties"]["outlier"])
    for limit in (number, number + 1):
        page = owner.get(f"/api/v1/positions?subject_id={subject_id}&limit={limit}").json
        behind = owner.get(f"/api/v1/positions?subject_id={subject_id}&limit=5&after={page['next']}").json
        assert [*page["features"], *behind["features"]] == features[: limit + 5]


def test_a_simplified_answer_keeps_ends_and_outliers(
    home: Household, owner: Caller, services: Services
) -> None:
    walker = day()
    walker.spike(40_000, 0).stay(300)
    subject_id = add_subject(owner, kind="child")
    store(services, home, subject_id, [of_today(services, walker.fixes)])
    path = f"/api/v1/positions?subject_id={subject_id}&limit=10000"
    whole, simple = (owner.get(path + more).json["features"] for more in ("", "&simplify_m=30"))
    assert len(simple) < len(whole) / 10
    assert [simple[0], simple[-1]] == [whole[0], whole[-1]]
    assert [each for each in simple if each["properties"]["outlier"]] == [
        each for each in whole if each["properties"]["outlier"]
    ]
    assert [each for each in whole if each in simple] == simple


def test_numbers_and_moments_are_told_as_they_were_reported(
    home: Household, owner: Caller, services: Services
) -> None:
    subject_id = add_subject(owner, kind="child")
    at = services.clock().replace(microsecond=0) - timedelta(hours=1)
    moments = [at, at + timedelta(microseconds=123_457), at + timedelta(seconds=1, microseconds=999_999)]
    fixes = [Fix(moment.timestamp(), 60.123456789, -24.987654321, 8.1) for moment in moments]
    store(services, home, subject_id, [fixes])
    features = owner.get(f"/api/v1/positions?subject_id={subject_id}").json["features"]
    assert [datetime.fromisoformat(each["properties"]["recorded_at"]) for each in features] == moments
    assert [each["geometry"]["coordinates"] for each in features] == [[-24.987654321, 60.123456789]] * 3
    assert {each["properties"]["accuracy_m"] for each in features} == {8.1}
    first = owner.get(f"/api/v1/positions?subject_id={subject_id}&limit=2").json
    rest = owner.get(f"/api/v1/positions?subject_id={subject_id}&after={first['next']}").json
    assert [*first["features"], *rest["features"]] == features


def test_a_year_is_told_coarsely_and_agrees_with_its_days_in_full(
    home: Household, owner: Caller, services: Services
) -> None:
    subject_id = add_subject(owner, kind="child")
    whole = of_today(services, day().fixes)
    long_ago = [fix._replace(recorded_at=fix.recorded_at - 300 * 86400) for fix in whole]
    much = store(services, home, subject_id, [whole, long_ago])
    store(services, home, subject_id, [[fix._replace(lat=fix.lat + 0.1) for fix in whole[::9]]])
    path = f"/api/v1/days?subject_id={subject_id}&tz=Asia/Kolkata&limit=1000&from="
    year = owner.get(path + _ago(owner, 370)).json["items"]
    month = owner.get(path + _ago(owner, 30)).json["items"]
    assert {each["detail"] for each in year} == {"coarse"}
    assert {each["detail"] for each in month} == {"full"}
    assert sum(each["position_count"] for each in year) == len(whole) + len(long_ago)
    assert {each["device_id"] for each in year} == {much}
    known = [name for name, value in year[0].items() if value is not None and name != "detail"]
    assert [{name: each[name] for name in known} for each in year[-len(month) :]] == [
        {name: each[name] for name in known} for each in month
    ]
    assert [each["device_count"] for each in year[: -len(month)]] == [1] * (len(year) - len(month))
    assert year[0].keys() == month[0].keys()
    first = owner.get(f"{path}{_ago(owner, 370)}&limit=1".replace("limit=1000&", "")).json
    assert first["items"] == year[:1]


def test_days_are_of_the_zone_asked_for(home: Household, owner: Caller, services: Services) -> None:
    subject_id = add_subject(owner, kind="child")
    store(services, home, subject_id, [of_today(services, day().fixes)])
    for zone, hour in (("UTC", "00"), ("Asia/Tokyo", "15")):
        (first, *_) = owner.get(f"/api/v1/days?subject_id={subject_id}&tz={zone}").json["items"]
        assert first["start_at"][11:13] == hour


@pytest.mark.parametrize("name", LISTS)
def test_a_subject_of_others_and_a_span_too_long_are_refused(
    owner: Caller, neighbours: Household, name: str
) -> None:
    theirs = add_subject(neighbours.bearer)
    assert owner.get(f"/api/v1/{name}?subject_id={theirs}").status_code == 404
    mine = add_subject(owner)
    end = "2027-01-08" if name == "days" else "2026-03-01"
    long = owner.get(f"/api/v1/{name}?subject_id={mine}&from=2026-01-01T00:00:00Z&to={end}T00:00:00Z")
    assert long.status_code == 422
    assert long.json["errors"][0]["field"] == "to"
    for odd in ("from=0001-01-01T00:00:00Z", "to=0001-01-01T00:00:00Z"):
        assert owner.get(f"/api/v1/{name}?subject_id={mine}&{odd}").status_code == 422, odd
    answer = owner.get(f"/api/v1/{name}?subject_id={mine}&to=9999-12-31T23:59:59Z")
    assert answer.json == {"items": [], "next": None}


def test_a_zone_that_is_none_is_refused(owner: Caller) -> None:
    subject_id = add_subject(owner)
    for zone in ("Mars/Olympus", "../../etc/passwd", "Europe", "/etc/localtime"):
        answer = owner.get(f"/api/v1/days?subject_id={subject_id}&tz={zone}")
        assert answer.status_code == 422, zone
        assert answer.json["errors"][0]["field"] == "tz"


def test_another_subject_s_device_tells_nothing(home: Household, owner: Caller, services: Services) -> None:
    subject_id, other_id = add_subject(owner, kind="child"), add_subject(owner, kind="child")
    store(services, home, subject_id, [of_today(services, day().fixes)])
    device_id = add_device(owner, other_id)
    path = f"/api/v1/trips?subject_id={subject_id}&device_id="
    assert owner.get(path + device_id).json["items"] == []
    assert owner.get(path + "0123456789abcdef").status_code == 404
