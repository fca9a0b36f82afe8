"""The SMS gateway is down for an hour: nothing is lost meanwhile, and when it is back everything comes once.

The hour is told to the alerting and the dispatcher by a clock that runs fast: they run here, on the database
and to the gateway of the running service, while its own `work` process stands still. Everything else, broker,
ingest and web, is the running service's, and `work` takes over again at the end.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.e2e.conftest import House
from tests.e2e.family import SCHOOL, Family, Handset, database_of, fix, settings_of, standing
from tests.kit.clock import StandingClock
from tests.kit.places import new_folder
from tests.kit.service import RunningService
from tests.kit.waiting import until
from tests.notify.gateway import Gateway, gateway
from tracker import registry, wiring
from tracker.domain.clock import utc_now
from tracker.notify.alerting import Alerting
from tracker.notify.channels.sms import SmsChannel
from tracker.notify.dispatch import Dispatcher
from tracker.notify.links import Links
from tracker.store.seal import Sealer
from tracker.store.session import Database

PHONE = "+79161234538"
NAMES = ("Masha", "Petya", "Vanya")


@pytest.fixture
def sink() -> Iterator[Gateway]:
    with gateway() as opened:
        yield opened


@pytest.fixture
def family(sink: Gateway) -> Iterator[Family]:
    def sms_of(phone: str) -> list[str]:
        return [each.message["text"] for each in sink.got if each.message["to"] == phone]

    def code_of(phone: str) -> str:
        words = until(lambda: sms_of(phone), "a code by SMS")[-1].replace(",", " ").split()
        return next(word for word in words if word.isdigit() and len(word) == 8)

    with new_folder("house-") as folder:
        service = RunningService(folder, settings={"TRACKER_SMS": sink.url})
        try:
            service.wait_ready()
            opened = Family.at(House(service), PHONE, code_of, sms_of)
            yield opened
            opened.close()
            assert service.stop() == 0, service.log[-4000:]
        finally:
            service.close()


class Hours:
    """The alerting and the dispatcher of the service, by a clock that is told how fast to run."""

    def __init__(self, house: House, database: Database) -> None:
        settings = settings_of(house)
        sealer = Sealer(wiring.secret_key(settings))
        sms = SmsChannel(
            registry.load("tracker.notify.transports", "TRANSPORT"),
            url=house.service.settings["TRACKER_SMS"],
            sender=settings.sms_from,
            outbox_dir=settings.data_dir / "outbox",
        )
        self.clock = StandingClock(utc_now())
        links = Links(sealer, settings.public_url)
        self._alerting = Alerting(database, sealer, ("sms",), self.clock, links=links)
        self._dispatcher = Dispatcher(database, sealer, {"sms": sms}, self.clock)

    def pass_by(self, **amount: float) -> None:
        """Let time pass in strides of twenty seconds, deciding and sending at each."""
        end = self.clock.now + timedelta(**amount)
        while self.clock.now < end:
            self.clock.go_on(seconds=20)
            while self._alerting.decide(self.clock.now) + self._dispatcher.drain(self.clock.now):
                pass


def walk_in(family: Family, handset: Handset) -> None:
    """Let a child come to school."""
    now = utc_now()
    for n in range(6):
        handset.tell(fix(SCHOOL.moved(north_m=400 - 80 * n), now + timedelta(seconds=2 * n)))


def test_after_an_hour_without_the_gateway_every_alert_comes_once(family: Family, sink: Gateway) -> None:
    children = [family.subject("child", name) for name in (*NAMES, "Lena")]
    phones = [family.device(child) for child in children]
    for child in children:
        school = family.circle("School", SCHOOL, 100, child, "school")
        family.rule("arrived", child, school)

    with database_of(family.house) as database, standing(family.house):
        hours = Hours(family.house, database)
        sink.status = 503
        before = len(sink.got)
        for phone in phones[:2]:
            walk_in(family, phone)
        until(lambda: len(family.alerts()) == 2, "two alerts")
        hours.pass_by(minutes=30)
        walk_in(family, phones[2])
        until(lambda: len(family.alerts()) == 3, "a third alert")
        hours.pass_by(minutes=30)

        refused = sink.got[before:]
        tries = Counter(each.headers["idempotency-key"] for each in refused)
        assert len(tries) == 3
        # An hour of waits of 2, 4, 8 ... 300 s: patient, and not given up.
        assert 15 <= max(tries.values()) <= 30
        for alert in family.alerts():
            ((state, detail),) = [(each["state"], each["detail"]) for each in alert["deliveries"]]
            assert (state, detail) == ("waiting", "the SMS gateway answers 503")

        sink.status = 200
        hours.pass_by(minutes=6)
        took = sink.got[before + len(refused) :]
        assert {each.headers["idempotency-key"] for each in took} == set(tries)
        assert sorted(each.message["text"].split()[0] for each in took) == sorted(NAMES)
        hours.pass_by(minutes=30)
        assert len(sink.got) == before + len(refused) + len(took)

    # The service's own `work` finds nothing left to send, but sends what comes.
    walk_in(family, phones[3])
    until(lambda: len(sink.got) > before + len(refused) + len(took), "the alert that came after")
    until(lambda: set(delivered(family)) == {"sent"}, "every delivery to be sent")
    assert len(delivered(family)) == 4
    last = sink.got[before + len(refused) + len(took) :]
    assert [each.message["text"].split()[0] for each in last] == ["Lena"]


def delivered(family: Family) -> list[str]:
    """Return the states of all lines of the ledger."""
    return [each["state"] for alert in family.alerts() for each in alert["deliveries"]]
