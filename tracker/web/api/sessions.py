"""The ways into the account that are open now."""

from typing import Any

from apiflask import APIBlueprint
from apiflask.schemas import EmptySchema
from flask import Response, make_response

from tracker.domain.account import SessionKind
from tracker.domain.errors import NotFound
from tracker.web.answers import SessionList
from tracker.web.api import _show
from tracker.web.api._keyset import page_of_all
from tracker.web.context import here
from tracker.web.guards import drop_session_cookie, require_may_end
from tracker.web.models import PageQuery

BLUEPRINT = APIBlueprint("api-sessions", __name__, url_prefix="/api/v1", tag="Account")


@BLUEPRINT.get("/sessions")
@BLUEPRINT.input(PageQuery, location="query")
@BLUEPRINT.output(SessionList)
def index(query_data: PageQuery) -> dict[str, Any]:
    """List the browsers and programs that are signed in, newest first"""
    context = here()
    page, after = page_of_all(
        context.access.sessions(context.now),
        limit=query_data.limit,
        after=query_data.after,
        identity=lambda each: each.session_id,
    )
    return {"items": [_show.session(each, context.viewer.session_id) for each in page], "next": after}


@BLUEPRINT.delete("/sessions/<id:session_id>")
@BLUEPRINT.output(EmptySchema, status_code=204)
def end(session_id: str) -> tuple[str, int]:
    """End a session at once

    A named token ends none: 403 step-up-required.
    """
    context = here()
    if session_id not in {each.session_id for each in context.access.sessions(context.now)}:
        raise NotFound("session")
    require_may_end(context.viewer, session_id)
    context.services.accounts.end_session(context.session, context.viewer, session_id, now=context.now)
    return "", 204


@BLUEPRINT.delete("/session")
@BLUEPRINT.output(EmptySchema, status_code=204)
def sign_out() -> Response:
    """End the session, or the token, that this call is made with"""
    context = here()
    context.services.accounts.end_session(
        context.session, context.viewer, context.viewer.session_id, now=context.now
    )
    response = make_response("", 204)
    if context.signed and context.signed.kind is SessionKind.COOKIE:
        drop_session_cookie(response, context.services.settings)
    return response
