"""Devices: add, see the credentials once, rename, rotate, remove."""

import base64
import json
import shlex
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import segno
from apiflask import APIBlueprint
from flask import Response, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from tracker.accounts.owntracks import config_url, configuration
from tracker.domain.device import Device, MqttAccess
from tracker.domain.errors import Invalid
from tracker.web import keepsakes, provisioning
from tracker.web.context import here
from tracker.web.dialects import dialect_names, known_dialect
from tracker.web.models import DeviceChange, NewDevice
from tracker.web.pages import _show
from tracker.web.pages._forms import checked, go, messages, page, text

BLUEPRINT = APIBlueprint("devices", __name__, enable_openapi=False)

KEEPSAKE = "access"
KEEP_FOR = timedelta(minutes=5)


def dialects() -> list[tuple[str, str, str]]:
    """Return (name, title, text) of each dialect, phones first."""
    known = {
        "owntracks": (_("Phone with OwnTracks"), _("A free app for Android and iPhone; set up by a link.")),
        "native": (_("Tracker with MQTT"), _("Your own device: publishes JSON or CBOR.")),
    }
    names = sorted(dialect_names(), key=lambda name: (name not in known, name != "owntracks", name))
    return [(name, *known.get(name, (name, ""))) for name in names]


def _new_page(subject_id: str, values: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    context = here()
    subject = context.access.subject(subject_id)
    return page(
        "device_new.html",
        status,
        subject=_show.subject(subject, None, context.now),
        dialects=dialects(),
        values=values,
        errors=errors,
    )


@BLUEPRINT.get("/subjects/<id:subject_id>/devices/new")
def ask(subject_id: str) -> Response:
    """Ask what device to add."""
    return _new_page(subject_id, {}, {})


@BLUEPRINT.post("/subjects/<id:subject_id>/devices/new")
def add(subject_id: str) -> Response:
    """Add a device, and go on to its credentials."""
    context = here()
    values = {name: text(name) for name in ("name", "dialect", "external_id")}
    try:
        new = checked(NewDevice, subject_id=subject_id, **values)
        device, mqtt = context.services.family.add_device(
            context.session,
            context.viewer,
            subject_id=subject_id,
            name=new.name,
            dialect=known_dialect(new.dialect),
            external_id=new.external_id,
            payload_key=None,
            now=context.now,
        )
    except Invalid as error:
        return _new_page(subject_id, values, messages(error), 422)
    return _to_credentials(device.device_id, mqtt)


def _to_credentials(device_id: str, mqtt: MqttAccess) -> Response:
    context = here()
    provisioning.await_after_commit(context, device_id)
    target = url_for("devices.credentials", device_id=device_id)
    answer = go(target)
    data = {"device_id": device_id, "mqtt": asdict(mqtt)}
    keepsakes.put(answer, context, KEEPSAKE, data, path=target, keep=KEEP_FOR)
    return answer


@BLUEPRINT.get("/devices/<id:device_id>/credentials")
def credentials(device_id: str) -> Response:
    """Show new credentials, once."""
    context = here()
    device = context.access.device(device_id)
    kept = keepsakes.look(context, KEEPSAKE)
    if kept is None or kept["device_id"] != device_id:
        return go(url_for("devices.show", device_id=device_id))
    mqtt = MqttAccess(**{**kept["mqtt"], "topics": tuple(kept["mqtt"]["topics"])})
    subject = context.access.subject(device.subject_id)
    answer = page(
        "device_credentials.html",
        subject=_show.subject(subject, None, context.now),
        device=_show.device(device),
        mqtt=mqtt,
        publish_line=publish_line(device, mqtt),
        **_owntracks(device, mqtt),
    )
    keepsakes.drop(answer, context, KEEPSAKE, path=url_for("devices.credentials", device_id=device_id))
    return answer


def _owntracks(device: Device, mqtt: MqttAccess) -> dict[str, Any]:
    if device.dialect != "owntracks":
        return {"config_url": None, "qr_svg": None, "otrc_base64": None}
    url = config_url(mqtt, device.device_id, device.name)
    square = segno.make(url, error="m").svg_inline(omitsize=True, border=4, dark="#000", light="#fff")
    settings = json.dumps(configuration(mqtt, device.device_id, device.name), ensure_ascii=False)
    return {
        "config_url": url,
        "qr_svg": Markup(square),  # noqa: S704 - drawn by segno from text it encodes, not from markup
        "otrc_base64": base64.b64encode(settings.encode()).decode(),
    }


def publish_line(device: Device, mqtt: MqttAccess) -> str:
    """Return a shell command that publishes one position of now in the middle of Helsinki; "" for none."""
    bodies = {
        "native": ('{"time":', ',"lat":60.1708,"lon":24.9415,"accuracy_m":12}'),
        "owntracks": ('{"_type":"location","tst":', ',"lat":60.1708,"lon":24.9415,"acc":12}'),
    }
    if device.dialect not in bodies:
        return ""
    before, after = bodies[device.dialect]
    words = ["mosquitto_pub", "-h", mqtt.host, "-p", str(mqtt.port)]
    if mqtt.tls:
        words += ["--capath", "/etc/ssl/certs"]
    words += ["-u", mqtt.username, "-P", mqtt.password, "-i", mqtt.client_id]
    words += ["-q", "1", "-t", mqtt.topics[0], "-m"]
    return f"{shlex.join(words)} '{before}'$(date +%s)'{after}'"


def _page(device_id: str, values: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    context = here()
    device = context.access.device(device_id)
    subject = context.access.subject(device.subject_id)
    last = context.access.last_of_device(device_id)
    return page(
        "device.html",
        status,
        subject=_show.subject(subject, None, context.now),
        device=_show.device(device),
        position=_show.position(last),
        freshness=_show.fresh(last, context.now),
        values={"name": device.name} | values,
        errors=errors,
    )


@BLUEPRINT.get("/devices/<id:device_id>")
def show(device_id: str) -> Response:
    """Show a device with its last position."""
    return _page(device_id, {}, {})


@BLUEPRINT.post("/devices/<id:device_id>")
def change(device_id: str) -> Response:
    """Rename a device."""
    context = here()
    device = context.access.device(device_id)
    try:
        if not text("name"):
            raise Invalid(("name", "this field is required"))
        changed = checked(DeviceChange, name=text("name"))
        context.services.family.change_device(
            context.session,
            context.viewer,
            device_id,
            name=changed.name or device.name,
            subject_id=device.subject_id,
            external_id=device.external_id,
            now=context.now,
        )
    except Invalid as error:
        return _page(device_id, {"name": text("name")}, messages(error), 422)
    return go(url_for("devices.show", device_id=device_id))


@BLUEPRINT.post("/devices/<id:device_id>/credentials")
def rotate(device_id: str) -> Response:
    """Make a new password, and go on to it."""
    context = here()
    mqtt = context.services.family.rotate(context.session, context.viewer, device_id, now=context.now)
    return _to_credentials(device_id, mqtt)


@BLUEPRINT.post("/devices/<id:device_id>/delete")
def remove(device_id: str) -> Response:
    """Remove a device with every position it reported."""
    context = here()
    subject_id = context.access.device(device_id).subject_id
    context.services.family.remove_device(context.session, context.viewer, device_id, now=context.now)
    return go(url_for("subjects.show", subject_id=subject_id))
