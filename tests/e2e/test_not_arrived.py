"""A child does not arrive although its phone is alive; then it comes after all."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.e2e.conftest import House
from tests.e2e.family import SCHOOL, Family, clock_there, fix, standing
from tracker.domain.clock import utc_now

PHONE = "+79161234531"


@pytest.fixture
def family(house: House) -> Iterator[Family]:
    opened = Family.at(house, PHONE)
    yield opened
    opened.close()


def test_a_child_that_does_not_come_is_told_of_as_missing_and_not_as_silent(family: Family) -> None:
    masha = family.subject("child", "Masha")
    phone = family.device(masha)
    school = family.circle("School", SCHOOL, 100, masha, "school")
    now = utc_now()
    by = now.replace(second=0, microsecond=0) - timedelta(minutes=15)
    args = {"by": clock_there(by), "grace_s": 60}
    family.rule("not_arrived", masha, school, args=args)

    # A shop on the way, two fixes before the hour and two after it; `work` lets no time pass meanwhile.
    shop = SCHOOL.moved(north_m=700)
    fixes = [fix(shop, by + timedelta(minutes=minutes)) for minutes in (-3, -1, 0.5, 1.5)]
    with standing(family.house):
        family.an_hour_old()
        for each in fixes[:3]:
            phone.tell(each)
        family.stored(masha, fixes[2])
        assert family.events() == []
        phone.tell(fixes[3])
        family.stored(masha, fixes[3])

    missing = family.alert("not_arrived")
    assert missing["urgency"] == "urgent"
    assert missing["event"]["text"] == f"Masha is not at School by {args['by']}; the device is in touch"
    (why,) = family.get(f"/events/{missing['event']['id']}/explanation")["evidence"]["features"]
    assert why["properties"]["side"] == "out"
    assert why["properties"]["distance_m"] == pytest.approx(600, rel=0.02)

    for n in range(11):
        phone.tell(fix(SCHOOL.moved(north_m=700 - 70 * n), by + timedelta(minutes=2 + n)))
    late = family.alert("arrived_late")
    assert late["event"]["text"].startswith("Masha reached School after all")
    assert [each["type"] for each in family.events()] == ["arrived_late", "not_arrived"]
    first, last = family.messages()
    assert first.splitlines()[0] == missing["event"]["text"]
    assert last.startswith("Masha reached School after all")
