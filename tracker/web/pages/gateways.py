"""Gateways, and the devices that they and sources speak of: add, see the credentials once, adopt."""

from dataclasses import asdict
from datetime import timedelta

from apiflask import APIBlueprint
from flask import Response, request, url_for

from tracker.domain.device import MqttAccess
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.ids import is_id
from tracker.domain.subject import NAME_LENGTH, SubjectKind
from tracker.web import keepsakes, provisioning
from tracker.web.context import here
from tracker.web.dialects import gateway_dialects, topics_of
from tracker.web.models import Adoption, GatewayChange, NewGateway
from tracker.web.pages import _show
from tracker.web.pages._forms import checked, go, messages, page, text
from tracker.web.setting_up import blocks

BLUEPRINT = APIBlueprint("gateways", __name__, enable_openapi=False)

KEEPSAKE = "gateway"
KEEP_FOR = timedelta(minutes=5)
NEW = "new:"


def _list(errors: dict[str, str], status: int = 200) -> Response:
    access = here().access
    gateways, sources = access.gateways(), access.sources()
    names = {each.gateway_id: each.name for each in gateways} | {
        each.source_id: each.name for each in sources
    }
    return page(
        "gateways.html",
        status,
        gateways=[_show.gateway(each) for each in gateways],
        sources=[_show.source(each) for each in sources],
        unclaimed=[_show.unclaimed(each, names) for each in access.unclaimed()],
        subjects=[(each.subject_id, each.name) for each in access.subjects()],
        kinds=[(f"{NEW}{kind.value}", kind.value) for kind in SubjectKind],
        adopted=_adopted(),
        errors=errors,
    )


def _adopted() -> dict[str, str] | None:
    """Return the device that was adopted just now, if the address names one of the viewer's."""
    device_id = request.args.get("adopted", "")
    if not is_id(device_id):
        return None
    try:
        device = here().access.device(device_id)
    except NotFound:
        return None
    return {"device_id": device.device_id, "subject_id": device.subject_id, "name": device.name}


@BLUEPRINT.get("/gateways")
def index() -> Response:
    """Show gateways, sources and unknown devices."""
    return _list({})


@BLUEPRINT.post("/unclaimed/adopt")
def adopt() -> Response:
    """Make a device of an unknown one, for a subject that is there or for a new one."""
    context = here()
    name, whose = text("external_id"), text("subject_id")
    services = context.services
    try:
        if whose.startswith(NEW):
            kind = whose.removeprefix(NEW)
            if kind not in {each.value for each in SubjectKind}:
                raise Invalid(("subject_id", "Choose whose device it is."))
            whose = services.family.add_subject(
                context.session,
                context.viewer,
                kind=SubjectKind(kind),
                name=name[:NAME_LENGTH],
                now=context.now,
            ).subject_id
        if not whose:
            raise Invalid(("subject_id", "Choose whose device it is."))
        wanted = checked(Adoption, origin_id=text("origin_id"), external_id=name, subject_id=whose)
        device = services.gateways.adopt(
            context.session,
            context.viewer,
            origin_id=wanted.origin_id,
            external_id=wanted.external_id,
            subject_id=wanted.subject_id,
            now=context.now,
        )
    except Invalid as error:
        return _list({"": next(iter(messages(error).values()))}, 422)
    return go(url_for("gateways.index", adopted=device.device_id))


def _new_page(values: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    dialects = _show.dialects(gateway_dialects())
    return page("gateway_new.html", status, dialects=dialects, values=values, errors=errors)


@BLUEPRINT.get("/gateways/new")
def ask() -> Response:
    """Ask what gateway to add."""
    return _new_page({"dialect": request.args.get("dialect", "")}, {})


@BLUEPRINT.post("/gateways/new")
def add() -> Response:
    """Add a gateway, and go on to its credentials."""
    context = here()
    values = {name: text(name) for name in ("name", "dialect")}
    try:
        new = checked(NewGateway, **values)
        gateway, mqtt = context.services.gateways.add_gateway(
            context.session, context.viewer, name=new.name, dialect=new.dialect, now=context.now
        )
    except Invalid as error:
        return _new_page(values, messages(error), 422)
    return _to_credentials(gateway.gateway_id, mqtt)


def _to_credentials(gateway_id: str, mqtt: MqttAccess) -> Response:
    context = here()
    provisioning.await_gateway_after_commit(context, gateway_id)
    target = url_for("gateways.credentials", gateway_id=gateway_id)
    answer = go(target)
    data = {"gateway_id": gateway_id, "mqtt": asdict(mqtt)}
    keepsakes.put(answer, context, KEEPSAKE, data, path=target, keep=KEEP_FOR)
    return answer


@BLUEPRINT.get("/gateways/<id:gateway_id>/credentials")
def credentials(gateway_id: str) -> Response:
    """Show new credentials, once, with what to write where."""
    context = here()
    gateway = context.access.gateway(gateway_id)
    kept = keepsakes.look(context, KEEPSAKE)
    if kept is None or kept["gateway_id"] != gateway_id:
        return go(url_for("gateways.show", gateway_id=gateway_id))
    mqtt = MqttAccess(**{**kept["mqtt"], "topics": tuple(kept["mqtt"]["topics"])})
    answer = page(
        "gateway_credentials.html",
        gateway=_show.gateway(gateway),
        mqtt=mqtt,
        blocks=blocks(gateway.dialect, mqtt, topics_of(gateway.dialect)),
    )
    keepsakes.drop(answer, context, KEEPSAKE, path=url_for("gateways.credentials", gateway_id=gateway_id))
    return answer


def _page(gateway_id: str, values: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    access = here().access
    gateway = access.gateway(gateway_id)
    heard = access.unclaimed(origin_id=gateway_id)
    return page(
        "gateway.html",
        status,
        gateway=_show.gateway(gateway),
        unknown=len(heard),
        values={"name": gateway.name} | values,
        errors=errors,
    )


@BLUEPRINT.get("/gateways/<id:gateway_id>")
def show(gateway_id: str) -> Response:
    """Show a gateway."""
    return _page(gateway_id, {}, {})


@BLUEPRINT.post("/gateways/<id:gateway_id>")
def change(gateway_id: str) -> Response:
    """Rename a gateway."""
    context = here()
    try:
        changed = checked(GatewayChange, name=text("name"))
        context.services.gateways.rename_gateway(
            context.session, context.viewer, gateway_id, name=changed.name, now=context.now
        )
    except Invalid as error:
        return _page(gateway_id, {"name": text("name")}, messages(error), 422)
    return go(url_for("gateways.show", gateway_id=gateway_id))


@BLUEPRINT.post("/gateways/<id:gateway_id>/credentials")
def rotate(gateway_id: str) -> Response:
    """Make a new password, and go on to it."""
    context = here()
    mqtt = context.services.gateways.rotate_gateway(
        context.session, context.viewer, gateway_id, now=context.now
    )
    return _to_credentials(gateway_id, mqtt)


@BLUEPRINT.post("/gateways/<id:gateway_id>/delete")
def remove(gateway_id: str) -> Response:
    """Remove a gateway; its devices stay."""
    context = here()
    context.services.gateways.remove_gateway(context.session, context.viewer, gateway_id, now=context.now)
    return go(url_for("gateways.index"))
