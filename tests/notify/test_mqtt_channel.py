"""Alerts to devices over a real Mosquitto with the product's own access rules."""

import json
from collections.abc import Iterator
from datetime import timedelta

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.kit.broker import TestBroker
from tests.kit.places import new_folder
from tests.kit.waiting import until
from tests.notify.moments import NOW
from tracker.domain.errors import Refused, Unavailable
from tracker.domain.ids import new_id, shard_of
from tracker.domain.notification import Notification
from tracker.domain.rule import Urgency
from tracker.ingest.provision import NOTIFIER
from tracker.local.ports import free_port
from tracker.notify.channels.mqtt import BrokerLogin, MqttChannel


@pytest.fixture
def broker() -> Iterator[TestBroker]:
    with new_folder("broker-") as folder:
        started = TestBroker(folder, services=(NOTIFIER, "svc-ingest-0"))
        yield started
        started.close()


def login(broker: TestBroker, user: str = NOTIFIER, password: str | None = None) -> BrokerLogin:
    return BrokerLogin(
        host="127.0.0.1",
        port=broker.port,
        tls=False,
        username=user,
        password=password or broker.password(user),
        client_id=f"{user}-test",
    )


@pytest.fixture
def channel(broker: TestBroker) -> Iterator[MqttChannel]:
    made = MqttChannel(login(broker))
    yield made
    made.close()


class Listener:
    """A device that keeps a session of its own and what it heard."""

    def __init__(self, broker: TestBroker, device_id: str, *topics: str) -> None:
        self.heard: list[tuple[str, dict[str, object]]] = []
        self.answers: list[int] = []
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=device_id, protocol=MQTTProtocolVersion.MQTTv5
        )
        self._client.username_pw_set(device_id, broker.password(device_id))
        self._client.on_message = lambda _client, _data, message: self.heard.append(
            (message.topic, json.loads(message.payload))
        )
        self._client.on_subscribe = lambda _client, _data, _mid, codes, _properties: self.answers.extend(
            code.value for code in codes
        )
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 3600
        self._client.connect("127.0.0.1", broker.port, clean_start=False, properties=properties)
        self._client.loop_start()
        until(self._client.is_connected, "the device to sign in")
        self._client.subscribe([(topic, 1) for topic in topics])
        until(lambda: len(self.answers) == len(topics), "the subscriptions")

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def told(device_id: str, subject: str = "Маша") -> Notification:
    args = {"type": "no such type", "subject": subject, "data": {}, "link": "https://ryadom.example/alerts/7"}
    return Notification(
        channel="mqtt",
        kind="event",
        to=device_id,
        locale="ru",
        expires_at=NOW + timedelta(hours=1),
        args=args,
        urgency=Urgency.URGENT,
        alert_id="00000000000000a7",
    )


def places(device_id: str) -> tuple[str, str]:
    below = f"{shard_of(device_id)}/{device_id}"
    return f"tracker/{below}/alert", f"owntracks/{below}/cmd"


def test_a_device_hears_its_own_alerts_and_no_others(broker: TestBroker, channel: MqttChannel) -> None:
    mine, other = new_id(), new_id()
    for each in (mine, other):
        broker.add(each)
    display = Listener(broker, mine, "tracker/+/+/alert")
    stranger = Listener(broker, other, "tracker/#", *places(other))
    channel.send(told(mine), NOW, message_id="00ff")
    channel.send(told(other), NOW, message_id="0100")
    until(lambda: display.heard and stranger.heard, "the alerts")
    ((topic, alert),) = display.heard
    assert topic == places(mine)[0]
    assert str(alert.pop("title")).startswith("Маша")
    assert str(alert.pop("text")).startswith("Маша")
    assert alert == {
        "id": "00000000000000a7",
        "kind": "event",
        "urgency": "urgent",
        "url": "https://ryadom.example/alerts/7",
        "sent_at": "2026-11-21T09:00:00Z",
    }
    # The broker may send him one alert for each of the filters that it fits.
    until(lambda: {topic for topic, _ in stranger.heard} >= set(places(other)), "both forms")
    assert {topic for topic, _ in stranger.heard} == set(places(other))
    display.close()
    stranger.close()


def test_owntracks_gets_a_command_that_it_shows_and_no_html(broker: TestBroker, channel: MqttChannel) -> None:
    device_id = new_id()
    broker.add(device_id)
    phone = Listener(broker, device_id, places(device_id)[1])
    channel.send(told(device_id, "<b>Маша</b>"), NOW, message_id="00ff")
    until(lambda: phone.heard, "the command")
    ((topic, command),) = phone.heard
    assert topic == places(device_id)[1]
    assert (command["_type"], command["action"]) == ("cmd", "action")
    assert "https://ryadom.example/alerts/7" in str(command["content"])
    assert "<" not in str(command["content"])
    phone.close()


def test_a_device_that_sleeps_hears_it_when_it_wakes(broker: TestBroker, channel: MqttChannel) -> None:
    device_id = new_id()
    broker.add(device_id)
    Listener(broker, device_id, places(device_id)[0]).close()
    channel.send(told(device_id), NOW, message_id="00ff")
    awake = Listener(broker, device_id, places(device_id)[0])
    until(lambda: awake.heard, "the alert that waited")
    awake.close()


def test_nobody_who_listens_is_worth_another_try(broker: TestBroker, channel: MqttChannel) -> None:
    device_id = new_id()
    with pytest.raises(Unavailable, match="does not listen"):
        channel.send(told(device_id), NOW, message_id="00ff")
    broker.add(device_id)
    display = Listener(broker, device_id, places(device_id)[0])
    channel.send(told(device_id), NOW, message_id="00ff")
    until(lambda: display.heard, "the alert")
    display.close()


def test_a_broker_that_was_away_is_found_again(broker: TestBroker, channel: MqttChannel) -> None:
    device_id = new_id()
    broker.add(device_id)
    Listener(broker, device_id, places(device_id)[0]).close()
    channel.send(told(device_id), NOW, message_id="1")
    broker.stop()
    with pytest.raises(Unavailable):
        channel.send(told(device_id), NOW, message_id="2")
    broker.start()
    display = Listener(broker, device_id, places(device_id)[0])
    channel.send(told(device_id), NOW, message_id="3")
    until(lambda: display.heard, "the alert")
    display.close()


def test_a_wrong_password_is_our_trouble_and_not_the_messages(broker: TestBroker) -> None:
    channel = MqttChannel(login(broker, password="wrong"))
    with pytest.raises(Unavailable, match="refuses us"):
        channel.send(told(new_id()), NOW, message_id="1")
    channel.close()


def test_only_the_notifier_may_write_alerts_and_it_speaks_for_no_device(broker: TestBroker) -> None:
    device_id = new_id()
    broker.add(device_id)
    display = Listener(broker, device_id, *places(device_id))
    other = MqttChannel(login(broker, "svc-ingest-0"))
    with pytest.raises(Unavailable, match="refuses the message: 135"):
        other.send(told(device_id), NOW, message_id="1")
    heard: list[str] = []
    notifier = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="nosy", protocol=MQTTProtocolVersion.MQTTv5)
    notifier.username_pw_set(NOTIFIER, broker.password(NOTIFIER))
    notifier.on_message = lambda _client, _data, message: heard.append(message.topic)
    reasons: list[int] = []
    notifier.on_publish = lambda _client, _data, _mid, code, _properties: reasons.append(code.value)
    notifier.connect("127.0.0.1", broker.port)
    notifier.loop_start()
    until(notifier.is_connected, "the notifier")
    notifier.subscribe("#", 1)
    notifier.publish(f"tracker/{shard_of(device_id)}/{device_id}/position", b"{}", qos=1)
    until(lambda: reasons, "the broker's answer")
    assert reasons == [135]
    assert display.heard == []
    assert heard == []
    notifier.disconnect()
    notifier.loop_stop()
    other.close()
    display.close()


def test_what_is_no_device_is_refused(channel: MqttChannel) -> None:
    for wrong in ("", "+", "#", "../x", "0123456789abcdef/x"):
        with pytest.raises(Refused):
            channel.send(told(wrong), NOW, message_id="1")


def test_nobody_there_is_worth_another_try() -> None:
    address = BrokerLogin(
        host="127.0.0.1", port=free_port(), tls=False, username="x", password="x", client_id="x"
    )
    with pytest.raises(Unavailable, match="cannot be reached"):
        MqttChannel(address).send(told(new_id()), NOW, message_id="1")
