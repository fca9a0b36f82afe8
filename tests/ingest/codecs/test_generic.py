from typing import Any

import pytest

from tests.ingest.codecs.reading import place, reading
from tracker.domain.device import SpeedUnit
from tracker.domain.errors import Malformed

HERE = {"latitude": 48.1, "longitude": 11.5}


@pytest.mark.parametrize(
    "fields",
    [
        {"lat": 48.1, "lon": 11.5},
        {"lat": "48.1", "lng": "11.5"},
        {"lat": 48.1, "long": 11.5},
        {"Latitude": 48.1, "Longitude": 11.5},
        {"gps": {"lat": 48.1, "lng": 11.5}},
        {"location": {"latitude": 48.1, "longitude": 11.5}, "latitude": None},
    ],
)
def test_a_place_is_found_by_any_common_name(fields: dict[str, Any]) -> None:
    assert place(reading("generic", fields)) == (48.1, 11.5)


@pytest.mark.parametrize(
    ("members", "field", "value"),
    [
        ({"alt": "520"}, "altitude_m", 520),
        ({"height": 520}, "altitude_m", 520),
        ({"hacc": 8}, "accuracy_m", 8),
        ({"accuracy": 0}, "accuracy_m", None),
        ({"acc": -1}, "accuracy_m", None),
        ({"sats": 6.0}, "satellites", 6),
        ({"satellites": "7"}, "satellites", 7),
        ({"hdop": 0.9}, "hdop", 0.9),
        ({"heading": 360}, "course_deg", 0),
        ({"course": -1}, "course_deg", None),
        ({"speed": 12.5}, "speed_unit", None),
        ({"speedKmph": 12.5}, "speed_unit", SpeedUnit.KMH),
        ({"battery": 3.9}, "battery_pct", None),
        ({"battery": 3507}, "battery_pct", None),
        ({"battery_percent": 84}, "battery_pct", 84),
        ({"age": 80}, "age_s", 80),
        ({"lat": True, "lon": True}, "satellites", None),
    ],
)
def test_a_member_is_taken_or_unknown(members: dict[str, Any], field: str, value: object) -> None:
    assert getattr(reading("generic", {**HERE, **members}), field) == value


def test_a_speed_without_a_unit_stays_readable_as_it_was_sent() -> None:
    assert reading("generic", {**HERE, "speed": 31.669}).attrs["speed"] == 31.669


@pytest.mark.parametrize(
    "members",
    [
        {"valid": False},
        {"fix": 0},
        {"gps_fix": "false"},
        {"fix": "no fix"},
        {"cached": True},
        {"fixFailed": 1},
    ],
)
def test_a_place_that_is_said_to_be_none_or_old_is_no_fix(members: dict[str, Any]) -> None:
    found = reading("generic", {**HERE, **members})
    assert (found.place, found.no_fix) == (None, True)


@pytest.mark.parametrize("members", [{"fix": 3}, {"fix": "3D"}, {"valid": True}])
def test_a_place_that_is_said_to_be_good_is_a_fix(members: dict[str, Any]) -> None:
    assert place(reading("generic", {**HERE, **members})) == (48.1, 11.5)


@pytest.mark.parametrize(("lat", "lon"), [(0, 11.5), (48.1, 0)])
def test_the_equator_and_greenwich_are_places(lat: float, lon: float) -> None:
    assert place(reading("generic", {"lat": lat, "lon": lon})) == (lat, lon)


@pytest.mark.parametrize(
    "fields", [{"lat": 0, "lon": 0}, {"lat": -1e-6, "lon": -1e-6}, {"lat": None, "lon": None}, {"LON": "ON"}]
)
def test_what_trackers_send_without_a_fix_is_no_place(fields: dict[str, Any]) -> None:
    assert reading("generic", fields).place is None


@pytest.mark.parametrize("fields", [{"lat": 48.1}, {"lon": 11.5, "lat": None}, {"lat": 91, "lon": 11.5}])
def test_half_a_place_and_an_impossible_one_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        reading("generic", fields)
