"""Files of positions that are read into a device's history (docs/import.md)."""

from typing import Any

from apiflask import APIBlueprint
from apiflask.schemas import EmptySchema
from flask import request

from tracker.domain.errors import Invalid
from tracker.history import uploads
from tracker.web import uploading
from tracker.web.answers import ImportList, ImportOut
from tracker.web.api import _show
from tracker.web.api._keyset import cut, moment_and_id_of, moment_cursor
from tracker.web.context import here
from tracker.web.guards import takes_files
from tracker.web.models import ImportQuery, PageQuery

BLUEPRINT = APIBlueprint("api-imports", __name__, url_prefix="/api/v1/imports", tag="Imports")


@BLUEPRINT.post("")
@BLUEPRINT.input(ImportQuery, location="query")
@BLUEPRINT.output(ImportOut, status_code=201)
@takes_files
def add(query_data: ImportQuery) -> dict[str, Any]:
    """Have a file of positions read into a device's history

    The body is the file itself, or a form (`multipart/form-data`) with the field `file`. Its format is told
    from its content. The call returns when the file has arrived; ask for the import to see how far it is.
    """
    name = query_data.name
    if request.mimetype == "multipart/form-data":
        sent = request.files.get("file")
        if sent is None:
            raise Invalid(("file", "this field is required"))
        source, name = sent.stream, name or (sent.filename or "")
    else:
        source = request.stream
    taken = uploading.take(
        here(),
        source,
        device_id=query_data.device_id,
        file_name=file_name(name),
        size_bytes=request.content_length or 0,
    )
    return _show.import_(taken)


def file_name(name: str) -> str:
    """Return the last part of a file's name, without what no line of text holds, at most 200 characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(each for each in last if each.isprintable())[:200]


@BLUEPRINT.get("")
@BLUEPRINT.input(PageQuery, location="query")
@BLUEPRINT.output(ImportList)
def index(query_data: PageQuery) -> dict[str, Any]:
    """List the imports, newest first"""
    found = here().access.imports(after=moment_and_id_of(query_data.after), limit=query_data.limit + 1)
    page, after = cut(found, query_data.limit, lambda each: moment_cursor(each.created_at, each.import_id))
    return {"items": [_show.import_(each) for each in page], "next": after}


@BLUEPRINT.get("/<id:import_id>")
@BLUEPRINT.output(ImportOut)
def show(import_id: str) -> dict[str, Any]:
    """Return an import: how far it is"""
    return _show.import_(here().access.import_(import_id))


@BLUEPRINT.delete("/<id:import_id>")
@BLUEPRINT.output(EmptySchema, status_code=204)
def cancel(import_id: str) -> tuple[str, int]:
    """Stop an import; what was read stays in the history"""
    context = here()
    uploads.cancel(context.session, context.viewer.account_id, import_id, context.now)
    return "", 204
