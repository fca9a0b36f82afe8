"""Fences by the API: GeoJSON in and out, versions, who is inside, files."""

import pytest

from tests.kit.clock import StandingClock
from tests.web.callers import Caller, Household, add_device, add_subject, report
from tests.web.happenings import SCHOOL, Story, add_place, circle
from tracker.web.context import Services

SQUARE = [[24.90, 60.10], [24.91, 60.10], [24.91, 60.11], [24.90, 60.11], [24.90, 60.10]]
GEOMETRIES = [
    ({"type": "Point", "coordinates": [24.94, 60.17]}, {"radius_m": 120}),
    ({"type": "Polygon", "coordinates": [SQUARE]}, {}),
    ({"type": "MultiPolygon", "coordinates": [[SQUARE]]}, {}),
    ({"type": "LineString", "coordinates": [[24.9, 60.1], [24.92, 60.1]]}, {"width_m": 60}),
]


@pytest.mark.parametrize(("geometry", "measure"), GEOMETRIES)
def test_every_shape_comes_back_as_it_was_given(owner: Caller, geometry: dict, measure: dict) -> None:  # type: ignore[type-arg]
    feature = {
        "type": "Feature",
        "geometry": geometry,
        "properties": {"name": "Yard", "all_subjects": True, "time_zone": "Europe/Helsinki", **measure},
    }
    answer = owner.post("/api/v1/geofences", feature)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    told = owner.get(f"/api/v1/geofences/{answer.json['id']}").json
    assert told["geometry"]["type"] in {geometry["type"], "Polygon"}
    assert str(geometry["coordinates"][0])[:8] in str(told["geometry"]["coordinates"])
    assert told["properties"]["version"] == 1
    assert told["properties"]["origin"] == "drawn"
    assert told["properties"]["time_zone"] == "Europe/Helsinki"
    for name, value in measure.items():
        assert told["properties"][name] == value


def test_another_geometry_is_a_new_version_and_another_name_is_not(owner: Caller) -> None:
    place_id = add_place(owner)
    path = f"/api/v1/geofences/{place_id}"
    renamed = owner.patch(path, {"type": "Feature", "properties": {"name": "Gymnasium"}})
    assert renamed.status_code == 200, renamed.get_data(as_text=True)
    assert (renamed.json["properties"]["name"], renamed.json["properties"]["version"]) == ("Gymnasium", 1)
    wider = owner.patch(path, {"type": "Feature", "properties": {"radius_m": 200}})
    assert (wider.json["properties"]["radius_m"], wider.json["properties"]["version"]) == (200, 2)


def test_a_schedule_comes_back_and_null_takes_it_away(owner: Caller) -> None:
    schedule = {"weekly": [{"days": [0, 4], "spans": [{"start": "08:00", "end": "14:30"}]}]}
    place_id = add_place(owner, schedule=schedule)
    path = f"/api/v1/geofences/{place_id}"
    assert owner.get(path).json["properties"]["schedule"] == schedule
    owner.patch(path, {"type": "Feature", "properties": {"schedule": None}})
    assert owner.get(path).json["properties"]["schedule"] is None


def test_a_list_has_pages_and_can_be_of_one_subject(owner: Caller) -> None:
    rex = add_subject(owner, "Rex")
    mine = owner.post(
        "/api/v1/geofences",
        {**circle(), "properties": {"name": "Yard", "radius_m": 50, "subject_ids": [rex]}},
    ).json["id"]
    for_all = add_place(owner)
    tom = add_subject(owner, "Tom")
    assert {each["id"] for each in owner.get(f"/api/v1/geofences?subject_id={rex}").json["items"]} == {
        mine,
        for_all,
    }
    toms = owner.get(f"/api/v1/geofences?subject_id={tom}").json["items"]
    assert [each["id"] for each in toms] == [for_all]
    first = owner.get("/api/v1/geofences?limit=1").json
    second = owner.get(f"/api/v1/geofences?limit=1&after={first['next']}").json
    assert {first["items"][0]["id"], second["items"][0]["id"]} == {mine, for_all}
    assert second["next"] is None


def test_it_tells_who_is_inside(home: Household, services: Services, clock: StandingClock) -> None:
    story = Story(home, services, clock)
    (inside,) = home.bearer.get(f"/api/v1/geofences/{story.place_id}").json["properties"]["inside"]
    assert inside["subject_id"] == story.subject_id


def test_a_place_smaller_than_the_usual_error_says_so(home: Household, services: Services) -> None:
    subject_id = add_subject(home.bearer)
    device_id = add_device(home.bearer, subject_id)
    report(services, home.account_id, subject_id, device_id, at=SCHOOL, accuracy_m=40.0)
    small = home.bearer.post("/api/v1/geofences", circle(radius_m=20)).json["properties"]["warnings"]
    assert "60" in small[0]
    assert home.bearer.post("/api/v1/geofences", circle(radius_m=100)).json["properties"]["warnings"] == []


def test_a_removed_place_is_gone_with_its_rules(owner: Caller) -> None:
    place_id = add_place(owner)
    rule = {"kind": "left", "all_subjects": True, "geofence_id": place_id}
    rule_id = owner.post("/api/v1/rules", rule).json["id"]
    assert owner.delete(f"/api/v1/geofences/{place_id}").status_code == 204
    assert owner.get(f"/api/v1/geofences/{place_id}").status_code == 404
    assert owner.get(f"/api/v1/rules/{rule_id}").status_code == 404


KML = b"""<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<Placemark><name>Dacha</name><Polygon><outerBoundaryIs><LinearRing><coordinates>
24.90,60.10 24.91,60.10 24.91,60.11 24.90,60.11 24.90,60.10</coordinates></LinearRing></outerBoundaryIs>
</Polygon></Placemark></Document></kml>"""


def test_a_file_is_read_and_nothing_is_saved(owner: Caller) -> None:
    answer = owner.call(
        "POST",
        "/api/v1/geofences/import",
        data=KML,
        headers={"Content-Type": "application/octet-stream"},
    )
    assert answer.status_code == 200, answer.get_data(as_text=True)
    (item,) = answer.json["items"]
    assert item["properties"]["name"] == "Dacha"
    assert owner.get("/api/v1/geofences").json["items"] == []
    item["properties"]["all_subjects"] = True
    assert owner.post("/api/v1/geofences", item).status_code == 201


def test_a_file_of_nothing_known_is_refused(owner: Caller) -> None:
    answer = owner.call(
        "POST",
        "/api/v1/geofences/import",
        data=b"Dear Sir,",
        headers={"Content-Type": "application/octet-stream"},
    )
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "file"
