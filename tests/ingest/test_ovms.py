"""OVMS: one metric a topic becomes one position a window."""

from datetime import UTC, datetime, timedelta

import pytest

from tracker.domain.device import DeviceSettings, SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import Position, Report
from tracker.ingest.dialects._message import Message
from tracker.ingest.dialects.ovms import DIALECT
from tracker.ingest.rehearsal import Rehearsal

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
CAR = "ovms/jane/ZOE/metric"
LOG = "ovms/jane/ZOE/notify/data/gps.log/12"


def heard(topic: str, payload: str, *, retained: bool = False, **more: DeviceSettings) -> Message:
    return Message(topic=topic, payload=payload.encode(), received_at=NOW, retained=retained, devices=more)


def positions(
    *told: tuple[str, str], rehearsal: Rehearsal | None = None, retained: bool = False
) -> list[Position]:
    rehearsal = rehearsal or Rehearsal()
    for metric, value in told:
        rehearsal.hear(DIALECT, heard(f"{CAR}/{metric}", value, retained=retained))
    return [report.position for report in rehearsal.flush() if report.position]


def logged(record: str, age: str = "-30", **more: bool) -> tuple[Report, ...]:
    return DIALECT.decode(heard(f"{LOG}/{age}", record, retained=more.get("retained", False))).reports


def test_all_metrics_of_a_window_make_one_position() -> None:
    (fix,) = positions(
        ("v/p/longitude", "11.5754"),
        ("v/p/gpslock", "yes"),
        ("v/p/gpstime", "1795251500"),
        ("v/p/speed", "36"),
        ("v/p/gpsspeed", "37"),
        ("v/p/direction", "360"),
        ("v/p/altitude", "-4.5"),
        ("v/p/gpshdop", "1.3"),
        ("v/p/satcount", "12"),
        ("v/p/gpssq", "87"),
        ("v/p/odometer", "1234.5"),
        ("v/p/trip", "2.5"),
        ("v/b/soc", "71.5"),
        ("v/c/charging", "no"),
        ("v/e/on", "yes"),
        ("v/p/latitude", "48.1371"),
    )
    assert fix.recorded_at == datetime.fromtimestamp(1795251500, UTC)
    assert (fix.at.lat, fix.at.lon) == (48.1371, 11.5754)
    assert (fix.speed_mps, fix.course_deg, fix.altitude_m) == pytest.approx((10, 0, -4.5))
    assert (fix.hdop, fix.satellites, fix.odometer_m, fix.battery_pct) == (1.3, 12, 1_234_500, 71.5)
    assert (fix.charging, fix.ignition) == (False, True)
    assert fix.attrs == {"gps_quality_pct": 87, "trip_m": 2500}


def test_driving_due_north_changes_the_latitude_only() -> None:
    rehearsal = Rehearsal()
    positions(("v/p/latitude", "48.1"), ("v/p/longitude", "11.5"), rehearsal=rehearsal)
    (fix,) = positions(("v/p/latitude", "48.2"), rehearsal=rehearsal)
    assert (fix.at.lat, fix.at.lon, fix.recorded_at) == (48.2, 11.5, NOW)


def test_a_new_time_of_a_fix_is_a_fix_at_the_same_place_and_a_new_charge_is_none() -> None:
    rehearsal = Rehearsal()
    positions(("v/p/latitude", "48.1"), ("v/p/longitude", "11.5"), rehearsal=rehearsal)
    assert positions(("v/b/soc", "70"), rehearsal=rehearsal) == []
    (fix,) = positions(("v/p/gpstime", "1795251500"), rehearsal=rehearsal)
    assert fix.battery_pct == 70
    # The old time is not that of what comes later without one.
    (fix,) = positions(("v/p/latitude", "48.2"), rehearsal=rehearsal)
    assert fix.recorded_at == NOW
    assert positions(("v/b/soc", ""), rehearsal=rehearsal) == []


@pytest.mark.parametrize(
    "other",
    [("v/p/gpslock", "no"), ("v/p/latitude", "0.000000"), ("v/p/latitude", "")],
    ids=["no lock", "0, 0", "undefined"],
)
def test_without_a_fix_there_is_no_position(other: tuple[str, str]) -> None:
    assert positions(("v/p/latitude", "51.3"), ("v/p/longitude", "0.0")) != []
    assert positions(("v/p/latitude", "51.3"), ("v/p/longitude", "0.0"), other) == []


def test_another_place_of_the_vehicle_is_not_where_it_is() -> None:
    assert positions(("v/p/valet/latitude", "1"), ("v/p/valet/longitude", "2")) == []


def test_a_replay_counts_with_the_time_of_its_fix_only() -> None:
    place = ("v/p/latitude", "48.1"), ("v/p/longitude", "11.5")
    assert positions(*place, retained=True) == []
    assert positions(*place, ("v/p/gpstime", "0"), retained=True) == []
    (fix,) = positions(*place, ("v/p/gpstime", "1795251500"), retained=True)
    assert fix.recorded_at == datetime.fromtimestamp(1795251500, UTC)


def test_a_device_has_its_own_unit_of_speed() -> None:
    unit = DeviceSettings(speed_unit=SpeedUnit.MPS)
    message = Message(topic=f"{CAR}/v/p/speed", payload=b"5", received_at=NOW, devices={"jane/zoe": unit})
    assert [part.value for part in DIALECT.decode(message).parts] == [5]


@pytest.mark.parametrize(
    ("topic", "vehicle"),
    [
        ("ovms/jane/ZOE/metric/v/p/latitude", "jane/ZOE"),
        ("/ovms/jane/ZOE/metric/v/p/latitude", "jane/ZOE"),
        ("ovms/jane/metric/metric/v/p/latitude", "jane/metric"),
        ("home/cars/jane/ZOE/metric/v/p/latitude", "jane/ZOE"),
    ],
)
def test_the_vehicle_is_its_user_and_its_id(topic: str, vehicle: str) -> None:
    assert [part.external_id for part in DIALECT.decode(heard(topic, "1")).parts] == [vehicle]


def test_a_metric_of_nobody_is_taken_from_a_device_that_speaks_for_itself_only() -> None:
    message = heard("metric/v/p/latitude", "1")
    with pytest.raises(Malformed) as refused:
        DIALECT.decode(message)
    assert refused.value.reason == Reason.NO_IDENTITY
    own = Message(topic=message.topic, payload=b"1", received_at=NOW, devices={"": DeviceSettings()})
    assert [part.external_id for part in DIALECT.decode(own).parts] == [None]


@pytest.mark.parametrize(
    ("metric", "value", "reason"),
    [
        ("v/p/latitude", "91", Reason.OUT_OF_RANGE),
        ("v/p/longitude", "-180.1", Reason.OUT_OF_RANGE),
        ("v/p/latitude", "north", Reason.WRONG_SHAPE),
        ("v/p/latitude", "inf", Reason.WRONG_SHAPE),
        ("v/p/gpslock", "perhaps", Reason.WRONG_SHAPE),
        ("v/p/gpstime", "1995251500", Reason.TIME_IN_FUTURE),
    ],
)
def test_a_value_that_cannot_be_true_is_refused(metric: str, value: str, reason: Reason) -> None:
    with pytest.raises(Malformed) as refused:
        DIALECT.decode(heard(f"{CAR}/{metric}", value))
    assert refused.value.reason == reason


@pytest.mark.parametrize(("value", "online"), [("yes", True), ("no", False)])
def test_it_says_whether_the_module_is_connected_but_a_replay_does_not(value: str, online: bool) -> None:
    topic = f"{CAR}/s/v3/connected"
    (report,) = DIALECT.decode(heard(topic, value)).reports
    assert report.external_id == "jane/ZOE"
    assert report.fact is not None
    assert (report.fact.kind, report.fact.data) == ("presence", {"online": online})
    assert DIALECT.decode(heard(topic, value, retained=True)).reports == ()


@pytest.mark.parametrize(
    "topic", ["event", "event/vehicle/on", "notify/info/charge", "client/7/response/1", "metric/m/net/sq", ""]
)
def test_other_topics_say_nothing(topic: str) -> None:
    decoded = DIALECT.decode(heard(f"ovms/jane/ZOE/{topic}", "v.p.latitude 51"))
    assert (decoded.reports, decoded.parts) == ((), ())


def test_a_log_of_the_twizy_is_as_old_as_its_topic_says() -> None:
    (report,) = logged("RT-GPS-Log,100,86400,51.3,6.5,42,265,36,1,17,31,352")
    fix = report.position
    assert fix is not None
    assert report.external_id == "jane/ZOE"
    assert fix.recorded_at == NOW - timedelta(seconds=30)
    assert (fix.at.lat, fix.at.lon, fix.altitude_m, fix.course_deg) == (51.3, 6.5, 42, 265)
    assert fix.speed_mps == pytest.approx(10)
    assert fix.odometer_m == pytest.approx(16_093.44)


def test_a_log_of_the_smart_tells_the_age_of_its_fix_too() -> None:
    (report,) = logged("XSQ-GPS-Log,123456,86400,49.3,8.4,112,87,52,1,17,-71,12.5,1.2,0.3,35.2")
    assert report.position is not None
    assert report.position.recorded_at == NOW - timedelta(seconds=47)


def test_a_log_of_the_niu_has_a_time_of_its_own_even_in_a_replay() -> None:
    (report,) = logged(
        "XNE-GPS-Log,1795251500,86400,49.3,8.2,43.2,187,1.1,9,36.0,12345.6,87.3", retained=True
    )
    fix = report.position
    assert fix is not None
    assert fix.recorded_at == datetime.fromtimestamp(1795251500, UTC)
    assert (fix.speed_mps, fix.odometer_m) == pytest.approx((10, 12_345_600))
    assert (fix.course_deg, fix.hdop, fix.satellites, fix.battery_pct) == (187, 1.1, 9, 87.3)


@pytest.mark.parametrize(
    "record",
    [
        "RT-GPS-Log,1,86400,51.3,6.5,42,265,38,0,0,31",
        "RT-GPS-Log,1,86400,0,0,42,265,38,1",
        "XNE-GPS-Log,1795251500,86400,0.000000,0.000000",
        "RT-PWR-Log,0,86400,51.3,6.5",
        "",
    ],
)
def test_a_log_without_a_fix_says_nothing(record: str) -> None:
    assert logged(record) == ()


def test_a_log_without_time_that_is_replayed_says_nothing() -> None:
    assert logged("RT-GPS-Log,100,86400,51.3,6.5,42,265,36,1", retained=True) == ()


@pytest.mark.parametrize(
    ("record", "age", "reason"),
    [
        ("RT-GPS-Log,1,86400,51.3,6.5", "-30", Reason.WRONG_SHAPE),
        ("RT-GPS-Log,1,86400,91.0,6.5,42,265,38,1", "-30", Reason.OUT_OF_RANGE),
        ("RT-GPS-Log,1,86400,51.3,6.5,42,265,38,1", "now", Reason.NO_TIME),
        ("XNE-GPS-Log", "-30", Reason.WRONG_SHAPE),
        ("XNE-GPS-Log,abc,86400,49.3,8.2", "-30", Reason.NO_TIME),
        ("XNE-GPS-Log,12345,86400,49.3,8.2", "-30", Reason.TIME_BEFORE_2000),
        ("XNE-GPS-Log,1795251500,86400,here,8.2", "-30", Reason.WRONG_SHAPE),
    ],
)
def test_a_log_that_cannot_be_true_is_refused(record: str, age: str, reason: Reason) -> None:
    with pytest.raises(Malformed) as refused:
        logged(record, age)
    assert refused.value.reason == reason
