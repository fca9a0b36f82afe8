"""Events in the store: lists with filters and cursors, what changed since, what a removed device leaves."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text

from tests.store.family import NOW, House
from tests.store.test_geofences import another_subject
from tracker.domain.crossing import Evidence, How, Side
from tracker.domain.errors import NotFound
from tracker.domain.event import Event, Explanation, News
from tracker.domain.ids import new_id
from tracker.domain.notification import AlertState
from tracker.domain.rule import Urgency
from tracker.store import alerts, events, subjects
from tracker.store.access import Access
from tracker.store.session import Session

WHY = Explanation(
    evidence=(
        Evidence(NOW.timestamp(), 59.9, 30.3, 5.0, -20.5, 0.99, Side.IN, weak=False),
        Evidence(NOW.timestamp(), 59.9, 30.3, None, 12.0, 0.2, Side.UNSURE, weak=True),
        {"at": "2026-11-21T09:00:00Z", "battery_pct": 14},
    ),
    rule={"kind": "arrived", "version": 1},
    fence={"type": "Feature", "properties": {"name": "School", "version": 1}},
    how=How.CONFIRMED,
    thresholds={"in_at": 0.85},
    earliest=NOW - timedelta(minutes=2),
    gap_s=None,
    suppressed=({"device_id": "0" * 16, "why": "sibling"},),
    delays={"decided_s": 12.0},
)


def an_event(session: Session, house: House, **given: Any) -> Event:
    """Store an event of a house's device."""
    fields: dict[str, Any] = {
        "account_id": house.viewer.account_id,
        "event_id": new_id(),
        "rule_id": "a" * 16,
        "rule_version": 1,
        "subject_id": house.subject.subject_id,
        "device_id": house.device.device_id,
        "geofence_id": "b" * 16,
        "type": "arrived",
        "urgency": Urgency.NORMAL,
        "at": NOW,
        "decided_at": NOW,
        "recorded_at": NOW,
        "slot": "slot",
        "data": {"place": "School"},
        "explanation": WHY,
        "news": News.TOLD,
        "superseded_by": None,
        "retracted_at": None,
        **given,
    }
    event = Event(**fields)
    row = {
        **fields,
        "urgency": int(event.urgency),
        "news": event.news.value,
        "explanation": events.explanation_json(event.explanation),
        "updated_at": given.get("recorded_at", NOW),
    }
    session.execute(insert(events.events).values(row))
    return event


def an_alert(session: Session, event: Event) -> str:
    alert_id = new_id()
    session.execute(
        insert(alerts.alerts).values(
            account_id=event.account_id,
            alert_id=alert_id,
            event_id=event.event_id,
            urgency=int(event.urgency),
            state=AlertState.OPEN.value,
            told_at=event.recorded_at,
        )
    )
    return alert_id


def ids(found: list[Any]) -> list[str]:
    return [each.event.event_id for each in found]


def test_an_event_comes_back_with_all_its_reasons(session: Session, house: House) -> None:
    event = an_event(session, house)
    assert Access(session, house.viewer).alerts.event(event.event_id) == (event, None, NOW)


def test_an_event_that_was_told_comes_with_its_alert(session: Session, house: House) -> None:
    event = an_event(session, house)
    alert_id = an_alert(session, event)
    door = Access(session, house.viewer).alerts
    for found in (door.events()[0], door.event(event.event_id)):
        assert found.alert is not None
        assert (found.alert.alert_id, found.alert.state) == (alert_id, AlertState.OPEN)
    assert ids(door.events_updated(NOW - timedelta(seconds=1))) == [event.event_id]


def test_a_neighbours_events_do_not_exist(session: Session, house: House, neighbour: House) -> None:
    event = an_event(session, neighbour)
    an_alert(session, event)
    door = Access(session, house.viewer).alerts
    with pytest.raises(NotFound):
        door.event(event.event_id)
    assert door.events() == []
    assert door.events_of([event.event_id]) == {}
    assert door.events_updated(NOW - timedelta(days=1)) == []
    assert door.alerts() == []


def test_pages_follow_one_another_also_within_one_moment(session: Session, house: House) -> None:
    for number in range(6):
        an_event(session, house, at=NOW + timedelta(seconds=number // 3))
    door = Access(session, house.viewer).alerts
    everything = door.events()
    assert len(everything) == 6
    assert [each.event.at for each in everything] == sorted(
        (each.event.at for each in everything), reverse=True
    )
    paged: list[str] = []
    after: tuple[datetime, str] | None = None
    while page := door.events(limit=2, after=after):
        paged += ids(page)
        after = page[-1].event.at, page[-1].event.event_id
    assert paged == ids(everything)


def test_filters_pick_what_fits_all_of_them(session: Session, house: House) -> None:
    other = another_subject(session, house)
    wanted = an_event(session, house, type="left", rule_id="c" * 16, geofence_id="d" * 16)
    an_event(session, house)
    an_event(session, house, type="left", subject_id=other.subject_id)
    door = Access(session, house.viewer).alerts
    only = [wanted.event_id]
    assert ids(door.events(types=["left"], subject_id=house.subject.subject_id)) == only
    assert ids(door.events(rule_id="c" * 16)) == only
    assert ids(door.events(geofence_id="d" * 16)) == only
    assert len(door.events(types=["left", "arrived"])) == 3
    assert door.events(types=["left"], rule_id="a" * 16, subject_id=house.subject.subject_id) == []


def test_a_span_begins_with_its_first_moment_and_ends_before_its_last(session: Session, house: House) -> None:
    first = an_event(session, house, at=NOW)
    an_event(session, house, at=NOW + timedelta(hours=1))
    an_event(session, house, at=NOW - timedelta(microseconds=1))
    found = Access(session, house.viewer).alerts.events(since=NOW, until=NOW + timedelta(hours=1))
    assert ids(found) == [first.event_id]


def test_what_history_took_back_is_listed_only_if_asked_for(session: Session, house: House) -> None:
    stands = an_event(session, house)
    superseded = an_event(session, house, superseded_by=stands.event_id)
    retracted = an_event(session, house, retracted_at=NOW)
    door = Access(session, house.viewer).alerts
    assert ids(door.events()) == [stands.event_id]
    everything = {stands.event_id, superseded.event_id, retracted.event_id}
    assert set(ids(door.events(superseded=True))) == everything
    assert set(ids(door.events_updated(NOW - timedelta(seconds=1)))) == everything


def test_what_changed_later_comes_in_the_order_of_its_changes(session: Session, house: House) -> None:
    moments = [NOW + timedelta(seconds=number) for number in (3, 1, 2)]
    made = {moment: an_event(session, house, recorded_at=moment).event_id for moment in moments}
    door = Access(session, house.viewer).alerts
    assert ids(door.events_updated(NOW + timedelta(seconds=1))) == [
        made[NOW + timedelta(seconds=2)],
        made[NOW + timedelta(seconds=3)],
    ]


def test_a_touched_event_is_read_again(session: Session, house: House) -> None:
    event = an_event(session, house)
    an_event(session, house)
    door = Access(session, house.viewer).alerts
    before = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    events.touch(session, event.account_id, [event.event_id])
    assert ids(door.events_updated(before)) == [event.event_id]


def test_alerts_are_listed_newest_first_by_state_and_page(session: Session, house: House) -> None:
    made = [
        an_alert(session, an_event(session, house, recorded_at=NOW + timedelta(seconds=number)))
        for number in range(3)
    ]
    door = Access(session, house.viewer).alerts
    found = door.alerts()
    assert [each.alert_id for each in found] == made[::-1]
    after = found[0].told_at, found[0].alert_id
    assert [each.alert_id for each in door.alerts(after=after, limit=1)] == [made[1]]
    assert door.alerts(state=AlertState.ACKNOWLEDGED) == []
    assert len(door.alerts(state=AlertState.OPEN)) == 3
    assert door.alert(made[0]).state is AlertState.OPEN
    assert door.deliveries(made[0]) == []


def test_a_removed_device_leaves_no_places_behind(session: Session, house: House) -> None:
    event = an_event(session, house)
    other = an_event(session, house, device_id=None)
    events.forget_device(session, event.account_id, house.device.device_id)
    door = Access(session, house.viewer).alerts
    left = door.event(event.event_id).event
    assert (left.type, left.at, left.rule_id) == (event.type, event.at, event.rule_id)
    assert (left.explanation.evidence, left.explanation.fence, dict(left.data)) == ((), None, {})
    assert door.event(other.event_id).event == other


def test_events_go_with_their_subject(session: Session, house: House) -> None:
    event = an_event(session, house)
    an_alert(session, event)
    subjects.remove(session, event.account_id, event.subject_id)
    for table in ("events", "alerts"):
        assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0  # noqa: S608
