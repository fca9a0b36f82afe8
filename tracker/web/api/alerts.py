"""Events that are told: who was told, and that somebody has seen to it."""

from typing import Any

from apiflask import APIBlueprint

from tracker.domain.notification import Alert, AlertState
from tracker.web.answers_alerts import AlertDetail, AlertList, AlertOut
from tracker.web.api import _alerts
from tracker.web.api._keyset import cut, moment_and_id_of, moment_cursor
from tracker.web.context import here
from tracker.web.models_alerts import AlertQuery

BLUEPRINT = APIBlueprint("api-alerts", __name__, url_prefix="/api/v1/alerts", tag="Alerts")


def _shown(alerts: list[Alert]) -> list[dict[str, Any]]:
    context = here()
    events = context.access.alerts.events_of([each.event_id for each in alerts])
    write = _alerts.writer_here(context)
    return [_alerts.alert(each, write(events[each.event_id], each)) for each in alerts]


@BLUEPRINT.get("")
@BLUEPRINT.input(AlertQuery, location="query")
@BLUEPRINT.output(AlertList)
def index(query_data: AlertQuery) -> dict[str, Any]:
    """List the alerts, newest first"""
    found = here().access.alerts.alerts(
        state=AlertState(query_data.state) if query_data.state else None,
        after=moment_and_id_of(query_data.after),
        limit=query_data.limit + 1,
    )
    page, after = cut(found, query_data.limit, lambda each: moment_cursor(each.told_at, each.alert_id))
    return {"items": _shown(list(page)), "next": after}


@BLUEPRINT.get("/<id:alert_id>")
@BLUEPRINT.output(AlertDetail)
def show(alert_id: str) -> dict[str, Any]:
    """Return an alert with whom it was told, over what, and how that went"""
    access = here().access.alerts
    (shown,) = _shown([access.alert(alert_id)])
    return {**shown, "deliveries": [_alerts.delivery(each) for each in access.deliveries(alert_id)]}


@BLUEPRINT.post("/<id:alert_id>/acknowledge")
@BLUEPRINT.output(AlertOut)
def acknowledge(alert_id: str) -> dict[str, Any]:
    """Say that somebody has seen to it: nobody else is told; once more changes nothing"""
    context = here()
    alert = context.services.alerts.acknowledge(context.session, context.viewer, alert_id, now=context.now)
    return _shown([alert])[0]
