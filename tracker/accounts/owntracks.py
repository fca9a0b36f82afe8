"""The configuration that sets an OwnTracks app up in one touch (OwnTracks booklet, remote configuration)."""

import base64
import json

from tracker.domain.device import MqttAccess

_MODE_MQTT = 0
_MQTT_3_1_1 = 4
_SIGNIFICANT_MONITORING = 1


def configuration(access: MqttAccess, device_id: str, name: str) -> dict[str, object]:
    """Return the content of an `.otrc` file; it holds the device's password.

    The app shows `tid`, two characters, on its own map: the first two letters or digits of the name.
    """
    letters = "".join(each for each in name if each.isalnum())
    topic = access.topics[0]
    return {
        "_type": "configuration",
        "mode": _MODE_MQTT,
        "host": access.host,
        "port": access.port,
        "tls": access.tls,
        "ws": False,
        "auth": True,
        "username": access.username,
        "password": access.password,
        "clientId": access.client_id,
        "deviceId": device_id,
        "tid": (letters if len(letters) >= 2 else device_id)[:2],
        "pubTopicBase": topic,
        "pubQos": 1,
        "pubRetain": False,
        "subTopic": f"{topic}/cmd",
        "subQos": 1,
        "cleanSession": False,
        "mqttProtocolLevel": _MQTT_3_1_1,
        "keepalive": 300,
        "monitoring": _SIGNIFICANT_MONITORING,
        "cmd": True,
        "remoteConfiguration": False,
        "extendedData": True,
    }


def config_url(access: MqttAccess, device_id: str, name: str) -> str:
    """Return the link that opens the app with its configuration; as a QR code or a button.

    The base64 holds no `+`, `/` or `=`, so that it does not matter whether a reader undoes URL encoding.
    """
    text = json.dumps(configuration(access, device_id, name), separators=(",", ":"))
    for character in "?>~\x7f":
        # Only these, as the third byte of three, give + or / in the base64 of ASCII.
        text = text.replace(character, f"\\u{ord(character):04x}")
    text += " " * (-len(text) % 3)
    return "owntracks:///config?inline=" + base64.b64encode(text.encode("ascii")).decode()
