"""Whether the process lives, whether it can serve, and what it counts."""

import socket
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from apiflask import APIBlueprint
from flask import Response, request
from werkzeug.exceptions import Forbidden

from tracker.domain.errors import Unavailable
from tracker.settings import Settings
from tracker.store import migrate, quarantine
from tracker.web import metrics
from tracker.web.answers import Health
from tracker.web.context import application, here
from tracker.web.guards import open_to_all

BLUEPRINT = APIBlueprint("health", __name__, tag="Running it")

BROKER_TIMEOUT_S = 1.0


@BLUEPRINT.get("/healthz")
@open_to_all
@BLUEPRINT.output(Health)
def healthz() -> dict[str, Any]:
    """Tell that this process answers"""
    return {"status": "ok"}


@BLUEPRINT.get("/readyz")
@open_to_all
@BLUEPRINT.output(Health)
def readyz() -> dict[str, Any]:
    """Tell that the database answers at this version's schema and that the broker takes connections"""
    services = here().services
    services.database.ping()
    if not migrate.is_at_head(services.database):
        raise Unavailable("the schema is not of this version")
    _reach(_broker(services.settings))
    return {"status": "ok"}


def _broker(settings: Settings) -> tuple[str, int]:
    if not settings.broker_url:
        return settings.mqtt_address
    url = urlsplit(settings.broker_url)
    return url.hostname or "", url.port or (8883 if url.scheme == "mqtts" else 1883)


def _reach(address: tuple[str, int]) -> None:
    try:
        socket.create_connection(address, timeout=BROKER_TIMEOUT_S).close()
    except OSError as error:
        raise Unavailable("the broker does not answer") from error


@BLUEPRINT.get("/metrics")
@open_to_all
@BLUEPRINT.doc(responses={200: "Prometheus text"})
def show_metrics() -> Response:
    """Return the counters in Prometheus' text format, to callers on this machine only"""
    context = here()
    if not _is_local(context.address, context.services.settings):
        raise Forbidden
    text = application().metrics.text(quarantine.counts(context.session))
    return Response(text, content_type=metrics.CONTENT_TYPE)


def _is_local(address: str, settings: Settings) -> bool:
    """Tell whether the caller is on this machine; what an unknown proxy forwards for is not."""
    forwarded = request.headers.get("X-Forwarded-For") or request.headers.get("Forwarded")
    if forwarded and not settings.trusted_proxies:
        return False
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
