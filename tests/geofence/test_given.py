"""A fence given to who is inside already, or a device that comes with its new owner: nobody arrived."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.geofence.scene import FAR, Scene, at, shapes, walk
from tests.store.family import add_device
from tracker.accounts.family import Family, MqttEndpoint
from tracker.domain.geofence import Circle, Geofence
from tracker.domain.ids import new_id
from tracker.domain.subject import Subject
from tracker.geofence.places import Places
from tracker.store import subjects
from tracker.store.seal import Sealer
from tracker.store.session import Database

GIVEN_S = 300.0
AWAY = (900.0, 950.0, 920.0, 910.0, 930.0)
THERE = (0.0, 5.0, 0.0, 5.0, 0.0)


class Town(Scene):
    """Another subject of the family has a fence at home; one far away keeps everybody's states."""

    def furnish(self) -> None:
        self.other = replace(self.house.subject, subject_id=new_id(), name="Masha")
        with self.database.begin() as session:
            subjects.add(session, self.other)
        self.fence(geometry=Circle(center=FAR, radius_m=100.0))

    def home(self, *owners: Subject) -> Geofence:
        fence = self.fence(all_subjects=False, subject_ids=tuple(each.subject_id for each in owners))
        self.rule("arrived", fence)
        self.rule("left", fence)
        return fence

    def give(self, fence: Geofence, **whom: object) -> None:
        with self.database.begin() as session:
            Places(shapes()).change(
                session, self.house.viewer, fence.geofence_id, {"properties": whom}, at(GIVEN_S)
            )


@pytest.fixture
def town(database: Database) -> Town:
    made = Town(database)
    made.furnish()
    return made


def to_it(town: Town, fence: Geofence) -> None:
    town.give(fence, subject_ids=[town.other.subject_id, town.house.subject.subject_id])


def to_all(town: Town, fence: Geofence) -> None:
    town.give(fence, all_subjects=True)


def by_a_rule(town: Town, fence: Geofence) -> None:
    town.rule("arrived", fence, made_at=at(GIVEN_S))
    town.rows(
        "WITH named AS (UPDATE rules SET all_subjects = false WHERE rule_id ="
        " (SELECT rule_id FROM rules ORDER BY created_at DESC LIMIT 1) RETURNING account_id, rule_id)"
        " INSERT INTO rule_subjects SELECT account_id, rule_id, subject_id FROM named"
        " JOIN devices USING (account_id) RETURNING subject_id"
    )


@pytest.mark.parametrize("give", [to_it, to_all, by_a_rule])
def test_who_is_inside_when_a_fence_is_given_to_it_has_not_arrived(
    town: Town, give: Callable[[Town, Geofence], None]
) -> None:
    fence = town.home(town.other)
    town.tell(*walk(town, 0, *THERE))
    give(town, fence)
    town.tell(*walk(town, GIVEN_S + 10, *THERE))
    assert town.events() == []
    assert [(into, how) for into, _, how in town.crossings()] == [("in", "first")]


def test_who_is_outside_when_a_fence_is_given_to_it_arrives_later(town: Town) -> None:
    fence = town.home(town.other)
    town.tell(*walk(town, 0, *AWAY))
    to_it(town, fence)
    town.tell(*walk(town, GIVEN_S + 10, *AWAY, *THERE))
    assert [each[0] for each in town.events()] == ["arrived"]


def test_another_subject_s_place_in_a_fence_is_kept_when_it_is_given_to_more(town: Town) -> None:
    fence = town.home(town.house.subject)
    town.tell(*walk(town, 0, *AWAY, *THERE))
    to_it(town, fence)
    to_all(town, fence)
    town.tell(*walk(town, GIVEN_S + 10, *THERE, *AWAY))
    assert [each[0] for each in town.events()] == ["arrived", "left"]


def test_a_device_that_is_inside_when_it_is_given_to_a_subject_has_not_arrived(town: Town) -> None:
    town.home(town.house.subject)
    with town.database.begin() as session:
        watch = add_device(session, town.house.viewer, town.other)
    told = [town.fix(seconds, 0.0, watch) for seconds in (0, 30, 60)]
    town.tell(*told)
    family = Family(Sealer("0" * 32), MqttEndpoint(host="mqtt.example", port=1883, tls=False), {})
    with town.database.begin() as session:
        family.change_device(
            session,
            town.house.viewer,
            watch.device_id,
            name="watch",
            subject_id=town.house.subject.subject_id,
            external_id=None,
            now=at(GIVEN_S),
        )
    town.tell(*(town.fix(GIVEN_S + seconds, 0.0, watch) for seconds in (10, 40, 70)))
    assert town.events() == []
    # Nor does what it told late, of the time before.
    town.tell(town.fix(GIVEN_S - 200, 900.0, watch), town.fix(GIVEN_S - 100, 0.0, watch))
    assert town.events() == []
    town.tell(*(town.fix(GIVEN_S + 100 + 30 * number, metres, watch) for number, metres in enumerate(AWAY)))
    assert [each[0] for each in town.events()] == ["left"]
