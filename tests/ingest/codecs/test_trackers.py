"""Each family's object, as its vendor's formatter writes it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.ingest.codecs.reading import CODECS, place, reading, readings
from tracker.domain.device import SpeedUnit
from tracker.ingest.codecs._reading import Reading

OYSTER = {
    "type": "position",
    "latitudeDeg": 38.2882484,
    "longitudeDeg": 21.7887801,
    "headingDeg": 348.75,
    "speedKmph": 36,
    "batV": 5.25,
    "inTrip": True,
    "fixFailed": False,
}
LGT92 = {
    "latitude": 22.70626,
    "longitude": 114.24252,
    "altitude": 81.3,
    "hdop": 1.21,
    "BatV": 4.104,
    "Roll": 0.5,
    "Pitch": -1.2,
    "ALARM_status": "FALSE",
    "MD": "Move",
    "LON": "ON",
    "FIRMWARE": 164,
}
TRACKERD = {
    "Location": "22.70626,114.24252",
    "Latitude": 22.70626,
    "Longitude": 114.24252,
    "location_tago": {},
    "BatV": 3.9,
    "ALARM_status": "TRUE",
    "MD": 0,
    "LON": "ON",
    "Transport": "MOVE",
    "Date": "2023-5-18",
    "Time": "8:2:5",
}
ABEEWAY = {
    "messageType": "POSITION_MESSAGE",
    "gpsLatitude": 32.5922048,
    "gpsLongitude": -83.6326656,
    "horizontalAccuracy": 7.84,
    "age": 80,
    "batteryLevel": 80,
    "dynamicMotionState": "STATIC",
    "sosFlag": 0,
}
BROWAN = {
    "latitude": 52.1,
    "longitude": 4.3,
    "accuracy": 16,
    "gnss_fix": True,
    "moving": True,
    "battery": 3.6,
}
AT101 = {
    "battery": 100.0,
    "temperature": 26.6,
    "position": "tilt",
    "latitude": 24.62435,
    "longitude": 118.030088,
    "motion_status": "moving",
    "geofence_status": "unset",
}
ADEUNIS = {
    "latitude": 45.4465,
    "downlink": 171.0,
    "uplink": 238.0,
    "battery": 3507.0,
    "temperature": 20.0,
    "longitude": 11.0043,
    "altitude": 0.0,
    "sats": 6.0,
    "trigger": "pushbutton",
}


def measured(number: Any, value: Any, kind: str = "", time_ms: int | None = 1684398300000) -> dict[str, Any]:
    return {
        "measurementId": number,
        "measurementValue": value,
        "type": kind,
        **({} if time_ms is None else {"timestamp": time_ms}),
    }


T1000 = {
    "valid": True,
    "err": 0,
    "messages": [
        [
            measured("4200", [{"id": 7, "eventName": "SOS event."}], "Event Status"),
            measured("4197", 113.943712, "Longitude"),
            measured("4198", "22.576875", "Latitude"),
            measured("4097", "27.4", "Air Temperature"),
            measured("3000", 84, "Battery"),
        ]
    ],
}
OBJECTS: dict[str, dict[str, Any]] = {
    "digital_matter": OYSTER,
    "dragino_lgt92": LGT92,
    "dragino_trackerd": TRACKERD,
    "abeeway": ABEEWAY,
    "browan": BROWAN,
    "milesight_at101": AT101,
    "adeunis_ftd": ADEUNIS,
    "sensecap_t1000": T1000,
    "cayenne": {"gps_1": {"latitude": -33.9366, "longitude": 18.871, "altitude": 114.2}},
}


@pytest.mark.parametrize("family", OBJECTS)
def test_an_object_is_recognised_by_its_own_family_alone(family: str) -> None:
    takers = {name for name, codec in CODECS.items() if codec.read(OBJECTS[family]) is not None}
    assert takers - {"generic"} == {family}


def test_an_oyster_tells_km_per_hour_and_volts() -> None:
    found = reading("digital_matter", OYSTER)
    assert place(found) == (38.2882484, 21.7887801)
    assert (found.speed, found.speed_unit, found.course_deg) == (36, SpeedUnit.KMH, 348.75)
    assert (found.motion, found.battery_pct, found.attrs["batV"]) == (True, None, 5.25)


@pytest.mark.parametrize(
    "fields",
    [
        {"fixFailed": True, "inTrip": False, "cached": {"latitudeDeg": 38.28, "longitudeDeg": 21.78}},
        {**OYSTER, "fixFailed": True},
        {**OYSTER, "latitudeDeg": 0, "longitudeDeg": 0},
    ],
)
def test_an_oyster_that_failed_to_find_itself_has_no_place(fields: dict[str, Any]) -> None:
    assert no_fix(reading("digital_matter", fields))


def no_fix(found: Reading) -> bool:
    return found.place is None and found.no_fix


def test_the_led_of_an_lgt92_is_no_longitude() -> None:
    found = reading("dragino_lgt92", LGT92)
    assert place(found) == (22.70626, 114.24252)
    assert (found.altitude_m, found.hdop, found.battery_pct, found.trigger) == (81.3, 1.21, None, None)


def test_an_alarm_is_why_it_reported() -> None:
    assert reading("dragino_lgt92", {**LGT92, "ALARM_status": "TRUE"}).trigger == "alarm"


@pytest.mark.parametrize(
    ("lat", "lon"), [(0, 0), (0, 114.24252), (-1e-6, -1e-6), (268.435455, 268.435455), (2147.483647, 114)]
)
def test_dummies_of_an_lgt92_are_no_fix(lat: float, lon: float) -> None:
    assert no_fix(reading("dragino_lgt92", {**LGT92, "latitude": lat, "longitude": lon}))


def test_a_trackerd_tells_its_own_time_and_motion() -> None:
    found = reading("dragino_trackerd", TRACKERD)
    assert place(found) == (22.70626, 114.24252)
    assert found.recorded_at == datetime(2023, 5, 18, 8, 2, 5, tzinfo=UTC)
    assert (found.motion, found.trigger, found.battery_pct) == (True, "alarm", None)


@pytest.mark.parametrize(
    "fields",
    [
        {"Latitude": 22.70626, "Longitud": 114.24252, "BatV": 3.9},
        {"Location": "22.70626,114.24252", "BatV": 3.9, "Transport": "STILL"},
    ],
)
def test_older_trackerds_name_their_place_otherwise(fields: dict[str, Any]) -> None:
    assert place(reading("dragino_trackerd", fields)) == (22.70626, 114.24252)


@pytest.mark.parametrize(
    "fields",
    [
        {"Latitude": 0, "Longitude": 0, "Location": 0, "BatV": 3.9},
        {"Location": 0, "BatV": 3.9, "Transport": "STILL"},
        {"Location": "invalid value", "BatV": 3.9},
    ],
)
def test_a_trackerd_without_a_fix_has_no_place(fields: dict[str, Any]) -> None:
    assert no_fix(reading("dragino_trackerd", fields))


def test_a_date_of_zeros_is_no_time() -> None:
    assert reading("dragino_trackerd", {**TRACKERD, "Date": 0, "Time": 0}).recorded_at is None


def test_an_abeeway_tells_the_age_of_its_fix_and_no_battery() -> None:
    found = reading("abeeway", ABEEWAY)
    assert place(found) == (32.5922048, -83.6326656)
    assert (found.age_s, found.accuracy_m, found.motion, found.battery_pct) == (80, 7.84, False, None)


def test_an_abeeway_event_has_no_place() -> None:
    found = reading("abeeway", {"messageType": "EVENT", "eventType": "MOTION_START", "sosFlag": 1})
    assert no_fix(found)
    assert found.trigger == "sos"


def test_a_browan_that_repeats_its_last_place_has_none() -> None:
    assert no_fix(reading("browan", {**BROWAN, "gnss_fix": False}))
    assert no_fix(reading("browan", {"Lat": 52.1, "Long": 4.3, "NoGNSSFix": 1, "MovingMode": 0}))


@pytest.mark.parametrize(("battery", "percent"), [(3.6, None), (93, 93), (3600, None)])
def test_a_browan_battery_in_volts_is_no_percentage(battery: float, percent: float | None) -> None:
    found = reading("browan", {**BROWAN, "battery": battery})
    assert (place(found), found.accuracy_m, found.motion) == ((52.1, 4.3), 16, True)
    assert found.battery_pct == percent


def test_the_position_of_an_at101_is_its_attitude() -> None:
    found = reading("milesight_at101", AT101)
    assert place(found) == (24.62435, 118.030088)
    assert (found.battery_pct, found.motion, found.attrs["position"]) == (100, True, "tilt")


def test_an_at101_with_all_bits_set_has_no_fix() -> None:
    assert no_fix(reading("milesight_at101", {**AT101, "latitude": -1e-6, "longitude": -1e-6}))


def test_an_at101_sends_later_what_it_could_not_send_in_time() -> None:
    old = {"timestamp": 1684398300, "longitude": 118.03, "latitude": 24.62}
    earlier, now = readings("milesight_at101", {**AT101, "history": [old, {"timestamp": None}, 7]})
    assert place(earlier) == (24.62, 118.03)
    assert earlier.recorded_at == datetime(2023, 5, 18, 8, 25, tzinfo=UTC)
    assert now.recorded_at is None


def test_an_adeunis_tells_millivolts() -> None:
    found = reading("adeunis_ftd", ADEUNIS)
    assert place(found) == (45.4465, 11.0043)
    assert (found.satellites, found.battery_pct, found.trigger) == (6, None, "pushbutton")


def test_an_altitude_that_the_formatter_filled_in_is_unknown() -> None:
    assert reading("adeunis_ftd", ADEUNIS).altitude_m is None


def test_a_t1000_tells_a_time_of_its_own_for_each_frame() -> None:
    found = reading("sensecap_t1000", T1000)
    assert place(found) == (22.576875, 113.943712)
    assert found.recorded_at == datetime(2023, 5, 18, 8, 25, tzinfo=UTC)
    assert (found.battery_pct, found.trigger) == (84, "SOS event")
    assert found.attrs == {"air_temperature": "27.4"}


def test_an_old_formatter_of_the_t1000_writes_one_flat_list_with_the_time_in_it() -> None:
    listed = [
        measured(4197, "113.9", time_ms=None),
        measured(4198, "22.5", time_ms=None),
        measured(5100, 1684398300000, "Timestamp", None),
    ]
    found = reading("sensecap_t1000", {"messages": listed})
    assert place(found) == (22.5, 113.9)
    assert found.recorded_at == datetime(2023, 5, 18, 8, 25, tzinfo=UTC)


def test_scans_of_a_t1000_have_no_place_and_leave_no_addresses() -> None:
    scan = [{"mac": "11:22:33:44:55:66", "rssi": "-60"}]
    frame = [measured("5001", scan, "Wi-Fi Scan"), measured("3000", 84, "Battery")]
    found = reading("sensecap_t1000", {"messages": [frame]})
    assert (found.place, found.battery_pct, found.attrs) == (None, 84, {})


def test_the_events_of_a_t1000_tell_whether_it_moves() -> None:
    started, ended = (measured("4200", [{"id": number}]) for number in (1, 2))
    assert reading("sensecap_t1000", {"messages": [[started]]}).motion is True
    assert reading("sensecap_t1000", {"messages": [[ended]]}).motion is False


@pytest.mark.parametrize(
    "fields",
    [
        {
            "gps_0": {"latitude": 0, "longitude": 0, "altitude": 0},
            "gps_3": {"latitude": 1.5, "longitude": 2.5},
        },
        {"gpsLocation": {"1": {"latitude": 1.5, "longitude": 2.5, "altitude": 3.0}}},
    ],
)
def test_the_first_cayenne_channel_with_a_fix_is_taken(fields: dict[str, Any]) -> None:
    assert place(reading("cayenne", fields)) == (1.5, 2.5)


def test_cayenne_zeros_are_no_fix() -> None:
    assert no_fix(reading("cayenne", {"gps_1": {"latitude": 0, "longitude": 0, "altitude": 0}}))
