"""TeslaMate: a live location makes a point, with what else is known of the car."""

from datetime import UTC, datetime

import pytest

from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import Report
from tracker.ingest.dialects._message import Message
from tracker.ingest.dialects.teslamate import DIALECT
from tracker.ingest.rehearsal import Rehearsal

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
PLACE = ("location", '{"latitude": 35.278131, "longitude": 29.744801}')


def reports(
    *told: tuple[str, str], rehearsal: Rehearsal | None = None, retained: bool = False, car: str = "cars/1"
) -> list[Report]:
    rehearsal = rehearsal or Rehearsal()
    for name, value in told:
        rehearsal.hear(
            DIALECT,
            Message(
                topic=f"teslamate/{car}/{name}", payload=value.encode(), received_at=NOW, retained=retained
            ),
        )
    return list(rehearsal.flush())


def test_a_location_carries_what_else_is_known() -> None:
    (report,) = reports(
        ("speed", "36"),
        ("heading", "340"),
        ("elevation", "-70"),
        ("odometer", "1653.5"),
        ("battery_level", "88"),
        ("charging_state", "Disconnected"),
        ("plugged_in", "false"),
        ("state", "driving"),
        ("geofence", "🏡 Home"),
        PLACE,
    )
    fix = report.position
    assert report.external_id == "1"
    assert fix is not None
    assert (fix.recorded_at, fix.at.lat, fix.at.lon) == (NOW, 35.278131, 29.744801)
    assert (fix.speed_mps, fix.course_deg, fix.altitude_m) == pytest.approx((10, 340, -70))
    assert (fix.odometer_m, fix.battery_pct, fix.charging) == (1_653_500, 88, False)
    assert fix.attrs == {"charging_state": "Disconnected", "state": "driving", "geofence": "🏡 Home"}


@pytest.mark.parametrize(
    ("told", "charging"),
    [
        ((), None),
        ((("charging_state", "Charging"),), True),
        ((("charging_state", "Complete"),), True),
        ((("charging_state", "Disconnected"),), False),
        ((("charging_state", "Stopped"), ("plugged_in", "true")), True),
        ((("charging_state", "Charging"), ("charging_state", "")), None),
    ],
)
def test_it_charges_while_there_is_power(told: tuple[tuple[str, str], ...], charging: bool | None) -> None:
    (report,) = reports(*told, PLACE)
    assert report.position is not None
    assert report.position.charging is charging


@pytest.mark.parametrize(
    "told",
    [
        ("speed", "36"),
        ("healthy", "true"),
        ("active_route", '{"destination": "x", "location": {"latitude": 1, "longitude": 2}}'),
        ("active_route_latitude", "1"),
        ("latitude", "35.3"),
        ("longitude", "29.8"),
        ("location", ""),
        ("location", "null"),
        ("location", '{"latitude": 0, "longitude": 0.0}'),
    ],
)
def test_nothing_else_makes_a_point(told: tuple[str, str]) -> None:
    rehearsal = Rehearsal()
    assert len(reports(PLACE, rehearsal=rehearsal)) == 1
    assert reports(told, rehearsal=rehearsal) == []


def test_a_replay_is_of_unknown_age_and_makes_no_point_but_is_known() -> None:
    rehearsal = Rehearsal()
    assert reports(PLACE, ("battery_level", "88"), rehearsal=rehearsal, retained=True) == []
    (report,) = reports(PLACE, rehearsal=rehearsal)
    assert report.position is not None
    assert report.position.battery_pct == 88


def test_a_namespace_tells_cars_of_the_same_number_apart() -> None:
    (report,) = reports(PLACE, car="anna/cars/1")
    assert report.external_id == "anna/1"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("location", '{"latitude": 35.2}', Reason.WRONG_SHAPE),
        ("location", '{"latitude": 95.2, "longitude": 1}', Reason.OUT_OF_RANGE),
        ("location", "[35.2, 29.7]", Reason.WRONG_SHAPE),
        ("location", "{", Reason.NOT_JSON),
        ("speed", "fast", Reason.WRONG_SHAPE),
    ],
)
def test_a_value_that_cannot_be_true_is_refused(name: str, value: str, reason: Reason) -> None:
    with pytest.raises(Malformed) as refused:
        reports((name, value))
    assert refused.value.reason == reason
