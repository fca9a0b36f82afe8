"""One gateway is dead: the others go on, and what it should have sent is sent once when it is back."""

import threading
from datetime import datetime

import pytest

from tests.kit.waiting import until
from tests.notify.house import House, Sink
from tracker.domain.notification import Notification
from tracker.domain.rule import Urgency
from tracker.notify.alerting import Alerting
from tracker.notify.dispatch import Dispatcher
from tracker.notify.links import Links
from tracker.store.seal import Sealer
from tracker.store.session import Database


def test_r07_after_an_hour_without_a_gateway_everything_is_told_once(house: House) -> None:
    house.change_owner(per_hour_most=1000)
    house.sms.down()
    rules = [house.add_rule() for _ in range(3)]
    alert_ids = []
    for number in range(12):
        alert_ids.append(house.happen(rules[number % 3], Urgency.ALARM if number < 3 else Urgency.NORMAL))
        house.go_on(minutes=5)
    assert house.sms.got == []
    assert {each.state.value for alert_id in alert_ids for each in house.ledger(alert_id)} == {"waiting"}
    house.sms.up()
    house.go_on(minutes=6)
    states = [each.state.value for alert_id in alert_ids for each in house.ledger(alert_id)]
    assert len(states) == 12
    assert set(states) <= {"sent", "grouped"}
    told = [
        item
        for notification, _ in house.sms.got
        for item in (notification.args.get("items") or [notification.args])
    ]
    assert sorted(each["link"] for each in told) == sorted(
        f"https://ryadom.example/alerts/{each}" for each in alert_ids
    )
    assert [each.urgency for each, _ in house.sms.got[:3]] == [Urgency.ALARM] * 3
    house.go_on(minutes=30)
    assert states == [each.state.value for alert_id in alert_ids for each in house.ledger(alert_id)]


def test_while_it_is_down_the_other_channel_tells(house: House) -> None:
    house.change_owner(email="mum@example.org", channels=("sms", "email"))
    house.sms.down()
    alert_id = house.happen(urgency=Urgency.URGENT)
    house.work()
    assert house.states(alert_id) == {"sms": "waiting", "email": "sent"}


def test_the_next_one_is_told_although_the_first_could_not_be(house: House) -> None:
    dad = house.add_contact("Dad", 1, phone=None, email="dad@example.org", channels=("email",))
    house.sms.down()
    rule_id = house.add_rule(contact_ids=(house.account_id, dad), all_at_once=False, escalate_after_s=120)
    house.happen(rule_id, Urgency.URGENT)
    house.work()
    house.go_on(minutes=2)
    assert house.email.told == ["dad@example.org: Nobody answered. Masha: event at 9:00"]


class Stuck(Sink):
    """A channel whose gateway takes the connection and never answers, until it is freed."""

    def __init__(self) -> None:
        super().__init__("sms")
        self.entered = threading.Semaphore(0)
        self.freed = threading.Event()

    def send(self, notification: Notification, now: datetime, *, message_id: str) -> None:
        self.entered.release()
        self.freed.wait(30)
        super().send(notification, now, message_id=message_id)


@pytest.fixture
def stuck() -> Stuck:
    return Stuck()


def test_a_gateway_that_hangs_holds_up_no_other_channel(
    house: House, database: Database, sealer: Sealer, stuck: Stuck
) -> None:
    house.change_owner(email="mum@example.org", channels=("sms", "email"), per_hour_most=1000)
    sinks = {"sms": stuck, "email": house.email}
    alerting = Alerting(database, sealer, sinks, house.clock, links=Links(sealer, "https://ryadom.example"))
    dispatcher = Dispatcher(database, sealer, sinks, house.clock)
    stop = threading.Event()
    threads = [threading.Thread(target=part.run, args=(stop,)) for part in (alerting, dispatcher)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            house.happen(house.add_rule(), Urgency.URGENT)
        until(lambda: stuck.entered.acquire(blocking=False), "an SMS at the gateway")
        until(lambda: len(house.email.got) == 10, "every mail")
        assert stuck.got == []
        stuck.freed.set()
        until(lambda: len(stuck.got) == 10, "every SMS")
    finally:
        stuck.freed.set()
        stop.set()
        for thread in threads:
            thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
