"""One door to account data: what is another's does not exist."""

import inspect
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.store.family import NOW, SEALER, FullHouse, House, append, furnish
from tracker.domain.errors import NotFound
from tracker.store.access import Access
from tracker.store.session import Session

LATER = NOW + timedelta(days=1)


@pytest.fixture
def house(session: Session, house: House) -> FullHouse:
    return furnish(session, house)


@pytest.fixture
def neighbour(session: Session, neighbour: House) -> FullHouse:
    return furnish(session, neighbour)


@pytest.fixture(autouse=True)
def positions_of_both(session: Session, house: FullHouse, neighbour: FullHouse) -> None:
    append(session, house.fix(NOW), neighbour.fix(NOW))


LOOKS: dict[str, Callable[[Access, FullHouse], Any]] = {
    "subject": lambda access, other: access.subject(other.subject.subject_id),
    "device": lambda access, other: access.device(other.device.device_id),
    "last_of_device": lambda access, other: access.last_of_device(other.device.device_id),
    "positions": lambda access, other: access.positions(other.subject.subject_id, since=NOW, until=LATER),
    "position_rows": lambda access, other: access.position_rows(
        other.subject.subject_id, since=NOW, until=LATER
    ),
    "track_rows": lambda access, other: access.track_rows(
        other.subject.subject_id, since=NOW, until=LATER, limit=9
    ),
    "neighbour_rows": lambda access, other: access.neighbour_rows(
        other.subject.subject_id, first=LATER, last=LATER, within=LATER - NOW, limit=9
    ),
    "position_counts": lambda access, other: access.position_counts(other.subject.subject_id, [(NOW, LATER)]),
    "devices": lambda access, other: access.devices(subject_id=other.subject.subject_id),
    "gateway": lambda access, other: access.gateway(other.gateway.gateway_id),
    "source": lambda access, other: access.source(other.source.source_id),
    "unclaimed": lambda access, other: access.unclaimed(origin_id=other.gateway.gateway_id),
    "import_": lambda access, other: access.import_(other.history.import_id),
    "refusal": lambda access, other: access.refusal(other.refusal_id),
    "refused_content": lambda access, other: access.refused_content(SEALER, other.refusal_id),
    "refusals": lambda access, other: access.refusals(device_id=other.device.device_id),
    "last_positions": lambda access, other: access.last_positions(subject_ids=[other.subject.subject_id]),
}
LISTS: dict[str, Callable[[Access], Any]] = {
    "account": lambda access: [access.account()],
    "sessions": lambda access: access.sessions(NOW),
    "tokens": lambda access: access.tokens(NOW),
    "subjects": lambda access: access.subjects(),
    "devices": lambda access: access.devices(),
    "last_positions": lambda access: access.last_positions(),
    "gateways": lambda access: access.gateways(),
    "sources": lambda access: access.sources(),
    "unclaimed": lambda access: access.unclaimed(),
    "imports": lambda access: access.imports(),
}
TELL_NOTHING_OF_ANYBODY = {"database_time"}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS.keys())
def test_p06_what_is_another_s_looks_like_what_does_not_exist(
    session: Session, house: FullHouse, neighbour: FullHouse, look: Callable[[Access, FullHouse], Any]
) -> None:
    try:
        seen = look(Access(session, house.viewer), neighbour)
    except NotFound:
        return
    assert not seen


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS.keys())
def test_the_owner_sees_his_own(
    session: Session, house: FullHouse, look: Callable[[Access, FullHouse], Any]
) -> None:
    assert look(Access(session, house.viewer), house)


@pytest.mark.parametrize("listing", LISTS.values(), ids=LISTS.keys())
def test_p06_lists_hold_the_viewer_s_own_and_nothing_else(
    session: Session, house: FullHouse, neighbour: FullHouse, listing: Callable[[Access], Any]
) -> None:
    for viewer in (house.viewer, neighbour.viewer):
        rows = listing(Access(session, viewer))
        assert rows
        assert {each.account_id for each in rows} == {viewer.account_id}


def test_p06_refused_messages_are_counted_for_their_owner_alone(
    session: Session, house: FullHouse, neighbour: FullHouse
) -> None:
    access = Access(session, house.viewer)
    assert [each.device_id for each in access.refusal_tally()] == [house.device.device_id]
    assert [each.device_id for each in access.refusals()] == [house.device.device_id]


def test_every_way_through_the_door_is_tried_here() -> None:
    ways = {name for name, _ in inspect.getmembers(Access, inspect.isfunction) if not name.startswith("_")}
    assert ways == set(LOOKS) | set(LISTS) | {"refusal_tally"} | TELL_NOTHING_OF_ANYBODY


def test_missing_and_another_s_are_told_in_the_same_words(
    session: Session, house: FullHouse, neighbour: FullHouse
) -> None:
    access = Access(session, house.viewer)
    for look, theirs in (
        (access.subject, neighbour.subject.subject_id),
        (access.device, neighbour.device.device_id),
        (access.gateway, neighbour.gateway.gateway_id),
        (access.source, neighbour.source.source_id),
        (access.import_, neighbour.history.import_id),
        (access.refusal, neighbour.refusal_id),
    ):
        with pytest.raises(NotFound) as foreign:
            look(theirs)
        with pytest.raises(NotFound) as missing:
            look("0123456789abcdef")
        assert str(foreign.value) == str(missing.value)


def test_what_changed_since_is_told_by_the_database_s_clock(session: Session, house: FullHouse) -> None:
    access = Access(session, house.viewer)
    before = access.database_time()
    append(session, house.fix(NOW + timedelta(seconds=1)))
    after = access.database_time()
    assert len(access.last_positions(updated_after=before)) == 1
    assert access.last_positions(updated_after=after) == []
