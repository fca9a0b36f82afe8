"""What to write into the configuration of a known program or device, so that it publishes here. Pure.

The names of settings are those of the programs' own documentation and sources: docs/gateways.md.
"""

import shlex
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from xml.sax.saxutils import escape

from tracker.domain.device import MqttAccess

Block = tuple[str, str]
"""The name of a file or program, and the lines for it."""


def blocks(dialect: str, mqtt: MqttAccess, topics: Sequence[str]) -> list[Block]:
    """Return what to write where, the dialect's own program first, then a bridge of one's own Mosquitto.

    `topics` are the filters of what the dialect publishes; without any there is nothing to bridge.
    """
    prefix = mqtt.topics[0].removesuffix("#")
    if not prefix.startswith("gateway/"):
        return []
    own = _OWN.get(dialect)
    found = own(mqtt, prefix) if own else []
    bridged = [each for each in topics if not each.startswith("$")]
    return [*found, *([("mosquitto.conf", _bridge(mqtt, prefix, bridged))] if bridged else [])]


def _bridge(mqtt: MqttAccess, prefix: str, topics: Sequence[str]) -> str:
    lines = ["connection ryadom", f"address {mqtt.host}:{mqtt.port}"]
    if mqtt.tls:
        lines.append("bridge_capath /etc/ssl/certs")
    lines += [
        f"remote_username {mqtt.username}",
        f"remote_password {mqtt.password}",
        f"remote_clientid {mqtt.client_id}",
        "cleansession false",
        "notifications false",
        "try_private false",
        *(f'topic {each} out 1 "" {prefix}' for each in topics),
    ]
    return "\n".join(lines)


def _traccar(mqtt: MqttAccess, prefix: str) -> list[Block]:
    if mqtt.tls:
        return []  # its forwarder speaks no TLS: docs/gateways.md
    url = f"mqtt://{mqtt.username}:{mqtt.password}@{mqtt.host}:{mqtt.port}"
    entries = {"forward.type": "mqtt", "forward.url": url, "forward.topic": f"{prefix}positions"}
    lines = [f"<entry key='{name}'>{escape(value)}</entry>" for name, value in entries.items()]
    return [("traccar.xml", "\n".join(lines))]


def _chirpstack(mqtt: MqttAccess, prefix: str) -> list[Block]:
    server = f"{'ssl' if mqtt.tls else 'tcp'}://{mqtt.host}:{mqtt.port}/"
    topic = f"{prefix}application/{{{{application_id}}}}/device/{{{{dev_eui}}}}/event/{{{{event}}}}"
    lines = [
        "[integration]",
        'enabled=["mqtt"]',
        "",
        "[integration.mqtt]",
        f'server="{server}"',
        f'username="{mqtt.username}"',
        f'password="{mqtt.password}"',
        f'client_id="{mqtt.client_id}"',
        f'event_topic="{topic}"',
        "json=true",
        "qos=1",
    ]
    return [("chirpstack.toml", "\n".join(lines))]


def _meshtastic(mqtt: MqttAccess, prefix: str) -> list[Block]:
    settings = {
        "mqtt.enabled": "true",
        "mqtt.address": f"{mqtt.host}:{mqtt.port}",
        "mqtt.username": mqtt.username,
        "mqtt.password": mqtt.password,
        "mqtt.root": f"{prefix}msh",
        "mqtt.tls_enabled": "true" if mqtt.tls else "false",
        "mqtt.encryption_enabled": "false",
        "mqtt.json_enabled": "true",
    }
    words = ["meshtastic", *(word for name, value in settings.items() for word in ("--set", name, value))]
    return [("meshtastic", f"{shlex.join(words)}\nmeshtastic --ch-index 0 --ch-set uplink_enabled true")]


def _ovms(mqtt: MqttAccess, prefix: str) -> list[Block]:
    settings = {
        "server.v3 server": mqtt.host,
        "server.v3 port": str(mqtt.port),
        "server.v3 tls": "yes" if mqtt.tls else "no",
        "server.v3 user": mqtt.username,
        "password server.v3": mqtt.password,
        "server.v3 topic.prefix": f"{prefix}ovms/me/car/",
        "auto server.v3": "yes",
    }
    lines = [f"config set {name} {value}" for name, value in settings.items()]
    return [("OVMS shell", "\n".join([*lines, "server v3 start"]))]


def _teltonika(mqtt: MqttAccess, prefix: str) -> list[Block]:
    lines = [
        f"Domain: {mqtt.host}",
        f"Port: {mqtt.port}",
        "Protocol: MQTT",
        f"Username: {mqtt.username}",
        f"Password: {mqtt.password}",
        f"Client ID: {mqtt.client_id}",
        f"Device data topic: {prefix}<IMEI>/data",
        f"Device commands topic: {prefix}<IMEI>/commands",
    ]
    return [("Teltonika Configurator", "\n".join(lines))]


_OWN: Mapping[str, Callable[[MqttAccess, str], list[Block]]] = MappingProxyType(
    {
        "traccar_forward": _traccar,
        "chirpstack_v4": _chirpstack,
        "meshtastic": _meshtastic,
        "ovms": _ovms,
        "teltonika": _teltonika,
    }
)
