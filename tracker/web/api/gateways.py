"""Senders of many devices: a Traccar server, a LoRaWAN network, a radio bridge."""

from typing import Any

from apiflask import APIBlueprint
from apiflask.schemas import EmptySchema

from tracker.web import provisioning
from tracker.web.answers import GatewayCredentials, GatewayList, GatewayOut
from tracker.web.api import _show
from tracker.web.api._keyset import cursor, cut, id_of
from tracker.web.context import here
from tracker.web.models import GatewayChange, NewGateway, PageQuery

BLUEPRINT = APIBlueprint("api-gateways", __name__, url_prefix="/api/v1/gateways", tag="Gateways")


@BLUEPRINT.post("")
@BLUEPRINT.input(NewGateway)
@BLUEPRINT.output(GatewayCredentials, status_code=201)
def add(json_data: NewGateway) -> dict[str, Any]:
    """Add a gateway; its credentials are shown only in this answer

    The answer waits up to three seconds until the broker knows them.
    """
    context = here()
    gateway, mqtt = context.services.gateways.add_gateway(
        context.session,
        context.viewer,
        name=json_data.name,
        dialect=json_data.dialect,
        now=context.now,
    )
    provisioning.await_gateway_after_commit(context, gateway.gateway_id)
    return _show.gateway_credentials(gateway, mqtt)


@BLUEPRINT.get("")
@BLUEPRINT.input(PageQuery, location="query")
@BLUEPRINT.output(GatewayList)
def index(query_data: PageQuery) -> dict[str, Any]:
    """List the gateways"""
    found = here().access.gateways(after=id_of(query_data.after), limit=query_data.limit + 1)
    page, after = cut(found, query_data.limit, lambda each: cursor(each.gateway_id))
    return {"items": [_show.gateway(each) for each in page], "next": after}


@BLUEPRINT.get("/<id:gateway_id>")
@BLUEPRINT.output(GatewayOut)
def show(gateway_id: str) -> dict[str, Any]:
    """Return a gateway"""
    return _show.gateway(here().access.gateway(gateway_id))


@BLUEPRINT.patch("/<id:gateway_id>")
@BLUEPRINT.input(GatewayChange)
@BLUEPRINT.output(GatewayOut)
def change(gateway_id: str, json_data: GatewayChange) -> dict[str, Any]:
    """Change a gateway's name"""
    context = here()
    gateway = context.services.gateways.rename_gateway(
        context.session, context.viewer, gateway_id, name=json_data.name, now=context.now
    )
    return _show.gateway(gateway)


@BLUEPRINT.delete("/<id:gateway_id>")
@BLUEPRINT.output(EmptySchema, status_code=204)
def remove(gateway_id: str) -> tuple[str, int]:
    """Remove a gateway; its credentials end at once, its devices and their positions stay"""
    context = here()
    context.services.gateways.remove_gateway(context.session, context.viewer, gateway_id, now=context.now)
    return "", 204


@BLUEPRINT.post("/<id:gateway_id>/credentials")
@BLUEPRINT.output(GatewayCredentials, status_code=201)
def rotate(gateway_id: str) -> dict[str, Any]:
    """Give a gateway a new password; the old one ends as soon as the broker knows it"""
    context = here()
    mqtt = context.services.gateways.rotate_gateway(
        context.session, context.viewer, gateway_id, now=context.now
    )
    provisioning.await_gateway_after_commit(context, gateway_id)
    return _show.gateway_credentials(context.access.gateway(gateway_id), mqtt)
