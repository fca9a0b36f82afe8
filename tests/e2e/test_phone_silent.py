"""A child does not arrive and its phone is silent: other words, for nobody knows where it is."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.e2e.conftest import House
from tests.e2e.family import SCHOOL, Family, clock_there, fix, standing
from tracker.domain.clock import utc_now

PHONE = "+79161234532"


@pytest.fixture
def family(house: House) -> Iterator[Family]:
    opened = Family.at(house, PHONE)
    yield opened
    opened.close()


def test_of_a_silent_phone_it_is_said_that_nobody_knows_and_when_it_was_heard_last(family: Family) -> None:
    masha = family.subject("child", "Masha")
    phone = family.device(masha)
    school = family.circle("School", SCHOOL, 100, masha, "school")
    by = utc_now().replace(second=0, microsecond=0) - timedelta(minutes=3)
    args = {"by": clock_there(by), "grace_s": 0, "silent_after_s": 1200}
    rule = family.rule("not_arrived", masha, school, args=args)
    # Heard last half an hour before the hour; `work`, which lets time pass, stands still till that is in.
    heard = by - timedelta(minutes=30)
    home = SCHOOL.moved(north_m=700)
    fixes = [fix(home, heard + timedelta(minutes=minutes)) for minutes in (-2, -1, 0)]
    with standing(family.house):
        family.an_hour_old()
        for each in fixes:
            phone.tell(each)
        family.stored(masha, fixes[-1])
        assert family.events() == []

    # Nothing comes in any more: the hour passes by the clock of `work` alone.
    silent = family.alert("not_arrived_silent")

    event = silent["event"]
    assert (event["subject_id"], event["rule_id"]) == (masha, rule)
    assert silent["urgency"] == "urgent"
    assert event["text"].startswith(f"No word where Masha is (School by {args['by']}). Last heard: ")
    assert event["data"]["silent_s"] == pytest.approx(1800)
    assert [each["type"] for each in family.events()] == ["not_arrived_silent"]
    (message,) = family.messages()
    assert message.startswith(event["text"])
    (last,) = family.get(f"/events/{event['id']}/explanation")["evidence"]["features"]
    assert last["geometry"]["coordinates"] == pytest.approx([home.lon, home.lat])
