"""The page that the link in a message opens: one alert, for whoever holds the link."""

from typing import Any
from zoneinfo import ZoneInfo

from apiflask import APIBlueprint
from flask import Response, request, url_for

from tracker.domain.access import Viewer
from tracker.domain.account import SessionLevel
from tracker.domain.crossing import Evidence
from tracker.domain.errors import NotFound
from tracker.domain.event import Event
from tracker.store.access import Access
from tracker.web import i18n, telling, zones
from tracker.web.context import here
from tracker.web.guards import open_to_all
from tracker.web.pages import _reasons
from tracker.web.pages._forms import go, page
from tracker.web.why_map import rough_map

BLUEPRINT = APIBlueprint("alert_links", __name__, enable_openapi=False)

ROUGH_DEGREES = 0.005
"""A link shows a place on a grid of about 500 m."""
ROUGH_M = 500.0


@BLUEPRINT.get("/a/<string:token>")
@open_to_all
def by_link(token: str) -> Response:
    """Show one alert to whoever holds its link."""
    context = here()
    try:
        one = context.services.alerts.by_link(context.session, token, now=context.now)
    except NotFound:
        return page("alert_open.html", 404, gone=True)
    access = Access(context.session, _reader(one.alert.account_id))
    event = access.alerts.event(one.alert.event_id).event
    contact = next(
        (each for each in access.alerts.contacts(context.now) if each.contact_id == one.delivery.contact_id),
        None,
    )
    if contact and request.args.get("lang") is None and contact.locale in i18n.LANGUAGES:
        context.locale = contact.locale
    zone = contact.time_zone if contact else zones.zone()[1]
    known = telling.names(access)
    said = telling.sentence(event, known, locale=i18n.locale(), zone=zone, now=context.now)
    said_in = telling.zone_of(event, known, zone)
    return page(
        "alert_open.html",
        gone=False,
        text=said,
        when=event.at,
        when_text=_reasons.moment_text(event.at, ZoneInfo(said_in)),
        clock_of=zones.city(said_in, i18n.locale()) if said_in != zone else "",
        urgency=event.urgency.name.lower(),
        state=one.alert.state.value,
        token=token,
        map=_rough(event),
    )


def _rough(event: Event) -> Any:
    """Return a map of about where it was; None if no position tells it."""
    context = here()
    lines = [line for line in event.explanation.evidence if isinstance(line, Evidence)]
    if not lines:
        return None
    lat, lon = (round(degrees / ROUGH_DEGREES) * ROUGH_DEGREES for degrees in (lines[-1].lat, lines[-1].lon))
    return rough_map(
        lat,
        lon,
        ROUGH_M,
        nonce=context.nonce,
        locale=i18n.locale(),
        settings=context.services.settings,
    )


def _reader(account_id: str) -> Viewer:
    """Return in whose name the one alert of a link is read."""
    return Viewer(account_id=account_id, session_id="0" * 16, level=SessionLevel.TOKEN, proved_at=here().now)


@BLUEPRINT.post("/a/<string:token>")
@open_to_all
def acknowledge_by_link(token: str) -> Response:
    """Note that the contact of a link takes care of it."""
    context = here()
    try:
        context.services.alerts.acknowledge_by_link(context.session, token, now=context.now)
    except NotFound:
        return page("alert_open.html", 404, gone=True)
    return go(url_for("alert_links.by_link", token=token))
