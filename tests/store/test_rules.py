"""Rules in the store: pages, whose they are, versions and how long they are kept."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.geofence.family import a_rule
from tests.store.family import NOW, House
from tests.store.test_events_store import an_event
from tests.store.test_geofences import a_fence, add, another_subject
from tracker.domain.errors import NotFound
from tracker.domain.rule import Rule
from tracker.store import housekeeping, rules, subjects
from tracker.store.access import Access
from tracker.store.session import Session

LATER = NOW + timedelta(days=2)


def put(session: Session, rule: Rule) -> Rule:
    rules.add(session, rule, NOW, fence=None)
    return rule


def test_pages_follow_one_another(session: Session, house: House, neighbour: House) -> None:
    mine = sorted(put(session, a_rule(house, None)).rule_id for _ in range(5))
    put(session, a_rule(neighbour, None))
    door = Access(session, house.viewer).places
    everything = [each.rule_id for each in door.rules()]
    assert sorted(everything) == mine
    paged: list[str] = []
    while page := door.rules(limit=2, after=paged[-1] if paged else None):
        paged += [each.rule_id for each in page]
    assert paged == everything


def test_rules_are_listed_by_fence_and_by_subject(session: Session, house: House) -> None:
    fence, other = add(session, a_fence(house)), another_subject(session, house)
    of_fence = put(session, a_rule(house, fence, subject_ids=(other.subject_id,)))
    of_all = put(session, a_rule(house, None, subject_ids=(), all_subjects=True))
    of_him = put(session, a_rule(house, None))
    door = Access(session, house.viewer).places
    assert [each.rule_id for each in door.rules(geofence_id=fence.geofence_id)] == [of_fence.rule_id]
    his = door.rules(subject_id=house.subject.subject_id)
    assert {each.rule_id for each in his} == {of_all.rule_id, of_him.rule_id}


def test_a_neighbours_rule_does_not_exist(session: Session, house: House, neighbour: House) -> None:
    rule = put(session, a_rule(neighbour, None))
    door = Access(session, house.viewer).places
    with pytest.raises(NotFound):
        door.rule(rule.rule_id)
    with pytest.raises(NotFound):
        door.rule_version(rule.rule_id, 1)


def test_a_rule_does_not_widen_when_its_only_subject_goes(session: Session, house: House) -> None:
    other = another_subject(session, house)
    rule = put(session, a_rule(house, None, subject_ids=(other.subject_id,)))
    subjects.remove(session, rule.account_id, other.subject_id)
    assert rules.get(session, rule.account_id, rule.rule_id) == replace(rule, subject_ids=())


def test_versions_stay_while_they_are_in_force_or_an_event_was_judged_by_them(
    session: Session, house: House
) -> None:
    kept, gone, judged = (put(session, a_rule(house, None)) for _ in range(3))
    for rule in (gone, judged):
        rules.remove(session, rule.account_id, rule.rule_id)
    an_event(session, house, rule_id=judged.rule_id, rule_version=1)
    housekeeping.forget(session, NOW)
    assert rules.version(session, gone.account_id, gone.rule_id, 1)
    housekeeping.forget(session, LATER)
    for rule in (kept, judged):
        assert rules.version(session, rule.account_id, rule.rule_id, 1)
    with pytest.raises(NotFound):
        rules.version(session, gone.account_id, gone.rule_id, 1)
