"""MQTT: a message to a device of the family, such as a home's display or a phone with OwnTracks.

`to` is a device's id. It gets the alert as JSON at `tracker/{shard}/{id}/alert`, and as a command that
OwnTracks on iOS shows (`_type: cmd`, `action: action`, OwnTracks booklet, "JSON") at
`owntracks/{shard}/{id}/cmd`; a device hears only what is meant for it and only what it subscribed to.
"""

import json
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tracker.domain.errors import Refused, Unavailable
from tracker.domain.ids import is_id, shard_of
from tracker.domain.notification import Notification
from tracker.notify.compose import Text, compose

WITHIN_S = 5.0
KEEPALIVE_S = 30
_NOBODY_LISTENS = 16  # MQTT 5, 3.4.2.1: no matching subscribers
_FAILURE_FROM = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerLogin:
    """Where the broker listens and as whom to sign in."""

    host: str
    port: int
    tls: bool
    username: str
    password: str
    client_id: str


class MqttChannel:
    """Publishes at QoS 1, not retained, over one connection that is made when it is first needed."""

    name = "mqtt"

    def __init__(self, login: BrokerLogin) -> None:
        self._login = login
        self._lock = threading.Lock()
        self._client: mqtt.Client | None = None
        self._changed = threading.Condition()
        self._reasons: dict[int, int] = {}

    def send(self, notification: Notification, now: datetime, *, message_id: str) -> None:
        """Publish one message; it is sent when the broker has it for at least one of the device's sessions.

        Raises:
            Unavailable: the broker is away or refuses us, or no session of the device would get it.
            Refused: `to` is no device.
        """
        device_id = notification.to
        if not is_id(device_id):
            raise Refused("this is no device")
        text = compose(notification)
        place = f"{shard_of(device_id)}/{device_id}"
        heard = self.publish(
            (f"tracker/{place}/alert", alert_of(notification, text, message_id, now)),
            (f"owntracks/{place}/cmd", owntracks_of(text)),
        )
        if not heard:
            raise Unavailable("the device does not listen")

    def publish(self, *messages: tuple[str, bytes]) -> bool:
        """Publish messages (topic, payload); tell whether the broker has at least one for some session.

        Raises:
            Unavailable: the broker is away or refuses us.
        """
        client = self._connected()
        waiting = [client.publish(topic, payload, qos=1) for topic, payload in messages]
        reasons = [self._reason_of(client, each) for each in waiting]
        return any(each != _NOBODY_LISTENS for each in reasons)

    def close(self) -> None:
        """Sign off."""
        with self._lock:
            self._drop()

    def _connected(self) -> mqtt.Client:
        with self._lock:
            if self._client is not None and self._client.is_connected():
                return self._client
            self._drop()
            client = self._new_client()
            answers: list[Any] = []
            client.on_connect = lambda _client, _data, _flags, code, _properties: self._told(
                lambda: answers.append(code)
            )
            client.on_publish = lambda _client, _data, number, code, _properties: self._told(
                lambda: self._reasons.__setitem__(number, code.value)
            )
            client.on_disconnect = lambda *_: self._told(lambda: None)
            try:
                client.connect(self._login.host, self._login.port, KEEPALIVE_S, clean_start=True)
            except (OSError, ValueError) as error:
                raise Unavailable(f"the broker cannot be reached: {type(error).__name__}") from None
            client.loop_start()
            self._client = client
            with self._changed:
                self._changed.wait_for(lambda: bool(answers), WITHIN_S)
            if not answers or answers[0].is_failure:
                self._drop()
                raise Unavailable(
                    f"the broker refuses us: {answers[0]}" if answers else "the broker does not answer"
                )
            return client

    def _new_client(self) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._login.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.username_pw_set(self._login.username, self._login.password)
        client.connect_timeout = WITHIN_S
        if self._login.tls:
            client.tls_set()
        return client

    def _told(self, note: Any) -> None:
        with self._changed:
            note()
            self._changed.notify_all()

    def _reason_of(self, client: mqtt.Client, published: mqtt.MQTTMessageInfo) -> int:
        """Wait for the broker's answer to a message and return its reason code.

        Raises:
            Unavailable: none came in time, or it is a refusal.
        """
        number = published.mid
        with self._changed:
            self._changed.wait_for(lambda: number in self._reasons or not client.is_connected(), WITHIN_S)
            reason = self._reasons.pop(number, None)
        if reason is None:
            raise Unavailable("the broker does not answer")
        if reason >= _FAILURE_FROM:
            raise Unavailable(f"the broker refuses the message: {reason}")
        return reason

    def _drop(self) -> None:
        if self._client is not None:
            with suppress(OSError, ValueError):
                self._client.disconnect()
            self._client.loop_stop()
            self._client = None
        with self._changed:
            self._reasons.clear()


def alert_of(notification: Notification, text: Text, message_id: str, now: datetime) -> bytes:
    """Return the JSON of `docs/notifications.md` for devices of our own dialect."""
    return _json(
        {
            "id": notification.alert_id or message_id,
            "kind": notification.kind,
            "urgency": notification.urgency.name.lower(),
            "title": text.subject,
            "text": text.body,
            "url": text.link,
            "sent_at": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        }
    )


def owntracks_of(text: Text) -> bytes:
    """Return the command that OwnTracks shows as a notification, with the whole text in a tab of its own."""
    # It renders what looks like HTML; names are anybody's.
    plain = text.plain.replace("<", "‹").replace(">", "›")
    return _json({"_type": "cmd", "action": "action", "notify": text.subject or plain, "content": plain})


def _json(members: dict[str, Any]) -> bytes:
    return json.dumps(members, ensure_ascii=False).encode("utf-8", "replace")


CHANNEL = MqttChannel
