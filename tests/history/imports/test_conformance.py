"""Whatever a file holds, a reader yields positions that can be stored, refusals, or Broken; nothing else."""

import io
import json
import math
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.history.fixes import READERS, WRITERS, gathered, many, read, written
from tests.history.imports.test_formats import ANDROID, RECORDS, SEMANTIC, fit_file
from tracker.domain.position import Position
from tracker.history.imports import _open
from tracker.history.imports._record import Ending, Refusal

SAMPLES = {
    **{name: written(name, many(3)) for name in WRITERS},
    "google_records": json.dumps(RECORDS).encode(),
    "google_semantic": json.dumps(SEMANTIC).encode(),
    "google_timeline": json.dumps(ANDROID).encode(),
    "fit": fit_file((1_000_000_000, 2**29, 2**28)),
    "traccar_csv": b"fixTime,valid,latitude,longitude,speed\n2022-03-01T09:59:59Z,true,55.7,37.6,1\n",
    "owntracks_rec": b'2020-05-01T10:00:00Z\t*  \t{"_type":"location","tst":1588327200,"lat":1,"lon":2}\n',
}


def check(records: list[Position | Refusal]) -> None:
    for record in records:
        if isinstance(record, Refusal):
            assert record.element >= 1
            continue
        fix = record
        assert fix.recorded_at.tzinfo is not None
        assert (fix.at.lat, fix.at.lon) != (0, 0)
        assert fix.accuracy_m is None or 0 < fix.accuracy_m <= 1e9
        assert fix.course_deg is None or 0 <= fix.course_deg < 360
        assert fix.battery_pct is None or 0 <= fix.battery_pct <= 100
        assert fix.satellites is None or 0 <= fix.satellites < 2**15
        for value in (fix.altitude_m, fix.speed_mps, fix.hdop, fix.odometer_m):
            assert value is None or math.isfinite(value)
        text = json.dumps(
            [dict(fix.network), dict(fix.attrs), fix.trigger], allow_nan=False, ensure_ascii=False
        )
        text.encode()
        assert "\\u0000" not in text


def test_every_format_has_a_sample() -> None:
    assert SAMPLES.keys() == READERS.keys()


@pytest.mark.parametrize("name", READERS)
def test_a_format_knows_its_own_files_and_no_other_does(name: str) -> None:
    assert READERS[name].title
    assert _open.sniff(io.BytesIO(SAMPLES[name]), READERS) == name
    assert _open.sniff(io.BytesIO(b"\xef\xbb\xbf" + SAMPLES[name]), READERS) == name or name == "fit"


@settings(max_examples=30, deadline=None)
@given(data=st.binary(max_size=300))
@pytest.mark.parametrize("name", READERS)
def test_any_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    check(gathered(READERS[name].read(io.BytesIO(data)))[0])


@settings(max_examples=40, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("name", READERS)
def test_any_damage_to_a_file_is_borne(name: str, data: st.DataObject) -> None:
    sample = bytearray(SAMPLES[name])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(sample) - 1))
        sample[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    check(gathered(READERS[name].read(io.BytesIO(bytes(sample))))[0])


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "locations",
                        "latitudeE7",
                        "longitudeE7",
                        "timestamp",
                        "timelineObjects",
                        "activitySegment",
                    ),
                    *(
                        "placeVisit",
                        "duration",
                        "location",
                        "simplifiedRawPath",
                        "points",
                        "semanticSegments",
                    ),
                    *(
                        "rawSignals",
                        "position",
                        "LatLng",
                        "timelinePath",
                        "visit",
                        "activity",
                        "startTime",
                        "features",
                    ),
                    *(
                        "geometry",
                        "properties",
                        "coordinates",
                        "type",
                        "coordTimes",
                        "time",
                        "topCandidate",
                        "point",
                    ),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@settings(max_examples=60, deadline=None)
@given(value=_JSON)
def test_any_json_is_read_or_refused(value: object) -> None:
    for name in ("geojson", "google_records", "google_semantic", "google_timeline"):
        check(gathered(READERS[name].read(io.BytesIO(json.dumps(value).encode())))[0])


@pytest.mark.parametrize("name", READERS)
def test_a_file_gives_the_same_records_each_time(name: str) -> None:
    assert read(SAMPLES[name]) == read(SAMPLES[name])


@pytest.mark.parametrize("name", sorted(set(READERS) - {"csv", "traccar_csv", "owntracks_rec"}))
def test_a_file_cut_anywhere_gives_the_beginning_of_its_records(name: str) -> None:
    whole, _ = gathered(READERS[name].read(io.BytesIO(SAMPLES[name])))
    for end in range(0, len(SAMPLES[name]) - 2, 7):
        part, ending = gathered(READERS[name].read(io.BytesIO(SAMPLES[name][:end])))
        assert part == whole[: len(part)]
        assert ending is not None or (name == "fit" and end == 0)


class Endless(io.RawIOBase):
    """A file that begins somehow and goes on for ever; `given` counts what was read of it."""

    def __init__(self, beginning: bytes, filler: bytes) -> None:
        super().__init__()
        self._left = beginning
        self._filler = filler * (65536 // len(filler))
        self.given_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        part = (self._left or self._filler)[: len(buffer)]
        self._left = self._left[len(part) :]
        buffer[: len(part)] = part
        self.given_bytes += len(part)
        return len(part)


BOMB = b'<!DOCTYPE gpx [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><gpx><trkpt lat="&b;"/>'
ELSEWHERE = b'<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]><kml>&x;'
HOSTILE = {
    "entities": ("gpx", BOMB, b" ", Ending.UNSAFE),
    "a document from elsewhere": ("kml", ELSEWHERE, b" ", Ending.UNSAFE),
    "elements without end": ("gpx", b"<gpx>", b"<a>", Ending.UNSAFE),
    "a tag without end": ("gpx", b'<gpx><a b="', b"x", Ending.TOO_LARGE),
    "a comment without end": ("kml", b"<kml><!--", b"x", Ending.TOO_LARGE),
    "a text of JSON without end": ("google_records", b'{"locations":[{"a":"', b"x", Ending.TOO_LARGE),
    "an element of JSON without end": ("google_semantic", b'{"timelineObjects":[[', b"1,", Ending.TOO_LARGE),
    "brackets without end": ("geojson", b'{"features":[', b"[", Ending.UNSAFE),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_file_without_end_is_given_up_early(case: str) -> None:
    name, beginning, filler, expected = HOSTILE[case]
    stream = Endless(beginning, filler)
    assert gathered(READERS[name].read(io.BufferedReader(stream))) == ([], expected)
    assert stream.given_bytes < 40_000_000


def test_a_broken_element_of_json_is_counted_and_the_rest_goes_on() -> None:
    good = json.dumps(RECORDS["locations"][0])
    positions, refused, ending = read(f'{{"locations":[{good},{{"latitudeE7": 01}},NaN,{good}]}}'.encode())
    assert len(positions) == 2
    assert [each.element for each in refused] == [2, 3]
    assert ending is None


def packed(content: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("Records.json", content)
    return archive.getvalue()


def test_an_archive_that_unpacks_without_end_is_refused() -> None:
    first = json.dumps(RECORDS["locations"][0]).encode()
    bomb = packed(b'{"locations":[' + first + b"," + b" " * 40_000_000)
    assert len(bomb) < 100_000
    positions, refused, ending = read(bomb)
    assert (len(positions), refused, ending) == (1, [], Ending.TOO_LARGE)


def test_one_damaged_file_of_an_archive_does_not_hide_the_others() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("first.json", SAMPLES["google_records"])
        made.writestr("second.gpx", SAMPLES["gpx"])
    sample = bytearray(archive.getvalue())
    sample[60:80] = b"\xff" * 20
    positions, _, ending = read(bytes(sample))
    assert len(positions) >= 3
    assert ending is Ending.ARCHIVE


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_any_damage_to_an_archive_is_borne(data: st.DataObject) -> None:
    sample = bytearray(packed(SAMPLES["google_records"]))
    place = data.draw(st.integers(0, len(sample) - 1))
    sample[place : place + 2] = data.draw(st.binary(max_size=4))
    positions, refused, _ = read(bytes(sample), _open.ARCHIVE)
    check([*positions, *refused])


def test_a_directory_of_an_archive_that_claims_too_much_is_refused() -> None:
    sample = bytearray(packed(b"{}"))
    end = sample.rfind(b"PK\x05\x06")
    sample[end + 12 : end + 16] = (2**31).to_bytes(4, "little")
    assert read(bytes(sample))[2] is Ending.TOO_LARGE
