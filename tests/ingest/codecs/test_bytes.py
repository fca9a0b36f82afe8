"""The bytes of trackers whose network has no formatter. Payloads without a source are made by hand."""

import base64
import struct
from datetime import UTC, datetime

import pytest

from tests.ingest.codecs.reading import of_bytes, place, reading, readings
from tracker.domain.errors import Malformed


def test_cayenne() -> None:
    # TTN Mapper's example of The Things Stack.
    fields = of_bytes("cayenne", base64.b64decode("AIj60loC4SYALJw="))
    assert place(reading("cayenne", fields)) == pytest.approx((-33.9366, 18.871))
    assert reading("cayenne", fields).altitude_m == pytest.approx(114.2)


def test_cayenne_with_time_and_other_channels() -> None:
    # A published uplink of Traccar's tests: clock, place, then sensors.
    raw = base64.b64decode("AIVpAyHNAIgFtcvtXxgAEWIAAAsAAgBaAIQAYwCCAAB7tQBnAS0AcyeRAGh5")
    found = reading("cayenne", of_bytes("cayenne", raw))
    assert place(found) == pytest.approx((37.4219, -122.084))
    assert found.recorded_at == datetime.fromtimestamp(0x690321CD, UTC)


def test_adeunis() -> None:
    # ChirpStack range analyser's uplink, and one of TTN Mapper's.
    fields = of_bytes("adeunis_ftd", base64.b64decode("nhRFJnkAARACYBbuqw2z"))
    found = reading("adeunis_ftd", fields)
    assert place(found) == pytest.approx((45.4465, 11.004333333333333))
    assert (found.satellites, fields["battery"], fields["temperature"]) == (6, 3507, 20)
    fields = of_bytes("adeunis_ftd", base64.b64decode("vyVSJWVQAQR0kBUEAw+JNgY="))
    assert place(reading("adeunis_ftd", fields)) == pytest.approx((52.42758333333333, 10.7915))
    assert fields["trigger"] == "pushbutton"


def test_adeunis_south_and_west() -> None:
    fields = of_bytes("adeunis_ftd", bytes.fromhex("10 45267901 01100261 16"))
    assert place(reading("adeunis_ftd", fields)) == pytest.approx((-45.4465, -11.0043333))


def test_at101() -> None:
    # Milesight's example, as published by ThingsBoard.
    found = reading(
        "milesight_at101", of_bytes("milesight_at101", base64.b64decode("AXVkA2cKAQUAAQSI3rx3AQj/CAcg"))
    )
    assert place(found) == pytest.approx((24.62435, 118.030088))
    assert (found.battery_pct, found.motion, found.attrs["temperature"]) == (100, None, 26.6)


def test_at101_without_a_fix_scans_wifi() -> None:
    raw = bytes.fromhex(
        "01756403671B010488FFFFFFFFFFFFFFFF3305000106D9081CC316222DF9C31006D90824E124F6A667B621"
    )
    found = reading("milesight_at101", of_bytes("milesight_at101", raw))
    assert (found.place, found.no_fix, found.motion) == (None, True, False)


def test_at101_history_has_the_longitude_first() -> None:
    raw = b"\x20\xce" + struct.pack("<Iii", 1684398300, 118_030_000, 24_620_000)
    earlier, _ = readings("milesight_at101", of_bytes("milesight_at101", raw))
    assert place(earlier) == (24.62, 118.03)


def test_abeeway() -> None:
    # A published uplink whose decoded members are known.
    found = reading("abeeway", of_bytes("abeeway", bytes.fromhex("032a9088a00a136d2dce26ab02")))
    assert place(found) == pytest.approx((32.5922048, -83.6326656))
    assert (found.age_s, found.accuracy_m, found.motion) == (80, 7.84, False)


def test_abeeway_wifi_positions_tell_nothing() -> None:
    raw = bytes.fromhex("032ce8844926c8675e842cd7c76cc217d827bebc34dbfdad0e31b4c8675e8200d4b2")
    assert of_bytes("abeeway", raw) == {}


@pytest.mark.parametrize(
    ("port", "raw"),
    [
        (1, struct.pack("<iiBBB", 382_882_484, -217_887_801, (62 << 2) | 1, 36, 210)),
        (4, bytes.fromhex("cb3716 3fbbf6 3f d2 01")),
    ],
)
def test_oyster(port: int, raw: bytes) -> None:
    found = reading("digital_matter", of_bytes("digital_matter", raw, port))
    assert found.place is not None
    assert found.place.lon < 0 < found.place.lat
    assert (found.motion, found.attrs["batV"]) == (True, 5.25)


def test_oyster_whose_fix_failed() -> None:
    raw = struct.pack("<iiBBB", 382_882_484, 217_887_801, 2, 0, 210)
    assert reading("digital_matter", of_bytes("digital_matter", raw)).place is None


def test_lgt92() -> None:
    raw = struct.pack(">iiHBhhBh", 22_706_260, -114_242_520, 0x4000 | 4104, 0x64, 50, -120, 121, -130)
    fields = of_bytes("dragino_lgt92", raw, 2)
    found = reading("dragino_lgt92", fields)
    assert place(found) == (22.70626, -114.24252)
    assert (found.trigger, found.hdop, found.altitude_m) == ("alarm", 1.21, -1.3)
    assert (fields["BatV"], fields["MD"], fields["LON"]) == (4.104, "Move", "ON")


@pytest.mark.parametrize("raw", [b"\xff" * 8, b"\x0f\xff\xff\xff" * 2, b"\0" * 8])
def test_lgt92_without_a_fix(raw: bytes) -> None:
    assert reading("dragino_lgt92", of_bytes("dragino_lgt92", raw + b"\x10\x08\0", 2)).place is None


def test_trackerd_with_its_clock() -> None:
    raw = struct.pack(">iiHBHBBBBB", 22_706_260, 114_242_520, 3900, 0x18, 2023, 5, 18, 8, 25, 0)
    found = reading("dragino_trackerd", of_bytes("dragino_trackerd", raw, 2))
    assert place(found) == (22.70626, 114.24252)
    assert (found.recorded_at, found.motion) == (datetime(2023, 5, 18, 8, 25, tzinfo=UTC), True)


def test_trackerd_log() -> None:
    raw = struct.pack(">iiHBBBBB", 22_706_260, 114_242_520, 2023, 5, 18, 8, 25, 0)
    found = reading("dragino_trackerd", of_bytes("dragino_trackerd", raw, 4))
    assert found.recorded_at == datetime(2023, 5, 18, 8, 25, tzinfo=UTC)


def browan(lat: float, lon: float, *, status: int = 0, exponent: int = 2) -> bytes:
    north, east = round(lat * 1e6) & 0xFFFFFFF, round(lon * 1e6) & 0x1FFFFFFF
    return bytes([status, 0x0B, 52]) + struct.pack("<II", north, east | exponent << 29)


@pytest.mark.parametrize(("lat", "lon"), [(52.1, 4.3), (-33.9366, 151.2), (48.5, -122.084)])
def test_browan(lat: float, lon: float) -> None:
    found = reading("browan", of_bytes("browan", browan(lat, lon, status=2), 136))
    assert place(found) == pytest.approx((lat, lon))
    assert (found.accuracy_m, found.motion, found.battery_pct) == (16, True, None)


def test_browan_without_a_fix_repeats_its_place() -> None:
    assert reading("browan", of_bytes("browan", browan(52.1, 4.3, status=8), 136)).place is None


def test_t1000_passes_over_a_scan_and_reads_the_fix_behind_it() -> None:
    scan = b"\x0d" + b"\0\0\0\x01"
    fix = struct.pack(">B3sBIiiHHB", 6, b"\0\0\x40", 0, 1684398300, 113_943_712, -22_576_875, 274, 5, 84)
    found = reading("sensecap_t1000", of_bytes("sensecap_t1000", scan + fix, 5))
    assert place(found) == (-22.576875, 113.943712)
    assert (found.recorded_at, found.battery_pct) == (datetime(2023, 5, 18, 8, 25, tzinfo=UTC), 84)
    assert found.trigger == "7"


@pytest.mark.parametrize(
    ("name", "raw", "port"),
    [
        ("cayenne", b"\0\x88\0", 1),
        ("cayenne", b"\0\xfe\0", 1),
        ("adeunis_ftd", b"", 1),
        ("adeunis_ftd", bytes.fromhex("10 4526790f 0a100261 16"), 1),
        ("milesight_at101", b"\x04\x88\0", 85),
        ("milesight_at101", b"hello", 85),
        ("abeeway", b"\x03\0\0\0\0", 1),
        ("digital_matter", b"\0", 1),
        ("dragino_lgt92", b"\0", 2),
        ("dragino_trackerd", bytes(8) + b"\0\0\x01\x01\x01\x01\x01", 4),
        ("browan", b"\0", 136),
        ("sensecap_t1000", b"\x06\0", 5),
    ],
)
def test_bytes_of_another_form_are_refused(name: str, raw: bytes, port: int) -> None:
    with pytest.raises(Malformed):
        of_bytes(name, raw, port)
