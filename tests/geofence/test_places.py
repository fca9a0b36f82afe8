"""Fences in a viewer's name: what is taken, what is refused and why, what a change moves."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.geofence.family import a_rule
from tests.store.family import NOW, House, add_house
from tracker import registry
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.geo import LatLon
from tracker.domain.geofence import Circle, Corridor, FenceOrigin, Geofence
from tracker.geofence.places import Places
from tracker.geofence.zone_of_place import nearest_zone
from tracker.store import rules
from tracker.store.access import Access
from tracker.store.session import Session

LATER = NOW + timedelta(hours=1)
WEEK = {"weekly": [{"days": [0], "spans": [{"start": "08:00", "end": "09:00"}]}]}


@pytest.fixture
def places() -> Places:
    return Places(registry.load("tracker.geofence.shapes", "SHAPE"))


@pytest.fixture
def house(session: Session) -> House:
    return add_house(session, "+79161234567")


@pytest.fixture
def neighbour(session: Session) -> House:
    return add_house(session, "+79169999999")


def feature(house: House, geometry: Any = None, **properties: Any) -> dict[str, Any]:
    given = {
        "name": "School",
        "subject_ids": [house.subject.subject_id],
        "radius_m": 120,
        "time_zone": "Europe/Moscow",
        **properties,
    }
    return {
        "type": "Feature",
        "geometry": geometry or {"type": "Point", "coordinates": [30.3, 59.9]},
        "properties": given,
    }


def stored(session: Session, house: House, fence: Geofence) -> Geofence:
    return Access(session, house.viewer).places.geofence(fence.geofence_id)


def fields_of(refused: pytest.ExceptionInfo[Invalid]) -> list[str]:
    return [field for field, _ in refused.value.errors]


def test_a_circle_is_stored_as_it_was_given(session: Session, house: House, places: Places) -> None:
    fence = places.add(session, house.viewer, feature(house, template="school", schedule=WEEK), NOW)
    assert fence.geometry == Circle(center=LatLon(lat=59.9, lon=30.3), radius_m=120)
    assert (fence.origin, fence.version, fence.created_at) == (FenceOrigin.DRAWN, 1, NOW)
    assert stored(session, house, fence) == fence


@pytest.mark.parametrize(
    ("geometry", "properties"),
    [
        ({"type": "Polygon", "coordinates": [[[30, 59], [30.01, 59], [30.01, 59.01], [30, 59]]]}, {}),
        (
            {
                "type": "MultiPolygon",
                "coordinates": [
                    [
                        [[30, 59], [30.03, 59], [30.03, 59.03], [30, 59.03], [30, 59]],
                        [[30.01, 59.01], [30.01, 59.02], [30.02, 59.02], [30.01, 59.01]],
                    ],
                    [[[31, 59], [31.01, 59], [31.01, 59.01], [31, 59]]],
                ],
            },
            {},
        ),
        ({"type": "LineString", "coordinates": [[179.99, 10], [-179.99, 10.01]]}, {"width_m": 50}),
    ],
)
def test_every_geometry_comes_back_as_it_was_stored(
    session: Session, house: House, places: Places, geometry: Any, properties: Any
) -> None:
    fence = places.add(session, house.viewer, feature(house, geometry, radius_m=None, **properties), NOW)
    assert stored(session, house, fence) == fence
    valid = text("SELECT bool_and(ST_IsValid(cover) AND ST_XMin(cover) >= -180) FROM geofences")
    assert session.execute(valid).scalar_one()


def test_every_wrong_field_is_told_at_once_and_nothing_is_saved(
    session: Session, house: House, places: Places
) -> None:
    wrong = feature(
        house,
        radius_m=0,
        name=" ",
        subject_ids=["0" * 16],
        time_zone="../etc/passwd",
        template="jail",
        schedule={"weekly": 1},
    )
    with pytest.raises(Invalid) as refused:
        places.add(session, house.viewer, wrong, NOW)
    assert set(fields_of(refused)) == {
        "properties.radius_m",
        "properties.name",
        "properties.subject_ids.0",
        "properties.time_zone",
        "properties.template",
        "properties.schedule.weekly",
    }
    assert Access(session, house.viewer).places.geofences() == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"type": "Feature", "properties": {}}, "geometry"),
        ({"type": "Feature", "geometry": [], "properties": {}}, "geometry"),
        ({"type": "Feature", "geometry": {"type": "GeometryCollection"}}, "geometry"),
        ({"type": "Feature", "properties": []}, "properties"),
    ],
)
def test_what_is_no_feature_is_refused(
    session: Session, house: House, places: Places, given: Any, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        places.add(session, house.viewer, given, NOW)
    assert field in fields_of(refused)


@pytest.mark.parametrize(
    ("choice", "field"),
    [
        ({"subject_ids": []}, "properties.subject_ids"),
        ({"all_subjects": True}, "properties.all_subjects"),
        ({"all_subjects": "yes"}, "properties.all_subjects"),
        ({"subject_ids": "all"}, "properties.subject_ids"),
    ],
)
def test_a_fence_is_for_some_or_for_all(
    session: Session, house: House, places: Places, choice: Any, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        places.add(session, house.viewer, feature(house, **choice), NOW)
    assert fields_of(refused) == [field]


def test_a_neighbours_subject_is_unknown(
    session: Session, house: House, neighbour: House, places: Places
) -> None:
    with pytest.raises(Invalid) as refused:
        places.add(session, house.viewer, feature(neighbour), NOW)
    assert fields_of(refused) == ["properties.subject_ids.0"]


def test_a_neighbours_fence_does_not_exist(
    session: Session, house: House, neighbour: House, places: Places
) -> None:
    fence = places.add(session, neighbour.viewer, feature(neighbour), NOW)
    with pytest.raises(NotFound):
        places.change(session, house.viewer, fence.geofence_id, {"properties": {"name": "Mine"}}, NOW)
    with pytest.raises(NotFound):
        places.remove(session, house.viewer, fence.geofence_id, NOW)
    assert stored(session, neighbour, fence) == fence


def test_a_new_name_is_no_new_version(session: Session, house: House, places: Places) -> None:
    fence = places.add(session, house.viewer, feature(house, template="school", schedule=WEEK), NOW)
    change = {"properties": {"name": "New school", "template": None, "schedule": None}}
    changed = places.change(session, house.viewer, fence.geofence_id, change, LATER)
    assert changed == replace(fence, name="New school", template=None, schedule=None)
    assert stored(session, house, fence) == changed


def test_the_same_again_changes_nothing(session: Session, house: House, places: Places) -> None:
    fence = places.add(session, house.viewer, feature(house), NOW)
    assert places.change(session, house.viewer, fence.geofence_id, feature(house), LATER) == fence
    assert stored(session, house, fence) == fence


def test_another_radius_alone_is_a_new_version(session: Session, house: House, places: Places) -> None:
    fence = places.add(session, house.viewer, feature(house), NOW)
    change = {"properties": {"radius_m": 200}}
    changed = places.change(session, house.viewer, fence.geofence_id, change, LATER)
    assert changed.geometry == Circle(center=LatLon(lat=59.9, lon=30.3), radius_m=200)
    assert (changed.version, changed.changed_at) == (2, LATER)
    assert stored(session, house, fence) == changed


def test_a_moved_circle_keeps_its_radius(session: Session, house: House, places: Places) -> None:
    fence = places.add(session, house.viewer, feature(house), NOW)
    change = {"geometry": {"type": "Point", "coordinates": [30.4, 59.9]}}
    changed = places.change(session, house.viewer, fence.geofence_id, change, LATER)
    assert changed.geometry == Circle(center=LatLon(lat=59.9, lon=30.4), radius_m=120)


def test_a_circle_may_become_a_corridor_with_a_width(session: Session, house: House, places: Places) -> None:
    fence = places.add(session, house.viewer, feature(house), NOW)
    line = {"type": "LineString", "coordinates": [[30.3, 59.9], [30.4, 59.9]]}
    with pytest.raises(Invalid) as refused:
        places.change(session, house.viewer, fence.geofence_id, {"geometry": line}, LATER)
    assert fields_of(refused) == ["properties.width_m"]
    change = {"geometry": line, "properties": {"width_m": 40}}
    changed = places.change(session, house.viewer, fence.geofence_id, change, LATER)
    assert isinstance(changed.geometry, Corridor)
    assert (changed.shape, changed.version) == ("corridor", 2)
    assert stored(session, house, fence) == changed


def test_everybody_and_back_again(session: Session, house: House, places: Places) -> None:
    fence = places.add(session, house.viewer, feature(house), NOW)
    everybody = places.change(
        session, house.viewer, fence.geofence_id, {"properties": {"all_subjects": True}}, LATER
    )
    assert (everybody.all_subjects, everybody.subject_ids) == (True, ())
    ids = [house.subject.subject_id]
    named = places.change(
        session, house.viewer, fence.geofence_id, {"properties": {"subject_ids": ids}}, LATER
    )
    assert (named.all_subjects, named.subject_ids) == (False, tuple(ids))


def test_what_is_drawn_anew_makes_new_versions_of_its_rules(
    session: Session, house: House, places: Places
) -> None:
    fence = places.add(session, house.viewer, feature(house), NOW)
    rule = a_rule(house, fence)
    rules.add(session, rule, NOW, fence=places.feature(fence))
    places.change(session, house.viewer, fence.geofence_id, {"properties": {"name": "Other"}}, LATER)
    assert rules.get(session, rule.account_id, rule.rule_id) == rule
    places.change(session, house.viewer, fence.geofence_id, {"properties": {"radius_m": 300}}, LATER)
    renewed = rules.get(session, rule.account_id, rule.rule_id)
    assert renewed == replace(rule, version=2, active_from=LATER)
    versions = [rules.version(session, rule.account_id, rule.rule_id, number).fence for number in (1, 2)]
    assert [each and each["properties"]["radius_m"] for each in versions] == [120, 300]


def test_a_removed_fence_takes_its_rules_along(session: Session, house: House, places: Places) -> None:
    fence = places.add(session, house.viewer, feature(house), NOW)
    rule = a_rule(house, fence)
    rules.add(session, rule, NOW, fence=None)
    places.remove(session, house.viewer, fence.geofence_id, NOW)
    with pytest.raises(NotFound):
        stored(session, house, fence)
    with pytest.raises(NotFound):
        rules.get(session, rule.account_id, rule.rule_id)


def test_an_account_has_so_many_fences_and_no_more(session: Session, house: House, neighbour: House) -> None:
    places = Places(registry.load("tracker.geofence.shapes", "SHAPE"), most=1)
    places.add(session, house.viewer, feature(house), NOW)
    with pytest.raises(Invalid) as refused:
        places.add(session, house.viewer, feature(house), NOW)
    assert fields_of(refused) == ["properties.name"]
    places.add(session, neighbour.viewer, feature(neighbour), NOW)


def test_without_a_zone_it_is_the_likeliest_of_the_place(
    session: Session, house: House, places: Places
) -> None:
    given = feature(house, time_zone=None)
    given["geometry"]["coordinates"] = [131.9, 43.1]
    assert places.add(session, house.viewer, given, NOW, zone="Europe/Moscow").time_zone == "Asia/Vladivostok"


def test_a_likelier_zone_counts_as_nearer() -> None:
    petersburg = LatLon(lat=59.93, lon=30.3)
    assert nearest_zone(petersburg, country=None, known=None) == "Europe/Helsinki"
    assert nearest_zone(petersburg, country="RU", known=None) == "Europe/Moscow"
    assert nearest_zone(petersburg, country=None, known="Europe/Moscow") == "Europe/Moscow"
