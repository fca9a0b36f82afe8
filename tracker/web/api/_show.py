"""Values of the domain as the API shows them."""

from datetime import datetime
from typing import Any

from tracker.accounts.owntracks import config_url
from tracker.domain.account import Account, SignedSession
from tracker.domain.device import Device, MqttAccess
from tracker.domain.position import Freshness, Placed, freshness
from tracker.domain.subject import Subject
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
    }


def credentials(value: Device, mqtt: MqttAccess) -> dict[str, Any]:
    """Return a device with its credentials as DeviceCredentials."""
    shown = device(value) | {
        "mqtt": {
            "host": mqtt.host,
            "port": mqtt.port,
            "tls": mqtt.tls,
            "username": mqtt.username,
            "password": mqtt.password,
            "client_id": mqtt.client_id,
            "topics": list(mqtt.topics),
        }
    }
    if value.dialect == "owntracks":
        shown["config_url"] = config_url(mqtt, value.device_id, value.name)
    return shown
