"""Named tokens for the owner's own programs."""

from typing import Any

from apiflask import APIBlueprint
from apiflask.schemas import EmptySchema

from tracker.domain.errors import Invalid, NotFound
from tracker.web.answers import NewTokenOut, SessionList
from tracker.web.api import _show
from tracker.web.api._keyset import page_of_all
from tracker.web.context import here
from tracker.web.guards import require_may_end
from tracker.web.models import NewToken, PageQuery

BLUEPRINT = APIBlueprint("api-tokens", __name__, url_prefix="/api/v1/tokens", tag="Account")


@BLUEPRINT.post("")
@BLUEPRINT.input(NewToken)
@BLUEPRINT.output(NewTokenOut, status_code=201)
def add(json_data: NewToken) -> dict[str, Any]:
    """Make a token; it is shown only in this answer

    Needs a code given in this session within the last five minutes, else 403 step-up-required.
    """
    context = here()
    if json_data.expires_at is not None and json_data.expires_at <= context.now:
        raise Invalid(("expires_at", "must lie in the future"))
    token, signed = context.services.accounts.add_token(
        context.session,
        context.viewer,
        name=json_data.name,
        expires_at=json_data.expires_at,
        now=context.now,
    )
    return _show.session(signed, context.viewer.session_id) | {"token": token}


@BLUEPRINT.get("")
@BLUEPRINT.input(PageQuery, location="query")
@BLUEPRINT.output(SessionList)
def index(query_data: PageQuery) -> dict[str, Any]:
    """List the tokens, newest first"""
    context = here()
    page, after = page_of_all(
        context.access.tokens(context.now),
        limit=query_data.limit,
        after=query_data.after,
        identity=lambda each: each.session_id,
    )
    return {"items": [_show.session(each, context.viewer.session_id) for each in page], "next": after}


@BLUEPRINT.delete("/<id:token_id>")
@BLUEPRINT.output(EmptySchema, status_code=204)
def end(token_id: str) -> tuple[str, int]:
    """End a token at once

    A named token ends only itself, else 403 step-up-required.
    """
    context = here()
    if token_id not in {each.session_id for each in context.access.tokens(context.now)}:
        raise NotFound("token")
    require_may_end(context.viewer, token_id)
    context.services.accounts.end_session(context.session, context.viewer, token_id, now=context.now)
    return "", 204
