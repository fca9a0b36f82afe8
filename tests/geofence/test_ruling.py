"""Rules in a viewer's name: what is taken, what is refused and why, what makes a new version."""

from collections.abc import Callable
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest

from tests.store.family import NOW, House, add_device, add_house, append
from tracker import registry
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.geo import LatLon
from tracker.domain.geofence import Circle, Geofence
from tracker.domain.ids import new_id
from tracker.domain.position import Placed, Position
from tracker.domain.rule import Notify, Rule, Urgency
from tracker.domain.schedule import Schedule, Span, Weekly
from tracker.domain.subject import Subject, SubjectKind
from tracker.geofence.places import Places
from tracker.geofence.preview import Preview
from tracker.geofence.ruling import Ruling
from tracker.store import rules, subjects
from tracker.store.access import Access
from tracker.store.session import Session

LATER = NOW + timedelta(hours=1)
WEEK = {"weekly": [{"days": [0], "spans": [{"start": "08:00", "end": "09:00"}]}]}
SCHEDULE = Schedule(
    weekly=(Weekly(days=frozenset({0}), spans=(Span(start=time(8), end=time(9)),)),),
)


@pytest.fixture
def places() -> Places:
    return Places(registry.load("tracker.geofence.shapes", "SHAPE"))


def kinds() -> dict[str, Any]:
    return {
        **registry.load("tracker.geofence.rules", "RULE"),
        **registry.load("tracker.watch.rules", "RULE"),
    }


@pytest.fixture
def ruling(places: Places) -> Ruling:
    return Ruling(kinds(), places, ["sms", "webpush"])


@pytest.fixture
def house(session: Session) -> House:
    return add_house(session, "+79161234567")


@pytest.fixture
def neighbour(session: Session) -> House:
    return add_house(session, "+79169999999")


def drawn(house: House) -> dict[str, Any]:
    return {
        "geometry": {"type": "Point", "coordinates": [30.3, 59.9]},
        "properties": {
            "name": "School",
            "radius_m": 120,
            "time_zone": "Europe/Moscow",
            "subject_ids": [house.subject.subject_id],
        },
    }


def add_fence(session: Session, house: House, places: Places) -> Geofence:
    return places.add(session, house.viewer, drawn(house), NOW)


@pytest.fixture
def fence(session: Session, house: House, places: Places) -> Geofence:
    return add_fence(session, house, places)


def body(house: House, fence: Geofence | None, **given: Any) -> dict[str, Any]:
    return {
        "kind": "not_arrived" if fence else "silence",
        "subject_ids": [house.subject.subject_id],
        "geofence_id": fence.geofence_id if fence else None,
        "args": {"by": "08:30"} if fence else {},
        **given,
    }


def stored(session: Session, house: House, rule: Rule) -> Rule:
    return Access(session, house.viewer).places.rule(rule.rule_id)


def fields_of(refused: pytest.ExceptionInfo[Invalid]) -> list[str]:
    return [field for field, _ in refused.value.errors]


def test_a_rule_is_stored_as_it_was_given(
    session: Session, house: House, fence: Geofence, ruling: Ruling
) -> None:
    owner = house.viewer.account_id
    notify = {"contact_ids": [owner], "channels": ["sms"], "urgency": "alarm", "escalate_after_s": 300}
    given = body(house, fence, name="By half past eight", schedule=WEEK, notify=notify)
    rule = ruling.add(session, house.viewer, given, NOW)
    assert rule.notify == Notify(
        contact_ids=(owner,), channels=("sms",), urgency=Urgency.ALARM, escalate_after_s=300
    )
    assert rule.args["by"] == "08:30"
    assert rule.args["grace_s"] == 300
    assert (rule.schedule, rule.version, rule.active_from) == (SCHEDULE, 1, NOW)
    assert stored(session, house, rule) == rule
    first = Access(session, house.viewer).places.rule_version(rule.rule_id, 1)
    assert first.document["args"] == dict(rule.args)
    assert first.fence is not None
    assert first.fence["properties"]["name"] == "School"


def test_every_wrong_field_is_told_at_once_and_nothing_is_saved(
    session: Session, house: House, fence: Geofence, ruling: Ruling
) -> None:
    wrong = body(
        house,
        fence,
        subject_ids=["0" * 16],
        name=3,
        args={"by": "8 o'clock", "colour": "red"},
        schedule={"weekly": [{"days": [9], "spans": []}]},
        notify={
            "contact_ids": [house.viewer.account_id, "1" * 16],
            "channels": ["pigeon"],
            "urgency": "deadly",
            "escalate_after_s": 59,
            "throttle_s": -1,
            "all_at_once": "no",
        },
        enabled="yes",
    )
    with pytest.raises(Invalid) as refused:
        ruling.add(session, house.viewer, wrong, NOW)
    assert set(fields_of(refused)) == {
        "subject_ids.0",
        "name",
        "args.by",
        "args.colour",
        "schedule.weekly.0.days.0",
        "notify.contact_ids.1",
        "notify.channels.0",
        "notify.urgency",
        "notify.escalate_after_s",
        "notify.throttle_s",
        "notify.all_at_once",
        "enabled",
    }
    assert Access(session, house.viewer).places.rules() == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "kind"),
        ({"kind": "fortune"}, "kind"),
        ({"kind": ["arrived"]}, "kind"),
        ({"kind": "not_arrived"}, "geofence_id"),
        ({"kind": "not_arrived", "geofence_id": "f" * 16}, "geofence_id"),
        ({"kind": "not_arrived", "geofence_id": "not an id"}, "geofence_id"),
        ({"kind": "silence", "args": []}, "args"),
        ({"kind": "silence", "notify": []}, "notify"),
        ({"kind": "silence", "notify": {"loud": True}}, "notify.loud"),
        ({"kind": "silence", "subject_ids": None}, "subject_ids"),
    ],
)
def test_the_wrong_field_is_named(
    session: Session, house: House, ruling: Ruling, given: Any, field: str
) -> None:
    whole = {"subject_ids": [house.subject.subject_id], **given}
    with pytest.raises(Invalid) as refused:
        ruling.add(session, house.viewer, whole, NOW)
    assert fields_of(refused) == [field]


def test_what_is_a_neighbours_is_unknown(
    session: Session, house: House, neighbour: House, places: Places, ruling: Ruling
) -> None:
    theirs = add_fence(session, neighbour, places)
    with pytest.raises(Invalid) as refused:
        ruling.add(session, house.viewer, body(house, theirs), NOW)
    assert fields_of(refused) == ["geofence_id"]
    given = body(house, None, notify={"contact_ids": [neighbour.viewer.account_id]})
    with pytest.raises(Invalid) as refused:
        ruling.add(session, house.viewer, given, NOW)
    assert fields_of(refused) == ["notify.contact_ids.0"]


def test_a_neighbours_rule_does_not_exist(
    session: Session, house: House, neighbour: House, ruling: Ruling
) -> None:
    rule = ruling.add(session, neighbour.viewer, body(neighbour, None), NOW)
    with pytest.raises(NotFound):
        ruling.change(session, house.viewer, rule.rule_id, {"enabled": False}, NOW)
    with pytest.raises(NotFound):
        ruling.remove(session, house.viewer, rule.rule_id, NOW)
    assert stored(session, neighbour, rule) == rule


def test_a_kind_is_for_those_that_it_fits(session: Session, house: House, ruling: Ruling) -> None:
    given = {"kind": "ignition", "subject_ids": [house.subject.subject_id]}
    with pytest.raises(Invalid) as refused:
        ruling.add(session, house.viewer, given, NOW)
    assert fields_of(refused) == ["subject_ids.0"]


def test_a_rule_about_another_subject_must_know_it(session: Session, house: House, ruling: Ruling) -> None:
    car = Subject(
        account_id=house.viewer.account_id,
        subject_id=new_id(),
        kind=SubjectKind.VEHICLE,
        name="Car",
        created_at=NOW,
    )
    subjects.add(session, car)
    add_device(session, house.viewer, car)
    given = {
        "kind": "moves_without_owner",
        "subject_ids": [car.subject_id],
        "args": {"owner_subject_id": "0" * 16},
    }
    with pytest.raises(Invalid) as refused:
        ruling.add(session, house.viewer, given, NOW)
    assert fields_of(refused) == ["args.owner_subject_id"]
    given["args"] = {"owner_subject_id": house.subject.subject_id}
    assert ruling.add(session, house.viewer, given, NOW).subject_ids == (car.subject_id,)


def test_a_schedule_without_a_place_needs_a_zone(session: Session, house: House, ruling: Ruling) -> None:
    given = body(house, None, schedule=WEEK)
    with pytest.raises(Invalid) as refused:
        ruling.add(session, house.viewer, given, NOW)
    assert fields_of(refused) == ["schedule.time_zone"]
    rule = ruling.add(session, house.viewer, given, NOW, zone="Europe/Moscow")
    assert rule.schedule == replace(SCHEDULE, time_zone="Europe/Moscow")
    assert stored(session, house, rule) == rule


@pytest.mark.parametrize(
    "change",
    [
        {"args": {"grace_s": 600}},
        {"schedule": None},
        {"schedule": {**WEEK, "holidays": ["2027-01-04"]}},
        {"all_subjects": True},
    ],
)
def test_another_meaning_is_a_new_version(
    session: Session, house: House, fence: Geofence, ruling: Ruling, change: Any
) -> None:
    rule = ruling.add(session, house.viewer, body(house, fence, schedule=WEEK), NOW)
    changed = ruling.change(session, house.viewer, rule.rule_id, change, LATER)
    assert (changed.version, changed.active_from) == (2, LATER)
    assert changed.args["by"] == "08:30"
    assert stored(session, house, rule) == changed
    versions = [Access(session, house.viewer).places.rule_version(rule.rule_id, n).document for n in (1, 2)]
    assert versions[0] != versions[1]


@pytest.mark.parametrize(
    "change", [{"name": "Other"}, {"notify": {"throttle_s": 0}}, {"enabled": False}, {"args": {}}]
)
def test_the_same_meaning_is_the_same_version(
    session: Session, house: House, fence: Geofence, ruling: Ruling, change: Any
) -> None:
    rule = ruling.add(session, house.viewer, body(house, fence, schedule=WEEK), NOW)
    changed = ruling.change(session, house.viewer, rule.rule_id, change, LATER)
    assert (changed.version, changed.active_from) == (1, NOW)
    assert stored(session, house, rule) == changed
    with pytest.raises(NotFound):
        rules.version(session, rule.account_id, rule.rule_id, 2)


def test_a_rule_that_is_switched_on_again_knows_nothing_of_meanwhile(
    session: Session, house: House, ruling: Ruling
) -> None:
    rule = ruling.add(session, house.viewer, body(house, None, enabled=False), NOW)
    changed = ruling.change(session, house.viewer, rule.rule_id, {"enabled": True}, LATER)
    assert (changed.version, changed.active_from) == (2, LATER)


def test_whom_to_tell_is_merged(session: Session, house: House, ruling: Ruling) -> None:
    rule = ruling.add(session, house.viewer, body(house, None, notify={"channels": ["sms"]}), NOW)
    changed = ruling.change(session, house.viewer, rule.rule_id, {"notify": {"urgency": "quiet"}}, LATER)
    assert changed.notify == Notify(channels=("sms",), urgency=Urgency.QUIET)


def test_a_kind_that_needs_a_place_cannot_lose_it(
    session: Session, house: House, fence: Geofence, ruling: Ruling
) -> None:
    rule = ruling.add(session, house.viewer, body(house, fence), NOW)
    with pytest.raises(Invalid) as refused:
        ruling.change(session, house.viewer, rule.rule_id, {"geofence_id": None}, LATER)
    assert fields_of(refused) == ["geofence_id"]


def test_the_kind_stays(session: Session, house: House, ruling: Ruling) -> None:
    rule = ruling.add(session, house.viewer, body(house, None), NOW)
    with pytest.raises(Invalid) as refused:
        ruling.change(session, house.viewer, rule.rule_id, {"kind": "battery"}, LATER)
    assert fields_of(refused) == ["kind"]


def test_an_account_has_so_many_rules_and_no_more(session: Session, house: House, places: Places) -> None:
    ruling = Ruling(kinds(), places, [], most=1)
    ruling.add(session, house.viewer, body(house, None), NOW)
    with pytest.raises(Invalid) as refused:
        ruling.add(session, house.viewer, body(house, None), NOW)
    assert fields_of(refused) == ["name"]


def test_every_kind_is_listed_by_name(ruling: Ruling) -> None:
    names = [each.name for each in ruling.kinds()]
    assert names == sorted(names)
    assert {"arrived", "not_arrived", "silence", "sos"} <= set(names)


def test_a_removed_rule_is_gone_and_its_versions_stay(session: Session, house: House, ruling: Ruling) -> None:
    rule = ruling.add(session, house.viewer, body(house, None), NOW)
    ruling.remove(session, house.viewer, rule.rule_id, LATER)
    with pytest.raises(NotFound):
        stored(session, house, rule)
    assert rules.version(session, rule.account_id, rule.rule_id, 1).document["kind"] == "silence"


def walk(session: Session, house: House, fence: Geofence) -> None:
    """Store an hour's stay in the fence, with the way there and back, a fix a minute."""
    assert isinstance(fence.geometry, Circle)
    center = fence.geometry.center
    far = [0.02 - 0.002 * number for number in range(10)]
    way = [*far, *[0.0] * 60, *reversed(far)]
    fixes = [
        Placed(
            account_id=house.viewer.account_id,
            subject_id=house.subject.subject_id,
            device_id=house.device.device_id,
            received_at=NOW,
            position=Position(
                recorded_at=NOW + timedelta(minutes=number),
                at=LatLon(lat=center.lat + off, lon=center.lon),
                accuracy_m=5.0,
            ),
        )
        for number, off in enumerate(way)
    ]
    append(session, *fixes)


def at_once(work: Callable[[], Preview]) -> Preview:
    return work()


SPAN = (NOW - timedelta(days=1), NOW + timedelta(days=1))


def test_a_preview_tells_what_would_have_been_and_saves_nothing(
    session: Session, house: House, fence: Geofence, ruling: Ruling
) -> None:
    walk(session, house, fence)
    access = Access(session, house.viewer)
    given = body(house, fence, kind="arrived", args={})
    told = ruling.preview(access, given, *SPAN, at_once, now=NOW)
    assert (dict(told.by_type), told.would_tell, told.positions) == ({"arrived": 1}, 1, 80)
    arrived = told.events[0].raised.at_s - NOW.timestamp()
    assert 9 * 60 <= arrived <= 11 * 60
    half_an_hour = ruling.preview(access, given, SPAN[0], NOW + timedelta(minutes=30), at_once, now=NOW)
    assert half_an_hour.positions == 30
    assert access.places.rules() == []


def test_a_preview_may_be_of_a_fence_that_is_not_saved(
    session: Session, house: House, ruling: Ruling
) -> None:
    fence = Places(registry.load("tracker.geofence.shapes", "SHAPE")).draft(
        Access(session, house.viewer), drawn(house), NOW
    )
    walk(session, house, fence)
    access = Access(session, house.viewer)
    given = {**body(house, None, kind="left"), "geofence": drawn(house)}
    told = ruling.preview(access, given, *SPAN, at_once, now=NOW)
    assert dict(told.by_type) == {"left": 1}
    assert access.places.geofences() == []


def test_a_preview_names_what_is_wrong_with_its_fence_and_its_time(
    session: Session, house: House, ruling: Ruling
) -> None:
    access = Access(session, house.viewer)
    given = {**body(house, None, kind="left"), "geofence": {"properties": {"name": "x"}}}
    with pytest.raises(Invalid) as refused:
        ruling.preview(access, given, *SPAN, at_once, now=NOW)
    assert set(fields_of(refused)) == {"geofence.geometry", "geofence.properties.subject_ids"}
    for until in (SPAN[0], SPAN[0] + timedelta(days=31, seconds=1)):
        with pytest.raises(Invalid) as refused:
            ruling.preview(access, body(house, None), SPAN[0], until, at_once, now=NOW)
        assert fields_of(refused) == ["to"]


def test_a_preview_of_one_that_moves_without_its_owner_looks_at_both(
    session: Session, house: House, fence: Geofence, ruling: Ruling
) -> None:
    walk(session, house, fence)
    car = Subject(
        account_id=house.viewer.account_id,
        subject_id=new_id(),
        kind=SubjectKind.VEHICLE,
        name="Car",
        created_at=NOW,
    )
    subjects.add(session, car)
    twin = replace(house, subject=car, device=add_device(session, house.viewer, car))
    walk(session, twin, fence)
    given = {
        "kind": "moves_without_owner",
        "subject_ids": [car.subject_id],
        "args": {"owner_subject_id": house.subject.subject_id},
    }
    told = ruling.preview(Access(session, house.viewer), given, *SPAN, at_once, now=NOW)
    assert (len(told.events), told.positions) == (0, 80)


def test_a_preview_of_one_that_moves_alone_tells_it(
    session: Session, house: House, fence: Geofence, ruling: Ruling
) -> None:
    car = Subject(
        account_id=house.viewer.account_id,
        subject_id=new_id(),
        kind=SubjectKind.VEHICLE,
        name="Car",
        created_at=NOW,
    )
    subjects.add(session, car)
    walk(session, replace(house, subject=car, device=add_device(session, house.viewer, car)), fence)
    stays = [house.fix(NOW + timedelta(minutes=number), lat=10.0) for number in range(80)]
    append(session, *stays)
    given = {
        "kind": "moves_without_owner",
        "subject_ids": [car.subject_id],
        "args": {"owner_subject_id": house.subject.subject_id},
    }
    told = ruling.preview(Access(session, house.viewer), given, *SPAN, at_once, now=NOW)
    assert "moved_without_owner" in told.by_type
