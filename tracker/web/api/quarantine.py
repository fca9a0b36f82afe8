"""Messages of the account's devices and gateways that were refused, and trying them again."""

from typing import Any

from apiflask import APIBlueprint
from apiflask.schemas import EmptySchema

from tracker.store import quarantine, refusals
from tracker.store.refusals import Refusal
from tracker.web.answers import RefusalList, RefusedContent, ReplayAsked
from tracker.web.api._keyset import cut, moment_and_id_of, moment_cursor
from tracker.web.context import here
from tracker.web.geojson import rfc3339
from tracker.web.models import RefusalQuery, ReplayRequest
from tracker.web.refused import legible

BLUEPRINT = APIBlueprint("api-quarantine", __name__, url_prefix="/api/v1/quarantine", tag="Quarantine")


def _refusal(value: Refusal) -> dict[str, Any]:
    return {
        "id": value.quarantine_id,
        "reason": value.reason.value,
        "detail": value.detail,
        "device_id": value.device_id,
        "origin_id": value.origin_id,
        "external_id": value.external_id,
        "dialect": value.dialect,
        "topic": value.topic,
        "size_bytes": value.size_bytes,
        "whole": value.whole,
        "received_at": rfc3339(value.received_at),
        "replay_asked_at": rfc3339(value.replay_asked_at) if value.replay_asked_at else None,
        "replayed_at": rfc3339(value.replayed_at) if value.replayed_at else None,
    }


@BLUEPRINT.get("")
@BLUEPRINT.input(RefusalQuery, location="query")
@BLUEPRINT.output(RefusalList)
def index(query_data: RefusalQuery) -> dict[str, Any]:
    """List the refused messages of the last 14 days, newest first, without their content"""
    found = here().access.refusals(
        reason=query_data.reason,
        device_id=query_data.device_id,
        after=moment_and_id_of(query_data.after),
        limit=query_data.limit + 1,
    )
    page, after = cut(
        found, query_data.limit, lambda each: moment_cursor(each.received_at, each.quarantine_id)
    )
    return {"items": [_refusal(each) for each in page], "next": after}


@BLUEPRINT.get("/<id:quarantine_id>")
@BLUEPRINT.output(RefusedContent)
def show(quarantine_id: str) -> dict[str, Any]:
    """Return a refused message with its content, which is positions and may be secrets"""
    context = here()
    shown = _refusal(context.access.refusal(quarantine_id))
    payload, query = context.access.refused_content(context.services.sealer, quarantine_id)
    encoding, text = legible(payload)
    return shown | {"encoding": encoding, "payload": text, "query": query or None}


@BLUEPRINT.post("/replay")
@BLUEPRINT.input(ReplayRequest)
@BLUEPRINT.output(ReplayAsked, status_code=202)
def replay(json_data: ReplayRequest) -> dict[str, Any]:
    """Have refused messages tried again

    What is taken now leaves this list, the rest stays with its new reason.
    """
    context = here()
    asked = quarantine.ask_replay_of(
        context.session,
        context.viewer.account_id,
        ids=json_data.ids or (),
        reason=json_data.reason,
        device_id=json_data.device_id,
        now=context.now,
    )
    return {"asked": asked}


@BLUEPRINT.delete("/<id:quarantine_id>")
@BLUEPRINT.output(EmptySchema, status_code=204)
def remove(quarantine_id: str) -> tuple[str, int]:
    """Delete a refused message for good"""
    context = here()
    refusals.remove(context.session, context.viewer.account_id, quarantine_id)
    return "", 204
