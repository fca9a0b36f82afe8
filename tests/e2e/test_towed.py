"""A parked car moves though nobody started it; driving it off tells nothing."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.e2e.conftest import House
from tests.e2e.family import Family, Spot, fix
from tracker.domain.clock import utc_now

PHONE = "+79161234534"
YARD = Spot(55.7701, 37.6902)


@pytest.fixture
def family(house: House) -> Iterator[Family]:
    opened = Family.at(house, PHONE)
    yield opened
    opened.close()


def test_a_towed_car_raises_an_alarm_and_a_car_that_is_driven_does_not(family: Family) -> None:
    car = family.subject("vehicle", "Volga")
    tracker = family.device(car, "tracker")
    family.rule("parked_moved", car)
    family.an_hour_old()
    now = utc_now()

    # Driven to the yard, left there, driven to the shop and back to it, left again.
    driven = [
        fix(YARD.moved(north_m=north_m), now - timedelta(minutes=minutes), ignition=ignition)
        for minutes, north_m, ignition in (
            (50, 900, True),
            (49, 0, True),
            (48, 0, False),
            (40, 0, False),
            (39, 60, True),
            (38, 900, True),
            (36, 900, False),
            (30, 5, True),
            (29, 0, False),
            (15, 3, False),
            (5, 0, False),
        )
    ]
    for each in driven:
        tracker.tell(each)
    family.stored(car, driven[-1])
    assert family.events() == []

    for seconds, east_m in ((120, 150), (60, 420), (10, 800)):
        tracker.tell(fix(YARD.moved(east_m=east_m), now - timedelta(seconds=seconds), ignition=False))

    alarm = family.alert("moved_while_parked")
    assert alarm["urgency"] == "alarm"
    event = alarm["event"]
    assert event["text"].startswith("Volga is 420 m from where it was parked")
    assert event["data"]["parked_s"] == pytest.approx(28 * 60, abs=1)
    assert [each["id"] for each in family.events()] == [event["id"]]
    (message,) = family.messages()
    assert message.startswith("Volga is 420 m from where it was parked")
