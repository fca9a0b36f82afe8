"""A live chase after an escape."""

from typing import Any

from apiflask import APIBlueprint

from tracker.web import search_disc
from tracker.web.answers_alerts import ChaseOut
from tracker.web.context import here

BLUEPRINT = APIBlueprint("api-chases", __name__, url_prefix="/api/v1/chases", tag="Alerts")


@BLUEPRINT.get("/<id:event_id>")
@BLUEPRINT.output(ChaseOut)
def show(event_id: str) -> dict[str, Any]:
    """Return the chase that an escape began, with the disc to search in

    Its radius is the accuracy of the last position plus how far the animal can have run since.
    """
    context = here()
    chase = context.access.alerts.chase(event_id)
    return search_disc.chase(chase, context.access.last_of_device(chase.device_id), context.now)
