"""Refused messages: kept sealed, listed to their owner, tried again by one process at a time."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.store.family import NOW, House, add_house
from tracker.domain.errors import Invalid, NotFound, Reason
from tracker.domain.ids import new_id
from tracker.store import quarantine, refusals
from tracker.store.seal import Sealer
from tracker.store.session import Database, Session

GATEWAY = new_id()


def refuse(session: Session, sealer: Sealer, house: House, **given: object) -> str:
    values: dict[str, object] = {
        "account_id": house.viewer.account_id,
        "device_id": house.device.device_id,
        "reason": Reason.NOT_JSON,
        "detail": "",
        "topic": "t",
        "payload": b"{",
        "received_at": NOW,
    }
    return quarantine.put(session, sealer, **{**values, **given})  # type: ignore[arg-type]


def taken(session: Session, sealer: Sealer, now: object = NOW, limit: int = 50) -> list[str]:
    return [each.quarantine_id for each in quarantine.take_replays(session, sealer, limit, now)]  # type: ignore[arg-type]


def ask(session: Session, house: House, **which: object) -> int:
    return quarantine.ask_replay_of(session, house.viewer.account_id, now=NOW, **which)  # type: ignore[arg-type]


def test_a_message_comes_back_as_it_came(session: Session, sealer: Sealer, house: House) -> None:
    one = refuse(
        session,
        sealer,
        house,
        payload=b"\x00\xff",
        topic="a/b",
        query="lat=1",
        headers={"x-limit-d": "bird"},
        dialect="osmand",
        retained=True,
        origin_id=GATEWAY,
    )
    assert ask(session, house, ids=[one]) == 1
    (got,) = quarantine.take_replays(session, sealer, 10, NOW)
    assert (got.account_id, got.origin_id, got.device_id) == (
        house.viewer.account_id,
        GATEWAY,
        house.device.device_id,
    )
    assert (got.topic, got.payload, got.query, got.headers) == (
        "a/b",
        b"\x00\xff",
        "lat=1",
        {"x-limit-d": "bird"},
    )
    assert (got.dialect, got.retained, got.received_at) == ("osmand", True, NOW)


def test_query_and_headers_lie_sealed(session: Session, sealer: Sealer, house: House) -> None:
    refuse(session, sealer, house, query="lat=60.17042", headers={"x": "60.17042"})
    row = session.execute(text("SELECT q::text FROM quarantine AS q")).scalar_one()
    assert "60.17042" not in row
    assert b"60.17042".hex() not in row


def test_what_nobody_asked_for_is_not_tried_again(session: Session, sealer: Sealer, house: House) -> None:
    refuse(session, sealer, house)
    assert taken(session, sealer) == []


def test_one_taken_is_nobody_else_s_until_the_lease_ends(
    session: Session, sealer: Sealer, house: House
) -> None:
    one = refuse(session, sealer, house)
    ask(session, house, ids=[one])
    assert taken(session, sealer) == [one]
    ask(session, house, ids=[one])
    assert taken(session, sealer, NOW + quarantine.REPLAY_LEASE - timedelta(microseconds=1)) == []
    assert taken(session, sealer, NOW + quarantine.REPLAY_LEASE) == [one]


def test_two_transactions_at_once_never_take_the_same(database: Database, sealer: Sealer) -> None:
    with database.begin() as session:
        house = add_house(session, "+79161234567")
        put = {refuse(session, sealer, house) for _ in range(6)}
        ask(session, house, reason=Reason.NOT_JSON)
    with database.begin() as first, database.begin() as second:
        mine, theirs = taken(first, sealer, limit=4), taken(second, sealer, limit=4)
    assert (len(mine), len(theirs)) == (4, 2)
    assert set(mine) | set(theirs) == put


def test_a_taken_message_is_gone_and_one_refused_again_stays_with_the_new_reason(
    session: Session, sealer: Sealer, house: House
) -> None:
    good, bad = refuse(session, sealer, house), refuse(session, sealer, house)
    ask(session, house, reason=Reason.NOT_JSON)
    taken(session, sealer)
    quarantine.settle_replay(session, good, None, "", NOW)
    quarantine.settle_replay(session, bad, Reason.NO_TIME, "time", NOW)
    (left,) = refusals.of_account(session, house.viewer.account_id)
    assert (left.quarantine_id, left.reason, left.detail) == (bad, Reason.NO_TIME, "time")
    assert (left.replay_asked_at, left.replayed_at) == (None, NOW)
    assert taken(session, sealer, NOW + timedelta(hours=1)) == []
    ask(session, house, ids=[bad])
    assert taken(session, sealer) == [bad]


def test_adoption_asks_for_what_gateways_sent_of_that_device(
    session: Session, sealer: Sealer, house: House, neighbour: House
) -> None:
    unknown = {"reason": Reason.UNKNOWN_DEVICE, "device_id": None, "origin_id": GATEWAY}
    wanted = refuse(session, sealer, house, external_id="Collar-7", **unknown)
    refuse(session, sealer, house, external_id="collar-8", **unknown)
    refuse(session, sealer, neighbour, external_id="collar-7", **unknown)
    assert quarantine.ask_replay(session, house.viewer.account_id, "COLLAR-7", NOW) == 1
    assert taken(session, sealer) == [wanted]


def test_nobody_touches_another_s_messages(
    session: Session, sealer: Sealer, house: House, neighbour: House
) -> None:
    theirs = refuse(session, sealer, neighbour)
    mine = house.viewer.account_id
    assert ask(session, house, ids=[theirs]) == 0
    assert ask(session, house, reason=Reason.NOT_JSON) == 0
    for forbidden in (
        lambda: refusals.get(session, mine, theirs),
        lambda: refusals.content(session, sealer, mine, theirs),
        lambda: refusals.remove(session, mine, theirs),
    ):
        with pytest.raises(NotFound):
            forbidden()


def test_a_slip_does_not_touch_everything(session: Session, house: House) -> None:
    with pytest.raises(Invalid):
        ask(session, house)
    with pytest.raises(Invalid):
        refusals.remove_of(session, house.viewer.account_id)


def test_what_was_not_kept_whole_is_shown_so_and_not_tried_again(
    session: Session, sealer: Sealer, house: House
) -> None:
    one = refuse(session, sealer, house, payload=b"x" * (quarantine.PAYLOAD_BYTES + 1))
    assert not refusals.get(session, house.viewer.account_id, one).whole
    assert ask(session, house, ids=[one]) == 0
    payload, _ = refusals.content(session, sealer, house.viewer.account_id, one)
    assert len(payload) == quarantine.PAYLOAD_BYTES


def test_one_of_another_secret_key_is_put_aside_and_the_others_are_taken(
    session: Session, sealer: Sealer, house: House
) -> None:
    lost = refuse(session, Sealer("another secret of 32 characters!"), house)
    good = refuse(session, sealer, house)
    ask(session, house, reason=Reason.NOT_JSON)
    assert taken(session, sealer) == [good]
    assert refusals.get(session, house.viewer.account_id, lost).reason is Reason.STORE_REFUSED


def test_lists_go_newest_first_page_by_page(session: Session, sealer: Sealer, house: House) -> None:
    ids = [refuse(session, sealer, house, received_at=NOW + timedelta(seconds=at // 2)) for at in range(4)]
    account_id, after, seen = house.viewer.account_id, None, []
    while page := refusals.of_account(session, account_id, after=after, limit=3):
        seen += [each.quarantine_id for each in page]
        after = page[-1].received_at, page[-1].quarantine_id
    assert sorted(seen) == sorted(ids)
    assert set(seen[:2]) == set(ids[2:])


def test_the_tally_counts_by_reason_and_sender(session: Session, sealer: Sealer, house: House) -> None:
    refuse(session, sealer, house)
    late = refuse(session, sealer, house, received_at=NOW + timedelta(hours=1))
    refuse(session, sealer, house, reason=Reason.NO_TIME)
    ask(session, house, ids=[late])
    first, second = refusals.tally(session, house.viewer.account_id)
    assert (first.reason, first.messages, first.waiting) == (Reason.NOT_JSON, 2, 1)
    assert first.last_received_at == NOW + timedelta(hours=1)
    assert (second.reason, second.messages, second.waiting) == (Reason.NO_TIME, 1, 0)


def test_ingest_hears_of_a_request_at_commit(database: Database, sealer: Sealer) -> None:
    with database.begin() as session:
        house = add_house(session, "+79161234567")
        refuse(session, sealer, house)
    listener = database.listen(quarantine.REPLAY_CHANNEL)
    try:
        with database.begin() as session:
            ask(session, house, reason=Reason.NOT_JSON)
            assert listener.wait(0.1) == []
        assert listener.wait(10) == [(quarantine.REPLAY_CHANNEL, "")]
    finally:
        listener.close()
