"""What a history told anew changes of what was noted."""

from datetime import UTC, datetime, timedelta

from tracker.domain.crossing import Crossing, How, Phase
from tracker.domain.event import Event, Explanation, News
from tracker.domain.reconcile import Changes, Span, identify, reconcile, reconcile_crossings
from tracker.domain.rule import Raised, Urgency

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ALL = Span(0.0, 1e11)


def raised(minute: float, slot: str = "", event_type: str = "arrived") -> Raised:
    at_s = START.timestamp() + 60 * minute
    return Raised(event_type, at_s, at_s + 60, slot or f"slot-{minute}", {})


def stored(one: Raised, *, version: int = 1, superseded: str | None = None, retracted: bool = False) -> Event:
    return Event(
        account_id="a",
        event_id=identify("r", version, "s", one).event_id,
        rule_id="r",
        rule_version=version,
        subject_id="s",
        device_id="d",
        geofence_id="g",
        type=one.type,
        urgency=Urgency.NORMAL,
        at=datetime.fromtimestamp(one.at_s, UTC),
        decided_at=datetime.fromtimestamp(one.decided_at_s, UTC),
        recorded_at=START,
        slot=one.slot,
        data={},
        explanation=Explanation(
            evidence=(),
            rule={},
            fence=None,
            how=None,
            thresholds={},
            earliest=None,
            gap_s=None,
            suppressed=(),
            delays={},
        ),
        news=News.TOLD,
        superseded_by=superseded,
        retracted_at=START if retracted else None,
    )


def changes(before: list[Event], now: list[Raised], span: Span = ALL) -> Changes:
    return reconcile("r", 1, "s", before, now, span)


def test_same_history_changes_nothing() -> None:
    found = changes([stored(raised(0)), stored(raised(60))], [raised(0), raised(60)])

    assert not found.add + found.revive + found.supersede + found.retract
    assert [one.raised for one in found.keep] == [raised(0), raised(60)]


def test_event_not_known_is_added() -> None:
    assert [one.raised for one in changes([], [raised(0)]).add] == [raised(0)]


def test_event_told_twice_is_one() -> None:
    assert len(changes([], [raised(0), raised(0)]).add) == 1


def test_event_that_moved_a_little_is_superseded() -> None:
    old = stored(raised(0))
    found = changes([old], [raised(10)])

    assert [(event, one.raised) for event, one in found.supersede] == [(old, raised(10))]
    assert [one.raised for one in found.add] == [raised(10)]
    assert found.retract == ()


def test_event_that_moved_far_is_another_one() -> None:
    old = stored(raised(0))
    found = changes([old], [raised(30)])

    assert found.retract == (old,)
    assert found.supersede == ()


def test_event_of_another_type_takes_no_place() -> None:
    assert changes([stored(raised(0))], [raised(1, event_type="left")]).supersede == ()


def test_nearest_are_paired_first_and_each_once() -> None:
    early, late = stored(raised(0)), stored(raised(20))
    found = changes([early, late], [raised(15), raised(25)])

    assert {(event.slot, one.raised.slot) for event, one in found.supersede} == {
        ("slot-20", "slot-15"),
        ("slot-0", "slot-25"),
    }


def test_event_standing_as_it_is_takes_no_other_ones_place() -> None:
    gone = stored(raised(0))
    found = changes([gone, stored(raised(5))], [raised(5)])

    assert found.retract == (gone,)


def test_event_that_comes_back_is_revived_and_not_added() -> None:
    for old in (stored(raised(0), retracted=True), stored(raised(0), superseded="another")):
        found = changes([old], [raised(0)])
        assert [one.raised for one in found.revive] == [raised(0)]
        assert found.add == ()


def test_retracted_event_that_stays_away_is_left_alone() -> None:
    assert changes([stored(raised(0), retracted=True)], []).retract == ()


def test_events_outside_the_span_and_of_other_versions_are_left_alone() -> None:
    before = [stored(raised(0)), stored(raised(500)), stored(raised(60), version=2)]
    at_s = START.timestamp()

    assert changes(before, [], Span(at_s + 60, at_s + 60 * 400)).retract == ()
    assert changes(before, [], Span(at_s + 59, at_s + 60 * 400)).retract == (before[0],)


def crossing(minute: float, *, version: int = 1, decided: float = 1, fence: str = "g") -> Crossing:
    at = START + timedelta(minutes=minute)
    return Crossing(
        account_id="a",
        subject_id="s",
        device_id="d",
        geofence_id=fence,
        fence_version=version,
        into=Phase.IN,
        how=How.CONFIRMED,
        at=at,
        earliest=at,
        decided_at=at + timedelta(minutes=decided),
        after_gap=False,
        evidence=(),
    )


def test_crossings_lost_are_removed_and_changed_ones_written() -> None:
    found = reconcile_crossings(
        [crossing(0), crossing(5), crossing(9)], [crossing(0), crossing(5, decided=2)], {"g": 1}, ALL
    )

    assert found.write == (crossing(5, decided=2),)
    assert found.remove == (crossing(9),)


def test_crossings_that_cannot_be_told_anew_stay() -> None:
    before = [crossing(0, version=1), crossing(3, fence="gone")]

    assert reconcile_crossings(before, [], {"g": 2}, ALL).remove == ()
    assert reconcile_crossings([crossing(0)], [], {"g": 1}, Span(START.timestamp() + 90, 1e11)).remove == ()
