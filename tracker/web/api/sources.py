"""Brokers of others that the service reads."""

from typing import Any

from apiflask import APIBlueprint
from apiflask.schemas import EmptySchema

from tracker.web.answers import SourceList, SourceOut
from tracker.web.api import _show
from tracker.web.api._keyset import cursor, cut, id_of
from tracker.web.context import here
from tracker.web.models import NewSource, PageQuery, SourceChange

BLUEPRINT = APIBlueprint("api-sources", __name__, url_prefix="/api/v1/sources", tag="Sources")


@BLUEPRINT.post("")
@BLUEPRINT.input(NewSource)
@BLUEPRINT.output(SourceOut, status_code=201)
def add(json_data: NewSource) -> dict[str, Any]:
    """Add a broker to read; its password is sealed and never shown again"""
    context = here()
    source = context.services.gateways.add_source(
        context.session,
        context.viewer,
        name=json_data.name,
        dialect=json_data.dialect,
        url=json_data.url,
        username=json_data.username,
        password=json_data.password,
        topics=json_data.topics,
        now=context.now,
    )
    return _show.source(source)


@BLUEPRINT.get("")
@BLUEPRINT.input(PageQuery, location="query")
@BLUEPRINT.output(SourceList)
def index(query_data: PageQuery) -> dict[str, Any]:
    """List the sources with their states"""
    found = here().access.sources(after=id_of(query_data.after), limit=query_data.limit + 1)
    page, after = cut(found, query_data.limit, lambda each: cursor(each.source_id))
    return {"items": [_show.source(each) for each in page], "next": after}


@BLUEPRINT.get("/<id:source_id>")
@BLUEPRINT.output(SourceOut)
def show(source_id: str) -> dict[str, Any]:
    """Return a source with its state"""
    return _show.source(here().access.source(source_id))


@BLUEPRINT.patch("/<id:source_id>")
@BLUEPRINT.input(SourceChange)
@BLUEPRINT.output(SourceOut)
def change(source_id: str, json_data: SourceChange) -> dict[str, Any]:
    """Change or pause a source; it is connected to anew"""
    context = here()
    source = context.services.gateways.change_source(
        context.session,
        context.viewer,
        source_id,
        name=json_data.name,
        url=json_data.url,
        username=json_data.username,
        password=json_data.password,
        topics=json_data.topics,
        paused=json_data.paused,
        now=context.now,
    )
    return _show.source(source)


@BLUEPRINT.delete("/<id:source_id>")
@BLUEPRINT.output(EmptySchema, status_code=204)
def remove(source_id: str) -> tuple[str, int]:
    """Remove a source; its devices and their positions stay"""
    context = here()
    context.services.gateways.remove_source(context.session, context.viewer, source_id, now=context.now)
    return "", 204
