"""The family's map."""

from datetime import timedelta

from apiflask import APIBlueprint
from flask import Response

from tracker.domain.errors import NotFound
from tracker.store.access import Access
from tracker.web import i18n
from tracker.web.context import RequestContext, here
from tracker.web.pages import _show
from tracker.web.pages._forms import page
from tracker.web.places_map import drawn

BLUEPRINT = APIBlueprint("map", __name__, enable_openapi=False)

CHASED_FOR = timedelta(hours=24)
"""An escape longer ago is not followed on the map any more."""


@BLUEPRINT.get("/map")
def show() -> Response:
    """Show where everybody is."""
    context = here()
    access = context.access
    subjects = sorted(access.subjects(), key=lambda each: (each.created_at, each.subject_id))
    lasts = {last.subject_id: last for last in access.last_positions()}
    dots = [_show.dot(one, lasts[one.subject_id], context.now) for one in subjects if one.subject_id in lasts]
    made = _show.drawn(
        dots,
        nonce=context.nonce,
        locale=i18n.locale(),
        settings=context.services.settings,
        fences=[drawn(each) for each in access.places.geofences()],
        chases=_chases(context, access),
    )
    return page(
        "map.html",
        map=made,
        subjects=[_show.subject(one, lasts.get(one.subject_id), context.now) for one in subjects],
    )


def _chases(context: RequestContext, access: Access) -> list[str]:
    """Return the escapes whose chase is going on."""
    found = []
    for told in access.alerts.events(types=("escaped",), since=context.now - CHASED_FOR, limit=5):
        try:
            chase = access.alerts.chase(told.event.event_id)
        except NotFound:
            continue
        if chase.ended_at is None and context.now < chase.ends_at:
            found.append(told.event.event_id)
    return found
