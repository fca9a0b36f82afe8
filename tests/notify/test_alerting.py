"""From an alert to messages: who is told what, over which links; escalation in time."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from tests.kit.clock import StandingClock
from tests.notify.house import House
from tests.notify.people import NIGHT
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.notification import AlertState
from tracker.domain.rule import Urgency
from tracker.notify.acknowledging import Alerts
from tracker.notify.dispatch import Dispatcher
from tracker.notify.links import OPENS_FOR
from tracker.store import accounts, alert_changes, push_subscriptions
from tracker.store.seal import Sealer
from tracker.store.session import Database

OWNER = "+79161234567"


@pytest.fixture
def doing(sealer: Sealer) -> Alerts:
    return Alerts(sealer, public_url="https://ryadom.example")


def test_the_owner_is_told_without_a_contact_of_his_own_making(house: House) -> None:
    alert_id = house.happen()
    house.work()
    assert house.sms.told == [f"{OWNER}: Masha: event at 12:00"]
    ((told, _),) = house.sms.got
    assert told.args["link"] == f"https://ryadom.example/alerts/{alert_id}"
    assert house.alert(alert_id).planned_at == house.clock()


def test_an_alert_is_told_once_however_often_it_is_looked_at(house: House) -> None:
    house.happen()
    house.work()
    house.go_on(minutes=20)
    assert len(house.sms.got) == 1
    assert house.count("deliveries") == 1


def test_the_most_urgent_is_planned_and_sent_first(house: House) -> None:
    for urgency in (Urgency.NORMAL, Urgency.QUIET, Urgency.ALARM, Urgency.URGENT):
        house.happen(house.add_rule(), urgency)
    house.alerting.decide(house.clock())
    with house.database.begin() as session:
        order = session.execute(
            text("SELECT urgency FROM outbox WHERE due_at <= :now ORDER BY urgency DESC, due_at"),
            {"now": house.clock()},
        ).scalars()
        assert list(order) == [3, 2, 1, 0]


def test_what_came_in_one_batch_goes_out_in_the_order_in_which_it_happened(
    house: House, database: Database, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One thread, so that the order of sending is that of starting to send.
    monkeypatch.setattr("tracker.notify.dispatch.AT_ONCE", 1)
    dispatcher = Dispatcher(database, sealer, house.sinks, house.clock)
    with database.begin() as session:
        for minutes in (5, 7, 2, 6, 1, 4, 3):
            house.happen(session=session, at=house.clock() - timedelta(minutes=minutes))
    house.alerting.decide(house.clock())
    dispatcher.drain(house.clock())
    assert [each.rpartition(":")[2] for each in house.sms.told] == ["53", "54", "55", "56", "57", "58", "59"]


def test_all_at_once_and_each_in_his_language(house: House) -> None:
    dad = house.add_contact("Dad", 1, locale="ru", time_zone="Asia/Novosibirsk")
    rule_id = house.add_rule(contact_ids=(house.account_id, dad))
    house.happen(rule_id)
    house.work()
    assert sorted(house.sms.told) == [
        "+79160000001: Masha: событие в 16:00",
        f"{OWNER}: Masha: event at 12:00",
    ]


def test_nobody_who_has_not_confirmed_is_told(house: House) -> None:
    dad = house.add_contact("Dad", 1, confirmed_at=None)
    house.happen(house.add_rule(contact_ids=(dad,)))
    house.work()
    assert [each.to for each, _ in house.sms.got] == [OWNER]


def test_a_browser_that_takes_messages_is_preferred_and_sms_is_spare(
    house: House, sealer: Sealer, database: Database
) -> None:
    house.change_owner()
    with database.begin() as session:
        push_subscriptions.add(
            session,
            sealer,
            house.account_id,
            house.account_id,
            endpoint="https://push.example/1",
            p256dh="p",
            auth="a",
            agent="Firefox",
            now=house.clock(),
        )
    house.sinks["webpush"].refuse()
    alert_id = house.happen()
    house.work()
    assert house.states(alert_id) == {"webpush": "refused", "sms": "sent"}
    assert house.alert(alert_id).step == 0


def test_the_next_one_is_told_when_the_first_does_not_answer(house: House) -> None:
    dad = house.add_contact("Dad", 1)
    gran = house.add_contact("Gran", 2)
    rule_id = house.add_rule(contact_ids=(dad, gran), all_at_once=False, escalate_after_s=300)
    alert_id = house.happen(rule_id, Urgency.URGENT)
    house.work()
    house.go_on(seconds=290)
    assert house.sms.told == ["+79160000001: Masha: event at 9:00"]
    house.go_on(seconds=20)
    assert house.sms.told[1:] == ["+79160000002: Nobody answered. Masha: event at 9:00"]
    assert house.alert(alert_id).step == 1
    house.go_on(minutes=30)
    assert len(house.sms.got) == 2


def test_an_acknowledgement_ends_the_escalation(house: House, doing: Alerts) -> None:
    dad, gran = house.add_contact("Dad", 1), house.add_contact("Gran", 2)
    rule_id = house.add_rule(contact_ids=(dad, gran), all_at_once=False, escalate_after_s=300)
    alert_id = house.happen(rule_id, Urgency.URGENT)
    house.work()
    with house.database.begin() as session:
        doing.acknowledge(session, house.viewer, alert_id, house.clock())
    house.go_on(minutes=10)
    assert len(house.sms.got) == 1
    known = house.alert(alert_id)
    assert (known.state, known.acknowledged_by) == (AlertState.ACKNOWLEDGED, house.account_id)


def test_acknowledging_again_changes_nothing(house: House, doing: Alerts) -> None:
    alert_id = house.happen()
    house.work()
    with house.database.begin() as session:
        first = doing.acknowledge(session, house.viewer, alert_id, house.clock())
    house.clock.go_on(minutes=1)
    with house.database.begin() as session:
        assert doing.acknowledge(session, house.viewer, alert_id, house.clock()) == first


def test_a_stranger_s_alert_does_not_exist(house: House, doing: Alerts) -> None:
    alert_id = house.happen()
    with house.database.begin() as session:
        other = accounts.open_account(
            session, phone="+79169999999", locale="ru", region=None, now=house.clock()
        )
        stranger = type(house.viewer)(
            account_id=other.account_id,
            session_id=house.viewer.session_id,
            level=house.viewer.level,
            proved_at=house.clock(),
        )
        with pytest.raises(NotFound):
            doing.acknowledge(session, stranger, alert_id, house.clock())
    assert house.alert(alert_id).state is AlertState.OPEN


def test_a_contact_without_an_account_acknowledges_by_his_link_for_a_day(house: House, doing: Alerts) -> None:
    dad = house.add_contact("Dad", 1)
    alert_id = house.happen(house.add_rule(contact_ids=(dad,)))
    house.work()
    ((told, _),) = house.sms.got
    token = told.args["link"].removeprefix("https://ryadom.example/a/")
    with house.database.begin() as session:
        assert doing.by_link(session, token, house.clock()).alert.alert_id == alert_id
        with pytest.raises(NotFound):
            doing.by_link(session, token, house.clock() + OPENS_FOR)
        with pytest.raises(NotFound):
            doing.by_link(session, "A" * 38, house.clock())
        doing.acknowledge_by_link(session, token, house.clock())
    assert house.alert(alert_id).acknowledged_by == dad


def test_what_is_muted_is_not_told_but_an_sos_is(house: House, doing: Alerts) -> None:
    rule_id = house.add_rule()
    until = house.clock() + timedelta(hours=1)
    with house.database.begin() as session:
        mute = doing.mute(session, house.viewer, subject_id=house.subject_id, until=until, now=house.clock())
    muted = house.happen(rule_id, Urgency.ALARM)
    house.happen(rule_id, Urgency.ALARM, event_type="sos")
    house.work()
    assert len(house.sms.got) == 1
    assert (house.news(muted), house.alert(muted).state) == ("muted", AlertState.RESOLVED)
    with house.database.begin() as session:
        doing.unmute(session, house.viewer, mute.mute_id)
    house.happen(rule_id, Urgency.ALARM)
    house.work()
    assert len(house.sms.got) == 2


def test_a_mute_withdraws_what_waits(house: House, doing: Alerts) -> None:
    house.change_owner(quiet=NIGHT, time_zone="Asia/Novosibirsk")
    house.clock.go_on(hours=8)
    rule_id = house.add_rule()
    alert_id = house.happen(rule_id)
    house.work()
    assert house.states(alert_id) == {"sms": "waiting"}
    with house.database.begin() as session:
        doing.mute(
            session,
            house.viewer,
            rule_id=rule_id,
            until=house.clock() + timedelta(days=1),
            now=house.clock(),
        )
    house.clock.go_on(hours=12)
    house.work()
    assert house.states(alert_id) == {"sms": "cancelled"}
    assert house.sms.got == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "rule_id"),
        ({"subject_id": "x"}, "subject_id"),
        ({"rule_id": "00000000000000aa", "ahead": timedelta(0)}, "until"),
        ({"rule_id": "00000000000000aa", "ahead": timedelta(days=400)}, "until"),
    ],
)
def test_a_mute_that_says_nothing_is_refused(
    house: House, doing: Alerts, given: dict[str, object], field: str
) -> None:
    named = {"ahead": timedelta(hours=1), **given}
    until: datetime = house.clock() + named.pop("ahead")  # type: ignore[operator]
    with house.database.begin() as session, pytest.raises(Invalid) as refused:
        doing.mute(session, house.viewer, until=until, now=house.clock(), **named)  # type: ignore[arg-type]
    assert refused.value.errors[0][0] == field


def test_a_retracted_event_ends_its_alert_and_withdraws_what_waits(house: House) -> None:
    dad = house.add_contact("Dad", 1, quiet=NIGHT, time_zone="Asia/Novosibirsk")
    house.clock.go_on(hours=8)
    alert_id = house.happen(house.add_rule(contact_ids=(house.account_id, dad)))
    house.work()
    with house.database.begin() as session:
        alert_changes.resolve(session, house.account_id, [house.alert(alert_id).event_id], house.clock())
    house.clock.go_on(hours=12)
    house.work()
    assert [each.to for each, _ in house.sms.got] == [OWNER]
    assert sorted(each.state.value for each in house.ledger(alert_id)) == ["cancelled", "sent"]
    assert house.alert(alert_id).state is AlertState.RESOLVED


def test_a_retraction_before_the_planning_tells_nothing(house: House) -> None:
    alert_id = house.happen()
    with house.database.begin() as session:
        alert_changes.resolve(session, house.account_id, [house.alert(alert_id).event_id], house.clock())
    house.go_on(minutes=1)
    assert house.sms.got == []


def test_an_alert_moves_to_the_event_that_tells_it_truly(house: House) -> None:
    alert_id = house.happen()
    house.work()
    old = house.alert(alert_id).event_id
    with house.database.begin() as session:
        new = session.execute(
            text(
                "INSERT INTO events SELECT account_id, 42 AS event_id, rule_id, rule_version, subject_id,"
                " device_id, geofence_id, type, urgency, at, decided_at, recorded_at, slot, data,"
                " explanation, news, superseded_by, retracted_at, updated_at FROM events"
                " RETURNING lpad(to_hex(event_id), 16, '0')"
            )
        ).scalar_one()
        alert_changes.move(session, house.account_id, old, new)
    house.go_on(minutes=5)
    assert house.alert(alert_id).event_id == new
    assert len(house.sms.got) == 1


def test_an_alert_nobody_saw_expires_after_a_day(house: House, clock: StandingClock) -> None:
    alert_id = house.happen()
    house.work()
    clock.go_on(hours=24)
    house.work()
    assert house.alert(alert_id).state is AlertState.EXPIRED
    assert house.alert(alert_id).escalate_at is None


def test_one_alert_that_cannot_be_planned_holds_up_no_other(house: House, database: Database) -> None:
    with database.begin() as session:
        broken = house.add_rule()
        session.execute(text('UPDATE rules SET notify = \'{"urgency": "normal", "throttle_s": "x"}\''))
    bad = house.happen(broken)
    good = house.happen()
    house.work()
    assert (house.states(bad), house.states(good)) == ({}, {"sms": "sent"})
    with database.begin() as session:
        session.execute(text("UPDATE rules SET notify = '{}'"))
    house.clock.go_on(seconds=61)
    house.work()
    assert house.states(bad) == {"sms": "sent"}
