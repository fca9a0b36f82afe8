"""Values of the domain as the templates take them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from tracker.domain.device import Device
from tracker.domain.gateway import Gateway, Unclaimed
from tracker.domain.ids import shard_of
from tracker.domain.position import Freshness, Placed, freshness
from tracker.domain.source import Source
from tracker.domain.subject import Subject
from tracker.settings import Settings
from tracker.web.dialect_titles import state_words, title, titles
from tracker.web.maps import Dot, FencesLayer, MapParts, family_map


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
        "dialect": title(value.dialect),
        "external_id": value.external_id,
        "speed_unit": value.settings.speed_unit.value if value.settings.speed_unit else "",
        "codec": value.settings.codec or "",
        "online": value.online,
        "created_at": value.created_at,
        "provisioned": value.provisioned_at is not None,
    }


def dialects(names: Iterable[str]) -> list[tuple[str, str, str]]:
    """Return (name, title, text) of dialects, in the order in which people are most likely to have them."""
    known = titles()
    order = list(known)
    chosen = sorted(names, key=lambda name: (name not in known, order.index(name) if name in known else 0))
    return [(name, *known.get(name, (name, ""))) for name in chosen]


def gateway(value: Gateway) -> dict[str, Any]:
    """Return a gateway as templates take it."""
    return {
        "gateway_id": value.gateway_id,
        "name": value.name,
        "dialect": title(value.dialect),
        "prefix": f"gateway/{shard_of(value.gateway_id)}/{value.gateway_id}/",
        "created_at": value.created_at,
        "provisioned": value.provisioned_at is not None,
    }


def source(value: Source) -> dict[str, Any]:
    """Return a source as templates take it."""
    words, cure = state_words(value)
    return {
        "source_id": value.source_id,
        "name": value.name,
        "dialect": title(value.dialect),
        "url": value.url,
        "has_credentials": value.has_credentials,
        "paused": value.paused,
        "state": value.state.value,
        "words": words,
        "cure": cure,
        "state_at": value.state_at,
        "messages": value.messages,
        "last_message_at": value.last_message_at,
    }


def unclaimed(value: Unclaimed, names: Mapping[str, str]) -> dict[str, Any]:
    """Return an unknown device as templates take it; `names` are those of gateways and sources by id."""
    return {
        "origin_id": value.origin_id,
        "origin": names.get(value.origin_id, ""),
        "external_id": value.external_id,
        "dialect": title(value.dialect),
        "first_heard_at": value.first_heard_at,
        "last_heard_at": value.last_heard_at,
        "messages": value.messages,
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


def drawn(
    dots: Sequence[Dot],
    *,
    nonce: str,
    locale: str,
    settings: Settings,
    fences: Sequence[dict[str, Any]] = (),
    chases: Sequence[str] = (),
) -> MapParts:
    """Return the map of the dots, on the base map that the deployment chose.

    `fences` are as `places_map.drawn` tells them, `chases` the events whose chase is followed.
    """
    return family_map(
        dots,
        layers=(FencesLayer(fences, chases),) if fences or chases else (),
        nonce=nonce,
        locale=locale,
        tiles=settings.map_tiles,
        attribution=settings.map_attribution,
    )
