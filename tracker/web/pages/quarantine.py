"""Refused messages: what was refused, why, what to do, and trying it again."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request, url_for

from tracker.domain.errors import Misconfigured, Reason
from tracker.domain.ids import is_id
from tracker.store import quarantine, refusals
from tracker.store.refusals import Refusal, Tally
from tracker.web.context import RequestContext, here
from tracker.web.pages._forms import go, page
from tracker.web.refused import explained, legible

BLUEPRINT = APIBlueprint("quarantine", __name__, url_prefix="/quarantine", enable_openapi=False)

SHOWN = 50
DONE = frozenset({"asked", "deleted"})


def _names(context: RequestContext) -> dict[str, tuple[str, str]]:
    """Return the name and the page of each device, gateway and source of the account, by id."""
    access = context.access
    return {
        **{each.source_id: (each.name, "/gateways") for each in access.sources()},
        **{each.gateway_id: (each.name, "/gateways") for each in access.gateways()},
        **{each.device_id: (each.name, f"/devices/{each.device_id}") for each in access.devices()},
    }


def _sender(value: Refusal | Tally, names: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    name, link = names.get(value.device_id or "", names.get(value.origin_id or "", ("", "")))
    return {"name": name, "link": link, "external_id": value.external_id}


def _group(value: Tally, names: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    words, cure = explained(value.reason)
    known = {
        "reason": value.reason.value,
        "origin_id": value.origin_id,
        "external_id": value.external_id,
    }
    fields: dict[str, Any] = {name: given for name, given in known.items() if given}
    return {
        "reason": value.reason.value,
        "words": words,
        "cure": cure,
        "sender": _sender(value, names),
        "messages": value.messages,
        "waiting": value.waiting,
        "last_received_at": value.last_received_at,
        "fields": fields,
        "link": url_for("quarantine.index", _anchor="messages", **fields),
    }


def _one(value: Refusal, names: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    words, cure = explained(value.reason)
    return {
        "quarantine_id": value.quarantine_id,
        "words": words,
        "cure": cure,
        "reason": value.reason.value,
        "detail": value.detail,
        "sender": _sender(value, names),
        "topic": value.topic,
        "dialect": value.dialect,
        "size_bytes": value.size_bytes,
        "whole": value.whole,
        "waiting": value.replay_asked_at is not None,
        "replayed_at": value.replayed_at,
        "received_at": value.received_at,
    }


def _conditions(given: Mapping[str, str]) -> dict[str, Any]:
    """Return the conditions of a group as they were sent; what is none of ours was not given."""
    chosen: dict[str, Any] = {}
    if given.get("reason") in set(Reason):
        chosen["reason"] = Reason(given["reason"])
    for name in ("device_id", "origin_id"):
        if is_id(given.get(name, "")):
            chosen[name] = given[name]
    if given.get("external_id"):
        chosen["external_id"] = given["external_id"]
    return chosen


@BLUEPRINT.get("")
def index() -> Response:
    """Show what was refused in the last 14 days, by reason and sender, and the messages of one group."""
    context = here()
    chosen = _conditions(request.args)
    names = _names(context)
    shown = context.access.refusals(**chosen, limit=SHOWN + 1) if chosen else []
    groups = context.access.refusal_tally()
    if "device_id" in chosen:
        groups = [each for each in groups if each.device_id == chosen["device_id"]]
    done = request.args.get("done")
    return page(
        "quarantine.html",
        groups=[_group(each, names) for each in groups],
        messages=[_one(each, names) for each in shown[:SHOWN]],
        more=len(shown) > SHOWN,
        chosen=bool(chosen),
        device=names.get(chosen.get("device_id", "")),
        days=quarantine.KEEP_FOR // timedelta(days=1),
        done=done if done in DONE else None,
        number=request.args.get("number", type=int) or 0,
    )


@BLUEPRINT.post("/replay")
def replay() -> Response:
    """Try every message of a group again."""
    context = here()
    asked = quarantine.ask_replay_of(
        context.session, context.viewer.account_id, **_conditions(request.form), now=context.now
    )
    return go(url_for("quarantine.index", done="asked", number=asked))


@BLUEPRINT.post("/delete")
def remove_all() -> Response:
    """Delete every message of a group."""
    context = here()
    gone = refusals.remove_of(context.session, context.viewer.account_id, **_conditions(request.form))
    return go(url_for("quarantine.index", done="deleted", number=gone))


@BLUEPRINT.get("/<id:quarantine_id>")
def show(quarantine_id: str) -> Response:
    """Show one message; its content only when asked for, since it holds places."""
    context = here()
    value = context.access.refusal(quarantine_id)
    encoding, content, query, unreadable = "text", None, "", False
    if request.args.get("content") == "true":
        try:
            payload, query = context.access.refused_content(context.services.sealer, quarantine_id)
            encoding, content = legible(payload)
        except Misconfigured:
            unreadable = True
    return page(
        "quarantine_message.html",
        message=_one(value, _names(context)),
        content=content,
        query=query,
        encoding=encoding,
        unreadable=unreadable,
    )


@BLUEPRINT.post("/<id:quarantine_id>/replay")
def replay_one(quarantine_id: str) -> Response:
    """Try one message again."""
    context = here()
    context.access.refusal(quarantine_id)
    asked = quarantine.ask_replay_of(
        context.session, context.viewer.account_id, ids=[quarantine_id], now=context.now
    )
    return go(url_for("quarantine.index", done="asked", number=asked))


@BLUEPRINT.post("/<id:quarantine_id>/delete")
def remove(quarantine_id: str) -> Response:
    """Delete one message."""
    context = here()
    refusals.remove(context.session, context.viewer.account_id, quarantine_id)
    return go(url_for("quarantine.index", done="deleted", number=1))
