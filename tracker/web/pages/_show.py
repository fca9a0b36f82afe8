"""Values of the domain as the templates take them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tracker.domain.device import Device
from tracker.domain.position import Freshness, Placed, freshness
from tracker.domain.subject import Subject
from tracker.settings import Settings
from tracker.web.maps import Dot, MapParts, family_map


def position(last: Placed | None) -> dict[str, Any] | None:
    """Return a last position as templates take it."""
    if last is None:
        return None
    fix = last.position
    return {
        "lat": fix.at.lat,
        "lon": fix.at.lon,
        "recorded_at": fix.recorded_at,
        "accuracy_m": fix.accuracy_m,
        "speed_mps": fix.speed_mps,
        "battery_pct": fix.battery_pct,
        "charging": fix.charging,
    }


def fresh(last: Placed | None, now: datetime) -> str:
    """Return the freshness of a last position, "never" without one."""
    return (freshness(last.position.recorded_at, now) if last else Freshness.NEVER).value


def subject(value: Subject, last: Placed | None, now: datetime) -> dict[str, Any]:
    """Return a subject as templates take it."""
    return {
        "subject_id": value.subject_id,
        "kind": value.kind.value,
        "name": value.name,
        "freshness": fresh(last, now),
        "position": position(last),
    }


def device(value: Device) -> dict[str, Any]:
    """Return a device as templates take it."""
    return {
        "device_id": value.device_id,
        "name": value.name,
        "dialect": value.dialect,
        "external_id": value.external_id,
        "online": value.online,
        "created_at": value.created_at,
        "provisioned": value.provisioned_at is not None,
    }


def dot(value: Subject, last: Placed, now: datetime) -> Dot:
    """Return what the map draws of a subject."""
    fix = last.position
    return Dot(
        subject_id=value.subject_id,
        kind=value.kind,
        name=value.name,
        lat=fix.at.lat,
        lon=fix.at.lon,
        accuracy_m=fix.accuracy_m,
        recorded_at=fix.recorded_at,
        freshness=freshness(fix.recorded_at, now),
        speed_mps=fix.speed_mps,
        course_deg=fix.course_deg,
        battery_pct=fix.battery_pct,
    )


def drawn(dots: Sequence[Dot], *, nonce: str, locale: str, settings: Settings) -> MapParts:
    """Return the map of the dots, on the base map that the deployment chose."""
    return family_map(
        dots,
        nonce=nonce,
        locale=locale,
        tiles=settings.map_tiles,
        attribution=settings.map_attribution,
    )
