"""Fences out of files."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.geofence.shapes.features import FEATURES, SHAPES
from tracker import registry
from tracker.domain.errors import Invalid
from tracker.domain.geo import LatLon
from tracker.domain.geofence import Circle, Corridor, Polygon
from tracker.geofence.importing import DRAFTS_MOST, FILE_BYTES_MOST, Reading, read_fences, shape_of
from tracker.geofence.imports._format import Format

FORMATS: Mapping[str, Format] = registry.load("tracker.geofence.imports", "FORMAT")
RING = "25,60,0 25.01,60,0 25.01,60.01,0 25,60.01,0 25,60,0"
HOLE = "25.004,60.004 25.006,60.004 25.006,60.006 25.004,60.006 25.004,60.004"


def read(content: bytes | str) -> Reading:
    raw = content.encode() if isinstance(content, str) else content
    return read_fences(raw, FORMATS, SHAPES, radius_m=100, width_m=60)


def kml(inner: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder>{inner}</Folder></Document></kml>'


def gpx(inner: str) -> str:
    return f'<?xml version="1.0"?><gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1">{inner}</gpx>'


def features(*geometries: Any, **properties: Any) -> str:
    each = [{"type": "Feature", "geometry": geometry, "properties": properties} for geometry in geometries]
    return json.dumps({"type": "FeatureCollection", "features": each})


def test_the_formats_are_these() -> None:
    assert set(FORMATS) == {"geojson", "gpx", "kml"}


@pytest.mark.parametrize("feature", FEATURES.values(), ids=FEATURES.keys())
def test_what_is_written_can_be_imported(feature: Any) -> None:
    shape = SHAPES[feature.shape]
    geometry, properties = shape.write(feature.read())
    one = {"type": "Feature", "geometry": geometry, "properties": {"name": "Дача", **properties}}
    (draft,) = read(json.dumps(one)).drafts
    assert (draft.name, draft.shape) == ("Дача", feature.shape)
    assert draft.geometry == shape.read(geometry, properties)


def test_geojson_of_every_nesting_is_read_in_order() -> None:
    point = {"type": "Point", "coordinates": [25, 60]}
    line = {"type": "LineString", "coordinates": [[25, 60], [25.1, 60]]}
    both = {"type": "GeometryCollection", "geometries": [point, line]}
    assert [draft.shape for draft in read(json.dumps(point)).drafts] == ["circle"]
    assert [draft.shape for draft in read(features(both, point)).drafts] == ["circle", "corridor", "circle"]
    assert [draft.number for draft in read(features(both, point)).drafts] == [1, 2, 3]


def test_sizes_are_those_of_the_file_else_those_given() -> None:
    point = {"type": "Point", "coordinates": [25, 60]}
    assert read(features(point)).drafts[0].geometry == Circle(center=LatLon(lat=60, lon=25), radius_m=100)
    assert read(features(point, radius_m=30)).drafts[0].geometry == Circle(
        center=LatLon(lat=60, lon=25), radius_m=30
    )
    assert read(features(point, radius_m=None)).drafts[0].geometry == Circle(
        center=LatLon(lat=60, lon=25), radius_m=100
    )


def test_what_is_wrong_is_named_and_the_rest_is_read() -> None:
    reading = read(
        features(
            {"type": "Point", "coordinates": [25, 60]},
            {"type": "Polygon", "coordinates": [[[25, 60], [25.1, 60.1], [25.1, 60], [25, 60.1], [25, 60]]]},
            None,
            {"type": "MultiPoint", "coordinates": [[25, 60]]},
            name="  Школа \n № 5 ",
        )
    )
    assert [draft.number for draft in reading.drafts] == [1]
    assert [(each.number, each.name) for each in reading.unfit] == [(n, "Школа № 5") for n in (2, 3, 4)]
    assert reading.unfit[0].reason == "crosses itself"


def test_a_placemark_of_kml_is_a_fence() -> None:
    (draft,) = read(
        kml(
            f"<Placemark><name>Дом</name><Polygon><outerBoundaryIs><LinearRing><coordinates>{RING}</coordinates>"
            "</LinearRing></outerBoundaryIs><innerBoundaryIs><LinearRing><coordinates>"
            f"{HOLE}</coordinates></LinearRing></innerBoundaryIs></Polygon></Placemark>"
        )
    ).drafts
    assert draft.name == "Дом"
    assert isinstance(draft.geometry, Polygon)
    (part,) = draft.geometry.parts
    assert [len(ring) for ring in part] == [4, 4]
    assert part[0][0] == LatLon(lat=60, lon=25)


def test_every_geometry_of_a_placemark_is_a_fence_of_its_own() -> None:
    reading = read(
        kml(
            "<Placemark><name>a</name>"
            "<ExtendedData><Data name='width_m'><value>90</value></Data></ExtendedData>"
            "<MultiGeometry><Point><coordinates>25, 60, 0</coordinates></Point>"
            "<LineString><coordinates>\n25,60\n 25.1,60.1\n</coordinates></LineString>"
            "</MultiGeometry></Placemark>"
        )
    )
    circle, corridor = (draft.geometry for draft in reading.drafts)
    assert circle == Circle(center=LatLon(lat=60, lon=25), radius_m=100)
    assert corridor == Corridor(line=(LatLon(lat=60, lon=25), LatLon(lat=60.1, lon=25.1)), width_m=90)


def test_waypoints_routes_and_tracks_of_gpx_are_read() -> None:
    reading = read(
        gpx(
            "<wpt lat='60' lon='25'><name>Колодец</name></wpt>"
            "<rte><name>r</name><rtept lat='60' lon='25'/><rtept lat='60.1' lon='25'/></rte>"
            "<trk><name>t</name><trkseg><trkpt lat='60' lon='25'><ele>3</ele></trkpt>"
            "<trkpt lat='60.1' lon='25'/>"
            "</trkseg><trkseg><trkpt lat='61' lon='25'/></trkseg></trk>"
        )
    )
    assert [(draft.name, draft.shape) for draft in reading.drafts] == [
        ("Колодец", "circle"),
        ("r", "corridor"),
        ("t", "corridor"),
    ]
    assert [(each.name, each.reason) for each in reading.unfit] == [
        ("t", "is a line of less than two points")
    ]


NAMED = "<kml><Placemark><name>&b;</name></Placemark></kml>"
BOMB = '<!DOCTYPE kml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + NAMED
FILE = '<!DOCTYPE kml [<!ENTITY b SYSTEM "file:///etc/passwd">]>' + NAMED
WRONG: dict[str, bytes | str] = {
    "empty": b"",
    "spaces": b" \n\t",
    "text": b"hello",
    "a picture": b"\x89PNG\r\n\x1a\n\0\0\0",
    "a list": "[]",
    "cut JSON": features({"type": "Point", "coordinates": [25, 60]})[:-3],
    "deep JSON": '{"a":' + "[" * 200_000,
    "deep collections": '{"type":"GeometryCollection","geometries":[' * 50 + "]}" * 50,
    "no features": features(),
    "cut KML": kml("<Placemark>")[:-20],
    "no placemark": kml(""),
    "deep KML": "<kml>" + "<a>" * 5_000 + "</a>" * 5_000 + "</kml>",
    "KML of another coding": b'<?xml version="1.0" encoding="no-such"?><kml></kml>',
    "bomb": BOMB,
    "a file": FILE,
    "no waypoint": gpx("<metadata/>"),
    "too many": features(*[{"type": "Point", "coordinates": [25, 60]}] * (DRAFTS_MOST + 1)),
    "too many elements": gpx("<a/>" * 200_001),
    "too large": b"{" + b" " * FILE_BYTES_MOST,
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG.keys())
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(content: bytes | str) -> None:
    with pytest.raises(Invalid) as refused:
        read(content)
    assert [field for field, _ in refused.value.errors] == ["file"]


ODD = {
    "NaN": '{"type":"Point","coordinates":[NaN,60]}',
    "texts": '{"type":"Point","coordinates":["25","60"]}',
    "no coordinates": '{"type":"Polygon"}',
    "coordinates of nothing": '{"type":"Polygon","coordinates":null}',
    "a type of a list": '{"type":["Point"],"coordinates":[25,60]}',
    "no type": '{"a":1}',
    "an odd collection": '{"type":"FeatureCollection","features":[7]}',
    "KML without numbers": kml("<Placemark><Point><coordinates>x,y</coordinates></Point></Placemark>"),
    "KML without points": kml("<Placemark><LineString/></Placemark>"),
    "GPX without places": gpx("<wpt><name>a</name></wpt>"),
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD.keys())
def test_an_odd_geometry_is_unfit(content: str) -> None:
    reading = read(content)
    assert not reading.drafts
    assert all(each.reason for each in reading.unfit)
    assert len(reading.unfit) == 1


def test_a_byte_order_mark_is_passed_over() -> None:
    assert (
        len(read(b"\xef\xbb\xbf" + features({"type": "Point", "coordinates": [25, 60]}).encode()).drafts) == 1
    )


def test_a_name_is_made_fit_for_a_fence() -> None:
    point = {"type": "Point", "coordinates": [25, 60]}
    (draft,) = read(features(point, name="a\x00\u202eb\x1b " + "я" * 200)).drafts
    assert len(draft.name) == 80
    assert draft.name.startswith("a b я")


@pytest.mark.parametrize(
    "geometry", [None, "Point", [], {"type": "Point "}, {"type": None}, {"type": {}}, {}]
)
def test_a_geometry_of_no_shape_is_refused(geometry: object) -> None:
    with pytest.raises(Invalid) as refused:
        shape_of(geometry, SHAPES)
    assert refused.value.errors[0][0] == "geometry"
