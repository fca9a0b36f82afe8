"""The family's map."""

from apiflask import APIBlueprint
from flask import Response

from tracker.web import i18n
from tracker.web.context import here
from tracker.web.pages import _show
from tracker.web.pages._forms import page

BLUEPRINT = APIBlueprint("map", __name__, enable_openapi=False)


@BLUEPRINT.get("/map")
def show() -> Response:
    """Show where everybody is."""
    context = here()
    subjects = sorted(context.access.subjects(), key=lambda each: (each.created_at, each.subject_id))
    lasts = {last.subject_id: last for last in context.access.last_positions()}
    dots = [_show.dot(one, lasts[one.subject_id], context.now) for one in subjects if one.subject_id in lasts]
    drawn = _show.drawn(dots, nonce=context.nonce, locale=i18n.locale(), settings=context.services.settings)
    return page(
        "map.html",
        map=drawn,
        subjects=[_show.subject(one, lasts.get(one.subject_id), context.now) for one in subjects],
    )
