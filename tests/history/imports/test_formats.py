"""Each format, from samples built by its published description."""

import io
import json
import struct
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.history.fixes import read
from tracker.domain.geo import LatLon
from tracker.domain.position import Position
from tracker.history.imports._record import Ending, Refusal, Why

TRACKS = Path(__file__).parents[3] / "devices" / "tracks"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def only(data: bytes | str, name: str | None = None) -> Position:
    """Return the one position of a file that holds no more and is known by its content."""
    positions, refused, ending = read(data.encode() if isinstance(data, str) else data, name)
    assert (refused, ending) == ([], None)
    assert len(positions) == 1
    return positions[0]


GPX = """<?xml version="1.0"?><gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">
<wpt lat="1" lon="2"><time>2020-01-01T00:00:00Z</time></wpt>
<trk><trkseg>{}</trkseg></trk></gpx>"""


def test_gpx_with_the_extensions_of_a_watch() -> None:
    fix = only(
        GPX.format(
            '<trkpt lat="52.5" lon="-0.25"><ele>12.5</ele><time>2021-05-06T07:08:09.250+02:00</time>'
            "<sat>7</sat><hdop>0.9</hdop><extensions><gpxtpx:TrackPointExtension><gpxtpx:hr>99</gpxtpx:hr>"
            "<gpxtpx:speed>2.5</gpxtpx:speed><gpxtpx:course>270</gpxtpx:course></gpxtpx:TrackPointExtension>"
            "</extensions></trkpt>"
        )
    )
    assert fix == Position(
        recorded_at=at("2021-05-06T05:08:09.250Z"),
        at=LatLon(lat=52.5, lon=-0.25),
        altitude_m=12.5,
        satellites=7,
        hdop=0.9,
        speed_mps=2.5,
        course_deg=270.0,
    )


def test_gpx_points_that_cannot_be_are_counted_by_their_number() -> None:
    positions, refused, _ = read(
        GPX.format(
            '<trkpt lat="1" lon="2"/>'
            '<trkpt lat="91" lon="2"><time>2021-01-01T00:00:00Z</time></trkpt>'
            '<trkpt lon="2"><time>2021-01-01T00:00:00Z</time></trkpt>'
            '<trkpt lat="0" lon="0"><time>2021-01-01T00:00:00Z</time></trkpt>'
            '<trkpt lat="nan" lon="2"><time>2021-01-01T00:00:00Z</time></trkpt>'
            '<trkpt lat="3" lon="4"><time>2021-01-01T00:00:00Z</time></trkpt>'
        ).encode()
    )
    assert [fix.at.lat for fix in positions] == [3.0]
    assert refused == [
        Refusal(1, Why.NO_TIME),
        Refusal(2, Why.OUT_OF_RANGE),
        Refusal(3, Why.NO_PLACE),
        Refusal(4, Why.NULL_ISLAND),
        Refusal(5, Why.NO_PLACE),
    ]


def test_a_real_gpx_1_0_file_is_read_whole() -> None:
    data = (TRACKS / "cerknicko-jezero.gpx").read_bytes()
    positions, refused, ending = read(data)
    assert len(positions) == data.count(b"<trkpt") > 100
    assert (refused, ending) == ([], None)


def test_a_real_table_is_read_whole() -> None:
    data = (TRACKS / "pets.csv").read_bytes()
    positions, refused, ending = read(data)
    assert len(positions) == len(data.splitlines()) - 1
    assert (refused, ending) == ([], None)
    assert positions[0].altitude_m == 56.48


@pytest.mark.parametrize("order", ["apart", "in turns"])
def test_kml_track_with_times_before_or_beside_their_places(order: str) -> None:
    whens = [f"<when>2021-01-01T00:00:0{second}Z</when>" for second in range(3)]
    coords = [f"<gx:coord>24.{second} 60.5 0</gx:coord>" for second in range(3)]
    inner = (
        whens + coords
        if order == "apart"
        else [part for pair in zip(whens, coords, strict=True) for part in pair]
    )
    positions, refused, _ = read(
        f"<kml><Document><Placemark><gx:Track>{''.join(inner)}</gx:Track></Placemark></Document></kml>".encode()
    )
    assert [(fix.recorded_at.second, fix.at.lon, fix.altitude_m) for fix in positions] == [
        (0, 24.0, None),
        (1, 24.1, None),
        (2, 24.2, None),
    ]
    assert refused == []


def test_kml_places_of_a_time_span_count_at_both_ends_and_lines_not_at_all() -> None:
    positions, refused, _ = read(
        b"<kml><Document>"
        b"<Placemark><TimeSpan><begin>2021-01-01T00:00:00Z</begin><end>2021-01-01T01:00:00Z</end></TimeSpan>"
        b"<Point><coordinates>24.9,60.2,0</coordinates></Point></Placemark>"
        b"<Placemark><TimeSpan><begin>2021-01-01T00:00:00Z</begin></TimeSpan>"
        b"<LineString><coordinates>24.9,60.2,0 25,61,0</coordinates></LineString></Placemark>"
        b"<Placemark><name>no place</name></Placemark></Document></kml>"
    )
    assert [fix.recorded_at.hour for fix in positions] == [0, 1]
    assert [each.why for each in refused] == [Why.NO_TIME]


def test_geojson_of_overland() -> None:
    fix = only(
        json.dumps(
            {
                "locations": [
                    {
                        "type": "Feature",
                        "geometry": {"type": "Point", "coordinates": [-122.03, 37.33]},
                        "properties": {
                            "timestamp": "2015-10-01T08:00:00-0700",
                            "altitude": 3,
                            "speed": 4,
                            "horizontal_accuracy": 30,
                            "motion": ["driving"],
                            "battery_state": "charging",
                            "battery_level": 0.8,
                        },
                    }
                ]
            }
        )
    )
    assert fix == Position(
        recorded_at=at("2015-10-01T15:00:00Z"),
        at=LatLon(lat=37.33, lon=-122.03),
        altitude_m=3.0,
        speed_mps=4.0,
        accuracy_m=30.0,
        battery_pct=80.0,
        charging=True,
    )


def test_geojson_line_with_a_time_for_each_place() -> None:
    line = {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": [[24, 60, 5], [24.1, 60]]},
        "properties": {"coordTimes": ["2021-01-01T00:00:00Z", 1609459260]},
    }
    positions, refused, _ = read(json.dumps(line).encode())
    assert [(fix.recorded_at.minute, fix.at.lon, fix.altitude_m) for fix in positions] == [
        (0, 24.0, 5.0),
        (1, 24.1, None),
    ]
    assert refused == []


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("time,lat,lon,speed_kmh", "2021-01-01T00:00:00Z,60,24,36"),
        ("Latitude;Longitude;Timestamp;Speed", "60;24;1609459200;10"),
        ("\ufeffLON\tLAT\tTIMESTAMP\tSPEED_MPS", "24\t60\t1609459200000\t10"),
        ("date,time,latitude,longitude,speed_knots", "2021/01/01,00:00:00,60,24,19.438444924406"),
    ],
)
def test_csv_by_the_names_of_its_columns(header: str, row: str) -> None:
    fix = only(f"{header}\n{row}\n")
    assert (fix.recorded_at, fix.at) == (at("2021-01-01T00:00:00Z"), LatLon(lat=60, lon=24))
    assert fix.speed_mps == pytest.approx(10)


def test_csv_rows_of_no_sense_are_counted_and_the_rest_goes_on() -> None:
    long = "x" * 70_000
    positions, refused, ending = read(
        f"time,lat,lon,note\n1609459200,60,24,\n1609459201,60\n1609459202,60,24,{long}\n1609459203,60,24,b\n".encode()
    )
    assert [fix.recorded_at.second for fix in positions] == [0, 3]
    assert refused == [Refusal(3, Why.NOT_READABLE), Refusal(4, Why.NOT_READABLE)]
    assert ending is None


def test_traccar_csv_in_knots_without_invalid_fixes() -> None:
    header = (
        "id,deviceId,protocol,serverTime,deviceTime,fixTime,valid,latitude,longitude,altitude,speed,course,"
        "address,accuracy,batteryLevel,ignition,totalDistance"
    )
    times = "2022-03-01T10:00:05.000+00:00,2022-03-01T10:00:00.000+00:00,2022-03-01T09:59:59.000+00:00"
    positions, refused, _ = read(
        f"{header}\n1,7,osmand,{times},true,55.75,37.61,150.0,10.0,90.0,,0.0,80,true,1234.5\n"
        f"2,7,osmand,{times},false,55.75,37.61,150.0,10.0,90.0,,0.0,80,true,1234.5\n".encode()
    )
    assert positions == [
        Position(
            recorded_at=at("2022-03-01T09:59:59Z"),
            at=LatLon(lat=55.75, lon=37.61),
            altitude_m=150.0,
            speed_mps=10 * 1852 / 3600,
            course_deg=90.0,
            battery_pct=80.0,
            ignition=True,
            odometer_m=1234.5,
        )
    ]
    assert refused == [Refusal(3, Why.INVALID_FIX)]


def test_owntracks_recorder_file() -> None:
    lines = (
        '2020-05-01T10:00:00Z\t*                 \t{"_type":"location","tst":1588327200,'
        '"lat":48.85,"lon":2.29,"acc":9,"alt":40,"vel":36,"cog":90,"batt":73,"bs":2,"t":"u","conn":"w","SSID":"home"}\n'
        '2020-05-01T10:01:00Z\tlwt               \t{"_type":"lwt","tst":1588327200}\n'
        "2020-05-01T10:02:00Z\tencrypted         \tabc\n"
        "2020-05-01T10:03:00Z\t*                 \t{broken\n"
        "\n"
    )
    positions, refused, _ = read(lines.encode())
    assert positions == [
        Position(
            recorded_at=at("2020-05-01T10:00:00Z"),
            at=LatLon(lat=48.85, lon=2.29),
            accuracy_m=9.0,
            altitude_m=40.0,
            speed_mps=10.0,
            course_deg=90.0,
            battery_pct=73.0,
            charging=True,
            trigger="u",
            network={"type": "wifi", "ssid": "home"},
        )
    ]
    assert refused == [Refusal(3, Why.ENCRYPTED), Refusal(4, Why.NOT_READABLE)]


RECORDS = {
    "locations": [
        {
            "latitudeE7": 414216106,
            "longitudeE7": 21684775,
            "accuracy": 29,
            "velocity": 3,
            "heading": 180,
            "altitude": 57,
            "activity": [
                {"activity": [{"type": "STILL", "confidence": 100}], "timestamp": "2013-12-16T05:42:25Z"}
            ],
            "source": "WIFI",
            "timestamp": "2013-12-16T05:42:25.711Z",
        },
        {"latitudeE7": 414216106, "longitudeE7": 4273283521, "accuracy": 5, "timestampMs": "1387172545711"},
        {"timestamp": "2013-12-16T05:42:25.711Z"},
    ]
}


def test_google_records_of_both_ages() -> None:
    positions, refused, _ = read(json.dumps(RECORDS).encode())
    assert positions[0] == Position(
        recorded_at=at("2013-12-16T05:42:25.711Z"),
        at=LatLon(lat=41.4216106, lon=2.1684775),
        accuracy_m=29.0,
        speed_mps=3.0,
        course_deg=180.0,
        altitude_m=57.0,
    )
    assert positions[1].recorded_at == positions[0].recorded_at
    # 32 bits wrapped: 4273283521 - 2^32.
    assert positions[1].at.lon == pytest.approx(-2.1683775)
    assert refused == [Refusal(3, Why.NO_PLACE)]


SEMANTIC = {
    "timelineObjects": [
        {
            "activitySegment": {
                "startLocation": {"latitudeE7": 410000000, "longitudeE7": 20000000},
                "endLocation": {"latitudeE7": 420000000, "longitudeE7": 30000000},
                "duration": {"startTimestamp": "2019-01-01T10:00:00Z", "endTimestampMs": "1546340400000"},
                "waypointPath": {"waypoints": [{"latE7": 1, "lngE7": 1}]},
                "simplifiedRawPath": {
                    "points": [
                        {
                            "latE7": 415000000,
                            "lngE7": 25000000,
                            "timestamp": "2019-01-01T10:30:00Z",
                            "accuracyMeters": 9,
                        }
                    ]
                },
            }
        },
        {
            "placeVisit": {
                "location": {"latitudeE7": 420000000, "longitudeE7": 30000000, "name": "Home"},
                "duration": {
                    "startTimestamp": "2019-01-01T11:00:00Z",
                    "endTimestamp": "2019-01-01T12:00:00Z",
                },
            }
        },
    ]
}


def test_google_semantic_history_tells_fixes_from_conclusions() -> None:
    positions, refused, _ = read(json.dumps(SEMANTIC).encode())
    assert [
        (fix.recorded_at.strftime("%H:%M"), fix.at.lat, fix.attrs.get("inferred")) for fix in positions
    ] == [
        ("10:00", 41.0, "journey"),
        ("10:30", 41.5, None),
        ("11:00", 42.0, "journey"),
        ("11:00", 42.0, "visit"),
        ("12:00", 42.0, "visit"),
    ]
    assert positions[1].accuracy_m == 9.0
    assert refused == []


ANDROID = {
    "semanticSegments": [
        {
            "startTime": "2024-05-01T08:00:00.000+02:00",
            "endTime": "2024-05-01T10:00:00.000+02:00",
            "timelinePath": [{"point": "43.775309°, 9.071146°", "time": "2024-05-01T08:41:00.000+02:00"}],
        },
        {
            "startTime": "2024-05-01T10:00:00.000+02:00",
            "endTime": "2024-05-01T11:00:00.000+02:00",
            "visit": {"topCandidate": {"placeLocation": {"latLng": "43.7°, 9.0°"}}},
        },
    ],
    "rawSignals": [
        {"wifiScan": {"deliveryTime": "2024-05-01T08:00:00.000+02:00"}},
        {
            "position": {
                "LatLng": "43.1°, -9.2°",
                "accuracyMeters": 13,
                "altitudeMeters": 4.5,
                "source": "GPS",
                "timestamp": "2024-05-02T08:00:00.000+02:00",
                "speedMetersPerSecond": 1.25,
            }
        },
    ],
    "userLocationProfile": {"frequentPlaces": [{"placeLocation": "1°, 2°"}]},
}


def test_google_timeline_of_android() -> None:
    positions, refused, _ = read(json.dumps(ANDROID, ensure_ascii=False).encode())
    assert [(fix.recorded_at, fix.at.lat, fix.at.lon) for fix in positions] == [
        (at("2024-05-01T06:41:00Z"), 43.775309, 9.071146),
        (at("2024-05-01T08:00:00Z"), 43.7, 9.0),
        (at("2024-05-01T09:00:00Z"), 43.7, 9.0),
        (at("2024-05-02T06:00:00Z"), 43.1, -9.2),
    ]
    assert (positions[3].accuracy_m, positions[3].altitude_m, positions[3].speed_mps) == (13.0, 4.5, 1.25)
    assert refused == []


def test_google_timeline_of_ios() -> None:
    segments = [
        {
            "startTime": "2024-05-01T08:00:00.000Z",
            "endTime": "2024-05-01T10:00:00.000Z",
            "timelinePath": [{"point": "geo:41.5,-8.4", "durationMinutesOffsetFromStartTime": "30"}],
        },
        {
            "startTime": "2024-05-01T10:00:00.000Z",
            "endTime": "2024-05-01T11:00:00.000Z",
            "activity": {"start": "geo:41.5,-8.4", "end": "geo:41.6,-8.5", "distanceMeters": "13984.0"},
        },
        {
            "startTime": "2024-05-01T11:00:00.000Z",
            "endTime": "2024-05-01T12:00:00.000Z",
            "visit": {"topCandidate": {"placeLocation": "geo:41.6,-8.5"}},
        },
    ]
    positions, refused, _ = read(json.dumps(segments).encode())
    assert [fix.recorded_at.strftime("%H:%M") for fix in positions] == [
        "08:30",
        "10:00",
        "11:00",
        "11:00",
        "12:00",
    ]
    assert refused == []


def archive(**files: object) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content if isinstance(content, str | bytes) else json.dumps(content))
    return packed.getvalue()


def test_a_takeout_archive_is_read_without_unpacking() -> None:
    settings: dict[str, list[str]] = {"deviceSettings": []}
    only_semantic = read(archive(a=settings, b=SEMANTIC, c="<html>"))
    assert len(only_semantic[0]) == 5
    # The fixes themselves are there: what was concluded from them is left out.
    both = read(archive(b=SEMANTIC, r=RECORDS))
    assert len(both[0]) == 2
    assert read(archive(a=settings)) == ([], [], Ending.UNKNOWN_FORMAT)


def fit_file(*records: tuple[int, int, int], order: str = "<", cut: int = 0) -> bytes:
    """Build an activity: a definition of `record` and its data, and one with a compressed timestamp."""
    definition = struct.pack(f"{order}BBBHB", 0x40, 0, order == ">", 20, 5)
    definition += bytes([253, 4, 0x86, 0, 4, 0x85, 1, 4, 0x85, 2, 2, 0x84, 6, 2, 0x84])
    data = b"".join(struct.pack(f"{order}BIiiHH", 0, *each, (100 + 500) * 5, 2500) for each in records)
    compressed = struct.pack(f"{order}BBBHB", 0x41, 0, order == ">", 20, 2) + bytes([0, 4, 0x85, 1, 4, 0x85])
    later = (records[-1][0] + 2) & 0x1F if records else 0
    data += compressed + struct.pack(f"{order}Bii", 0x80 | 1 << 5 | later, 2**29, 2**28)
    body = definition + data
    whole = struct.pack("<BBHI4sH", 14, 0x20, 100, len(body), b".FIT", 0) + body + b"\0\0"
    return whole[: len(whole) - cut]


@pytest.mark.parametrize("order", ["<", ">"])
def test_fit_activity(order: str) -> None:
    since = 1_000_000_000
    positions, refused, ending = read(
        fit_file((since, 2**29, 2**28), (since + 31, 0x7FFFFFFF, 2**28), order=order)
    )
    first = datetime(1989, 12, 31, tzinfo=UTC) + timedelta(seconds=since)
    assert positions[0] == Position(
        recorded_at=first, at=LatLon(lat=45.0, lon=22.5), altitude_m=100.0, speed_mps=2.5
    )
    assert [fix.recorded_at - first for fix in positions] == [timedelta(0), timedelta(seconds=33)]
    assert refused == [Refusal(2, Why.NO_PLACE)]
    assert ending is None
    assert read(fit_file((since, 2**29, 2**28), order=order, cut=5))[2] is Ending.CUT_SHORT


def test_two_fit_files_in_one() -> None:
    since = 1_000_000_000
    assert len(read(fit_file((since, 1, 1)) + fit_file((since + 9, 1, 1)))[0]) == 4


def encrypted(packed: bytes) -> bytes:
    """Return an archive with every file marked as encrypted, in both headers (APPNOTE.TXT 4.4.4, bit 0)."""
    marked = bytearray(packed)
    for signature, flags_at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at_byte = marked.find(signature)
        while at_byte >= 0:
            marked[at_byte + flags_at] |= 1
            at_byte = marked.find(signature, at_byte + 4)
    return bytes(marked)


ONE_ROW = "time,lat,lon\n2021-01-01T00:00:00Z,60.5,24.25\n"


def test_an_encrypted_archive_says_that_it_is_encrypted() -> None:
    assert read(encrypted(archive(track=ONE_ROW, notes="x"))) == ([], [], Ending.ENCRYPTED)
    assert read(archive(notes="x")) == ([], [], Ending.UNKNOWN_FORMAT)


def test_what_is_not_encrypted_in_an_archive_is_read_and_the_rest_is_told() -> None:
    packed = bytearray(archive(a=ONE_ROW, b=ONE_ROW))
    packed[packed.rfind(b"PK\x03\x04") + 6] |= 1
    packed[packed.rfind(b"PK\x01\x02") + 8] |= 1
    positions, refused, ending = read(bytes(packed))
    assert ([fix.at.lat for fix in positions], refused, ending) == ([60.5], [], Ending.ENCRYPTED)


def test_a_semicolon_table_may_have_decimal_commas() -> None:
    fix = only(
        "time;lat;lon;speed_kmh;altitude;accuracy;trigger\n"
        "2021-01-01T00:00:00Z;55,75;-37,5;36,0;-1,5;4;1,5\n",
        "csv",
    )
    assert fix == Position(
        recorded_at=at("2021-01-01T00:00:00Z"),
        at=LatLon(lat=55.75, lon=-37.5),
        speed_mps=10.0,
        altitude_m=-1.5,
        accuracy_m=4.0,
        trigger="1,5",
    )


def test_a_semicolon_table_of_traccar_may_have_decimal_commas() -> None:
    fix = only("fixTime;latitude;longitude;valid\n2021-01-01T00:00:00Z;55,75;37,5;true\n")
    assert fix.at == LatLon(lat=55.75, lon=37.5)


@pytest.mark.parametrize("place", ['"55,75","37,5"', '"1,055","37.5"'])
def test_a_comma_within_a_number_of_a_comma_table_is_not_guessed_at(place: str) -> None:
    positions, refused, _ = read(f"time,lat,lon\n2021-01-01T00:00:00Z,{place}\n".encode())
    assert (positions, refused) == ([], [Refusal(2, Why.NO_PLACE)])
