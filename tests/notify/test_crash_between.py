"""A worker that dies between two of its steps; two workers at once."""

import threading

import pytest

from tests.notify.house import House
from tracker.domain.rule import Urgency
from tracker.notify.alerting import Alerting
from tracker.notify.dispatch import Dispatcher
from tracker.notify.links import Links
from tracker.store import alerts, outbox
from tracker.store.seal import Sealer
from tracker.store.session import Database


class Killed(BaseException):
    """The process ends here."""


def test_killed_while_planning_it_plans_once_afterwards(house: House, database: Database) -> None:
    house.happen()

    def die() -> None:
        with database.begin() as session:
            assert len(alerts.claim(session, house.clock())) == 1
            raise Killed

    with pytest.raises(Killed):
        die()
    house.work()
    assert len(house.sms.got) == 1
    assert house.count("deliveries") == house.count("outbox") == 1


def test_killed_between_planning_and_sending_it_is_sent_by_the_next(
    house: House, database: Database, sealer: Sealer
) -> None:
    house.happen()
    house.alerting.decide(house.clock())
    another = Dispatcher(database, sealer, house.sinks, house.clock)
    assert another.drain(house.clock()) == 1
    assert another.drain(house.clock()) == 0
    assert len(house.sms.got) == 1


def test_killed_between_claiming_and_settling_it_is_repeated_once_with_the_same_id(
    house: House, database: Database, sealer: Sealer
) -> None:
    alert_id = house.happen()
    house.alerting.decide(house.clock())
    with database.begin() as session:
        (claimed,) = outbox.claim(session, sealer, house.clock())
    house.sms.send(claimed.notification, house.clock(), message_id=claimed.outbox_id)
    house.work()
    assert len(house.sms.got) == 1, "the lease of the dead worker was not honoured"
    house.clock.go_on(seconds=outbox.LEASE.total_seconds())
    house.work()
    house.go_on(minutes=10)
    assert [message_id for _, message_id in house.sms.got] == [claimed.outbox_id] * 2
    (line,) = house.ledger(alert_id)
    assert (line.state.value, line.attempts) == ("sent", 2)


def test_a_group_of_which_a_worker_died_is_repeated_with_the_same_id(
    house: House, database: Database, sealer: Sealer
) -> None:
    rule_id = house.add_rule()
    for _ in range(3):
        house.happen(rule_id)
    house.work()
    house.clock.go_on(minutes=5)
    with database.begin() as session:
        (claimed,) = outbox.claim(session, sealer, house.clock())
    assert len(claimed.also) == 1
    house.happen(rule_id)
    house.alerting.decide(house.clock())
    house.clock.go_on(seconds=outbox.LEASE.total_seconds())
    house.work()
    assert [message_id for _, message_id in house.sms.got[1:]] == [claimed.outbox_id]


def test_two_workers_at_once_tell_each_alert_once(house: House, database: Database, sealer: Sealer) -> None:
    house.change_owner(per_hour_most=1000)
    for _ in range(30):
        house.happen(house.add_rule(), Urgency.URGENT)
    links = Links(sealer, "https://ryadom.example")

    def work() -> None:
        alerting = Alerting(database, sealer, house.sinks, house.clock, links=links)
        dispatcher = Dispatcher(database, sealer, house.sinks, house.clock)
        while alerting.decide(house.clock()) + dispatcher.drain(house.clock()):
            pass

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    house.work()
    assert len(house.sms.got) == 30
    assert len({told.alert_id for told, _ in house.sms.got}) == 30


def test_an_event_whose_transaction_is_lost_is_not_told(house: House, database: Database) -> None:
    def die() -> None:
        with database.begin() as session:
            house.happen(session=session)
            raise Killed

    with pytest.raises(Killed):
        die()
    house.go_on(minutes=1)
    assert house.sms.got == []
    assert house.count("alerts") == 0
