"""A child reaches school: its family is told once, and why."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.e2e.conftest import House
from tests.e2e.family import SCHOOL, Family, fix
from tracker.domain.clock import utc_now

PHONE = "+79161234530"


@pytest.fixture
def family(house: House) -> Iterator[Family]:
    opened = Family.at(house, PHONE)
    yield opened
    opened.close()


def test_a_child_that_reaches_school_is_told_once_with_the_reason(family: Family) -> None:
    masha = family.subject("child", "Masha")
    phone = family.device(masha)
    school = family.circle("School", SCHOOL, 100, masha, "school")
    rule = family.rule("arrived", masha, school)

    family.an_hour_old()
    # At 1.4 m/s, a position each half a minute, up to now.
    now = utc_now()
    began = now - timedelta(minutes=6)
    way = [fix(SCHOOL.moved(north_m=400 - 42 * n), began + timedelta(seconds=30 * n)) for n in range(9)]
    for each in way:
        phone.tell(each)

    alert = family.alert("arrived")
    # The broker brings again what it brought before, and the receiver drifts about the yard and off it.
    for each in way:
        phone.tell(each)
    drift = [
        fix(SCHOOL.moved(east_m=east_m), now + timedelta(seconds=20 * n - 90), accuracy_m)
        for n, (east_m, accuracy_m) in enumerate([(30, 6), (120, 60), (-20, 6), (140, 80), (0, 6)])
    ]
    phone.tell(drift)
    family.stored(masha, drift[-1])

    event = alert["event"]
    assert event["text"].startswith("Masha arrived at School")
    assert (event["subject_id"], event["geofence_id"], event["rule_id"]) == (masha, school, rule)
    why = family.get(f"/events/{event['id']}/explanation")
    assert why["how"] in {"confirmed", "in_stride"}
    assert why["fence"]["properties"]["name"] == "School"
    assert why["evidence"]["features"]
    assert all(each["properties"]["side"] == "in" for each in why["evidence"]["features"])
    assert [each["id"] for each in family.events()] == [event["id"]]
    (told,) = family.alerts()
    assert [each["channel"] for each in told["deliveries"]] == ["sms"]
    (message,) = family.messages()
    assert message.startswith("Masha arrived at School")
    assert f"/alerts/{alert['id']}" in message
    assert [each["subject_id"] for each in family.get(f"/geofences/{school}")["properties"]["inside"]] == [
        masha
    ]
