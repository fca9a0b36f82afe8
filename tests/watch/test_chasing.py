"""Chases on a real database: begun once an escape, steered by the battery, ended for a reason."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.store.family import NOW, House, add_house
from tracker.domain.errors import Unavailable
from tracker.domain.ids import new_id
from tracker.store import devices, positions
from tracker.store.schema import id_to_int
from tracker.store.session import Database
from tracker.watch.chasing import Chases

EVENT = """
INSERT INTO events (account_id, event_id, rule_id, rule_version, subject_id, device_id, type, urgency, at,
                    decided_at, recorded_at, slot, data, explanation, news, updated_at)
VALUES (:account, :event, :rule, 1, :subject, :device, :type, 3, :at, :at, :at, :event, :data, '{}',
        :news, :at)
"""
RULE = """
INSERT INTO rules (account_id, rule_id, kind, name, all_subjects, active_from, created_at, changed_at)
VALUES (:account, :rule, 'escape', '', true, :at, :at, :at)
"""


class Cat:
    """A house with a cat, a rule, and what was published."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.published: list[tuple[str, dict[str, object]]] = []
        self.broker_is_away = False
        self.rule_id = new_id()
        with database.begin() as session:
            self.house: House = add_house(session, "+79161234567")
            positions.ensure_partitions(session, {positions.week_of(NOW)})
            session.execute(text(RULE), self._ids() | {"at": NOW})
        self.chases = self.restarted()

    def restarted(self) -> Chases:
        return Chases(self.database, self._publish, lambda content: str(len(content)), lambda: NOW)

    def tell(self, event_type: str, minutes: float = 0.0, news: str = "told", **data: object) -> None:
        with self.database.begin() as session:
            session.execute(
                text(EVENT),
                self._ids()
                | {
                    "event": id_to_int(new_id()),
                    "type": event_type,
                    "news": news,
                    "at": NOW + timedelta(minutes=minutes),
                    "data": json.dumps(data),
                },
            )

    def report(self, minutes: float, battery_pct: float) -> None:
        fix = self.house.fix(NOW + timedelta(minutes=minutes), battery_pct=battery_pct)
        with self.database.begin() as session:
            positions.append(session, [fix])

    def ended(self) -> list[str]:
        with self.database.begin() as session:
            return list(
                session.execute(text("SELECT reason FROM chases WHERE ended_at IS NOT NULL")).scalars()
            )

    def _ids(self) -> dict[str, object]:
        house = self.house
        return {
            "account": id_to_int(house.viewer.account_id),
            "subject": id_to_int(house.subject.subject_id),
            "device": id_to_int(house.device.device_id),
            "rule": id_to_int(self.rule_id),
        }

    def _publish(self, message: tuple[str, bytes]) -> None:
        topic, payload = message
        if self.broker_is_away:
            raise Unavailable("the broker is away")
        self.published.append((topic, json.loads(payload)))


@pytest.fixture
def cat(database: Database) -> Cat:
    return Cat(database)


def test_an_escape_begins_one_chase_whatever_happens_to_the_process(cat: Cat) -> None:
    cat.tell("escaped", report_every_s=15, most_min=120, battery_least_pct=15, battery_pct=80)
    assert cat.chases.step(NOW) == 1
    assert cat.restarted().step(NOW + timedelta(seconds=5)) == 1
    topic, command = cat.published[0]
    device_id = cat.house.device.device_id
    assert topic == f"tracker/{device_id[0]}/{device_id}/command"
    assert command["kind"] == "live"
    assert command["args"]["every_s"] == 15  # type: ignore[index]
    assert command["device_id"] == device_id
    assert command["sig"]


def test_a_device_is_asked_again_only_now_and_then(cat: Cat) -> None:
    cat.tell("escaped", report_every_s=15)
    for seconds in range(0, 300, 5):
        cat.chases.step(NOW + timedelta(seconds=seconds))
    assert len(cat.published) == 3


def test_being_caught_ends_it_and_the_device_is_let_off(cat: Cat) -> None:
    cat.tell("escaped", report_every_s=15)
    cat.chases.step(NOW)
    cat.tell("caught", minutes=10)
    assert cat.chases.step(NOW + timedelta(minutes=10)) == 0
    assert cat.ended() == ["caught"]
    assert cat.published[-1][1]["args"] == {"every_s": None}
    assert cat.chases.step(NOW + timedelta(minutes=11)) == 0


def test_an_escape_after_that_is_a_new_chase(cat: Cat) -> None:
    cat.tell("escaped", report_every_s=15)
    cat.chases.step(NOW)
    cat.tell("caught", minutes=10)
    cat.chases.step(NOW + timedelta(minutes=10))
    cat.tell("escaped", minutes=20, report_every_s=15)
    assert cat.chases.step(NOW + timedelta(minutes=20)) == 1


def test_a_low_battery_ends_it(cat: Cat) -> None:
    cat.tell("escaped", report_every_s=15, battery_least_pct=15, battery_pct=40)
    cat.report(5, 14.0)
    assert cat.chases.step(NOW + timedelta(minutes=5)) == 0
    assert cat.ended() == ["battery"]


def test_a_battery_that_drains_fast_is_asked_more_rarely(cat: Cat) -> None:
    cat.tell("escaped", report_every_s=15, most_min=120, battery_least_pct=15, battery_pct=80)
    cat.chases.step(NOW)
    cat.report(30, 40.0)
    cat.chases.step(NOW + timedelta(minutes=30))
    assert cat.published[-1][1]["args"]["every_s"] == 72  # type: ignore[index]


def test_it_ends_by_itself(cat: Cat) -> None:
    cat.tell("escaped", report_every_s=15, most_min=20)
    cat.chases.step(NOW)
    assert cat.chases.step(NOW + timedelta(minutes=21)) == 0
    assert cat.ended() == ["time"]


def test_switching_the_rule_off_calls_it_off(cat: Cat) -> None:
    cat.tell("escaped", report_every_s=15)
    cat.chases.step(NOW)
    with cat.database.begin() as session:
        session.execute(text("UPDATE rules SET enabled = false"))
    cat.chases.step(NOW + timedelta(minutes=1))
    assert cat.ended() == ["called_off"]


def test_a_chase_of_a_device_that_was_removed_is_called_off(cat: Cat) -> None:
    cat.tell("escaped", report_every_s=15)
    cat.chases.step(NOW)
    with cat.database.begin() as session:
        devices.remove(session, cat.house.viewer.account_id, cat.house.device.device_id)
    asked = len(cat.published)
    assert cat.chases.step(NOW + timedelta(minutes=1)) == 0
    assert cat.ended() == ["called_off"]
    # There is nobody to let off.
    assert len(cat.published) == asked


def test_an_escape_learnt_an_hour_later_begins_none(cat: Cat) -> None:
    cat.tell("escaped", news="old", report_every_s=15)
    assert cat.chases.step(NOW) == 0


def test_an_end_that_cannot_be_told_to_the_device_is_tried_again(cat: Cat) -> None:
    cat.tell("escaped", report_every_s=15)
    cat.chases.step(NOW)
    cat.tell("caught", minutes=1)
    cat.broker_is_away = True
    with pytest.raises(Unavailable):
        cat.chases.step(NOW + timedelta(minutes=1))
    assert cat.ended() == []
    cat.broker_is_away = False
    cat.chases.step(NOW + timedelta(minutes=2))
    assert cat.ended() == ["caught"]
