"""The ledger: what became of each message, with its attempts."""

from datetime import datetime, timedelta

import pytest

from tests.notify.house import House, Sink
from tests.notify.people import NIGHT
from tracker.domain.notification import DeliveryState, Notification
from tracker.domain.rule import Urgency


def test_a_line_waits_and_is_then_sent(house: House) -> None:
    alert_id = house.happen()
    house.alerting.decide(house.clock())
    (line,) = house.ledger(alert_id)
    assert (line.state, line.attempts, line.sent_at) == (DeliveryState.WAITING, 0, None)
    house.work()
    (line,) = house.ledger(alert_id)
    assert (line.state, line.attempts, line.sent_at) == (DeliveryState.SENT, 1, house.clock())


def test_attempts_and_the_last_reason_are_kept_while_it_waits(house: House) -> None:
    house.sms.down()
    alert_id = house.happen()
    house.work()
    house.go_on(seconds=20)
    (line,) = house.ledger(alert_id)
    assert (line.state, line.attempts) == (DeliveryState.WAITING, 3)
    assert line.detail == "the gateway does not answer"
    house.sms.up()
    house.go_on(seconds=30)
    (line,) = house.ledger(alert_id)
    assert (line.state, line.attempts, line.detail) == (DeliveryState.SENT, 4, "")


def test_a_refusal_is_kept_with_its_reason_and_the_other_channel_is_tried(house: House) -> None:
    house.change_owner(email="mum@example.org", channels=("sms", "email"))
    house.sms.refuse()
    alert_id = house.happen()
    house.work()
    assert house.states(alert_id) == {"sms": "refused", "email": "sent"}
    assert {each.channel: each.detail for each in house.ledger(alert_id)} == {
        "sms": "the gateway answers 400",
        "email": "",
    }


def test_what_is_urgent_goes_over_every_channel_at_once(house: House) -> None:
    house.change_owner(email="mum@example.org", channels=("sms", "email"))
    alert_id = house.happen(urgency=Urgency.URGENT)
    house.work()
    assert house.states(alert_id) == {"sms": "sent", "email": "sent"}


def test_what_was_never_sent_in_time_expires(house: House) -> None:
    house.sms.down()
    alert_id = house.happen()
    house.work()
    house.clock.go_on(hours=25)
    house.work()
    assert house.states(alert_id) == {"sms": "expired"}
    assert house.sms.got == []


def test_a_receipt_makes_it_delivered_or_refused(house: House) -> None:
    alert_ids = [house.happen(house.add_rule()) for _ in range(2)]
    house.work()
    by_alert = {told.alert_id: message_id for told, message_id in house.sms.got}
    house.dispatcher.receive(by_alert[alert_ids[0]], delivered=True)
    house.dispatcher.receive(by_alert[alert_ids[1]], delivered=False, detail="UNDELIV")
    (reached,), (lost,) = (house.ledger(each) for each in alert_ids)
    assert (reached.state, reached.delivered_at) == (DeliveryState.DELIVERED, house.clock())
    assert (lost.state, lost.detail) == (DeliveryState.REFUSED, "UNDELIV")
    house.dispatcher.receive("00000000000000ff", delivered=True)


def test_a_receipt_that_tells_of_a_loss_goes_on_to_the_next_channel(house: House) -> None:
    house.change_owner(email="mum@example.org", channels=("sms", "email"))
    alert_id = house.happen()
    house.work()
    house.dispatcher.receive(house.sms.got[0][1], delivered=False, detail="UNDELIV")
    house.work()
    assert house.states(alert_id) == {"sms": "refused", "email": "sent"}


def test_what_comes_within_the_throttle_is_told_together_and_says_so(house: House) -> None:
    rule_id = house.add_rule(throttle_s=300)
    alert_ids = []
    for _ in range(4):
        alert_ids.append(house.happen(rule_id))
        house.go_on(seconds=30)
    house.go_on(minutes=10)
    assert len(house.sms.got) == 2
    assert house.sms.told[1].count("Masha") == 3
    states = [house.ledger(each)[0].state.value for each in alert_ids]
    assert states == ["sent", "sent", "grouped", "grouped"]


def test_the_night_s_events_are_one_message_in_the_morning(house: House) -> None:
    house.change_owner(quiet=NIGHT, time_zone="UTC")
    house.clock.go_on(hours=14)
    for _ in range(3):
        house.happen(house.add_rule())
        house.work()
        house.clock.go_on(minutes=30)
    assert house.sms.got == []
    house.clock.go_on(hours=7)
    house.work()
    assert len(house.sms.got) == 1
    assert house.sms.told[0].count("Masha") == 3


def test_alarms_are_each_told_at_once_whatever_the_hour_and_the_cap(house: House) -> None:
    house.change_owner(quiet=NIGHT, time_zone="UTC", per_hour_most=1)
    house.clock.go_on(hours=14)
    rule_id = house.add_rule()
    for _ in range(5):
        house.happen(rule_id, Urgency.ALARM)
    house.work()
    assert len(house.sms.got) == 5


def test_an_escalation_adds_people_and_never_a_second_copy(house: House) -> None:
    dad = house.add_contact("Dad", 1)
    rule_id = house.add_rule(contact_ids=(house.account_id, dad), all_at_once=False, escalate_after_s=60)
    alert_id = house.happen(rule_id, Urgency.URGENT)
    house.work()
    house.go_on(minutes=15)
    lines = house.ledger(alert_id)
    assert [(each.contact_id, each.step) for each in lines] == [(house.account_id, 0), (dad, 1)]
    assert lines[1].due_at - lines[0].due_at == timedelta(seconds=60)


class Hasty(Sink):
    """A gateway whose receipts overtake its answers."""

    def __init__(self, house: House, *, delivered: bool) -> None:
        super().__init__("sms")
        self._house, self._delivered = house, delivered

    def send(self, notification: Notification, now: datetime, *, message_id: str) -> None:
        super().send(notification, now, message_id=message_id)
        self._house.dispatcher.receive(message_id, delivered=self._delivered, detail="UNDELIV")


def test_a_loss_that_is_told_before_the_gateway_s_answer_stays_a_loss(house: House) -> None:
    house.change_owner(email="mum@example.org", channels=("sms", "email"))
    house.sinks["sms"] = Hasty(house, delivered=False)
    alert_id = house.happen()
    house.work()
    assert house.states(alert_id) == {"sms": "refused", "email": "sent"}


def grouped(house: House, gateway: Sink | None = None) -> list[str]:
    """Have three alerts told in one message, after a first one that was told alone."""
    rule_id = house.add_rule(throttle_s=300)
    alert_ids = []
    for _ in range(4):
        alert_ids.append(house.happen(rule_id))
        house.go_on(seconds=30)
        house.sinks["sms"] = gateway or house.sms
    house.go_on(minutes=10)
    return alert_ids[1:]


@pytest.mark.parametrize(("delivered", "state"), [(True, "delivered"), (False, "refused")])
def test_a_receipt_is_of_everything_that_was_told_in_the_message(
    house: House, delivered: bool, state: str
) -> None:
    alert_ids = grouped(house)
    house.dispatcher.receive(house.sms.got[1][1], delivered=delivered, detail="UNDELIV")
    lines = [house.ledger(each)[0] for each in alert_ids]
    assert [line.state.value for line in lines] == [state] * 3
    assert all(line.sent_at is not None for line in lines)


@pytest.mark.parametrize(("delivered", "state"), [(True, "delivered"), (False, "refused")])
def test_an_early_receipt_is_of_everything_that_is_being_told(
    house: House, delivered: bool, state: str
) -> None:
    alert_ids = grouped(house, Hasty(house, delivered=delivered))
    assert len(house.sms.got) == 1
    assert [house.ledger(each)[0].state.value for each in alert_ids] == [state] * 3
