"""Values of the domain as the API shows them."""

from datetime import datetime
from typing import Any

from tracker.accounts.owntracks import config_url
from tracker.domain.account import Account, SignedSession
from tracker.domain.device import Device, MqttAccess
from tracker.domain.gateway import Gateway, Unclaimed
from tracker.domain.ids import shard_of
from tracker.domain.position import Freshness, Placed, freshness
from tracker.domain.source import Source
from tracker.domain.subject import Subject
from tracker.store.imports import Import
from tracker.web.geojson import feature, rfc3339


def _moment(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def account(value: Account) -> dict[str, Any]:
    """Return an account as AccountOut."""
    return {
        "id": value.account_id,
        "phone": value.phone,
        "locale": value.locale,
        "region": value.region,
        "created_at": rfc3339(value.created_at),
        "has_own_code": value.has_own_code,
        "terms_version": value.terms_version,
        "terms_accepted_at": _moment(value.terms_accepted_at),
    }


def session(value: SignedSession, current_id: str) -> dict[str, Any]:
    """Return a session or token as SessionOut; `current_id` is the asking session's."""
    return {
        "id": value.session_id,
        "kind": value.kind.value,
        "level": value.level.value,
        "name": value.name,
        "created_at": rfc3339(value.created_at),
        "last_seen_at": rfc3339(value.last_seen_at),
        "expires_at": rfc3339(value.expires_at),
        "current": value.session_id == current_id,
    }


def subject(value: Subject, last: Placed | None, now: datetime) -> dict[str, Any]:
    """Return a subject as SubjectOut."""
    fresh = freshness(last.position.recorded_at, now) if last else Freshness.NEVER
    return {
        "id": value.subject_id,
        "kind": value.kind.value,
        "name": value.name,
        "created_at": rfc3339(value.created_at),
        "freshness": fresh.value,
        "last_position": feature(last, now) if last else None,
    }


def import_(value: Import) -> dict[str, Any]:
    """Return an import as ImportOut."""
    return {
        "id": value.import_id,
        "device_id": value.device_id,
        "format": value.format,
        "file_name": value.file_name,
        "state": value.state.value,
        "size_bytes": value.size_bytes,
        "read_bytes": value.read_bytes,
        "positions_read": value.positions_read,
        "positions_new": value.positions_new,
        "refused": value.refused,
        "reasons": value.detail.get("reasons", {}),
        "ending": value.detail.get("ending"),
        "created_at": rfc3339(value.created_at),
        "changed_at": rfc3339(value.changed_at),
    }


def device(value: Device) -> dict[str, Any]:
    """Return a device as DeviceOut."""
    return {
        "id": value.device_id,
        "subject_id": value.subject_id,
        "name": value.name,
        "dialect": value.dialect,
        "external_id": value.external_id,
        "created_at": rfc3339(value.created_at),
        "provisioned_at": _moment(value.provisioned_at),
        "online": value.online,
        "speed_unit": value.settings.speed_unit.value if value.settings.speed_unit else None,
        "codec": value.settings.codec,
    }


def credentials(value: Device, mqtt: MqttAccess, command_key: str) -> dict[str, Any]:
    """Return a device with its credentials as DeviceCredentials."""
    shown = device(value) | {"mqtt": _mqtt(mqtt), "command_key": command_key}
    if value.dialect == "owntracks":
        shown["config_url"] = config_url(mqtt, value.device_id, value.name)
    return shown


def gateway(value: Gateway) -> dict[str, Any]:
    """Return a gateway as GatewayOut."""
    return {
        "id": value.gateway_id,
        "name": value.name,
        "dialect": value.dialect,
        "topic_prefix": f"gateway/{shard_of(value.gateway_id)}/{value.gateway_id}/",
        "created_at": rfc3339(value.created_at),
        "provisioned_at": _moment(value.provisioned_at),
    }


def gateway_credentials(value: Gateway, mqtt: MqttAccess) -> dict[str, Any]:
    """Return a gateway with its credentials as GatewayCredentials."""
    return gateway(value) | {"mqtt": _mqtt(mqtt)}


def source(value: Source) -> dict[str, Any]:
    """Return a source as SourceOut."""
    return {
        "id": value.source_id,
        "name": value.name,
        "dialect": value.dialect,
        "url": value.url,
        "topics": list(value.topics),
        "has_credentials": value.has_credentials,
        "paused": value.paused,
        "state": value.state.value,
        "detail": value.detail.value,
        "state_at": rfc3339(value.state_at),
        "messages": value.messages,
        "last_message_at": _moment(value.last_message_at),
        "created_at": rfc3339(value.created_at),
    }


def unclaimed(value: Unclaimed) -> dict[str, Any]:
    """Return an unknown device as UnclaimedOut."""
    return {
        "origin_id": value.origin_id,
        "external_id": value.external_id,
        "dialect": value.dialect,
        "first_heard_at": rfc3339(value.first_heard_at),
        "last_heard_at": rfc3339(value.last_heard_at),
        "messages": value.messages,
    }


def _mqtt(mqtt: MqttAccess) -> dict[str, Any]:
    return {
        "host": mqtt.host,
        "port": mqtt.port,
        "tls": mqtt.tls,
        "username": mqtt.username,
        "password": mqtt.password,
        "client_id": mqtt.client_id,
        "topics": list(mqtt.topics),
    }
