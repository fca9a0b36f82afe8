"""Devices: add, see the credentials once, rename, rotate, remove."""

import base64
import json
import shlex
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import segno
from apiflask import APIBlueprint
from flask import Response, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from tracker.accounts.owntracks import config_url, configuration
from tracker.domain.device import Device, DeviceSettings, MqttAccess, SpeedUnit
from tracker.domain.errors import Invalid
from tracker.web import keepsakes, provisioning
from tracker.web.context import here
from tracker.web.dialects import codec_names, dialect_names, known_codec, known_dialect, topics_of
from tracker.web.models import DeviceChange, NewDevice
from tracker.web.pages import _show
from tracker.web.pages._forms import checked, go, messages, page, text
from tracker.web.setting_up import blocks

BLUEPRINT = APIBlueprint("devices", __name__, enable_openapi=False)

KEEPSAKE = "access"
KEEP_FOR = timedelta(minutes=5)


def _new_page(subject_id: str, values: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    context = here()
    subject = context.access.subject(subject_id)
    return page(
        "device_new.html",
        status,
        subject=_show.subject(subject, None, context.now),
        dialects=_show.dialects(dialect_names()),
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
        blocks=blocks(device.dialect, mqtt, topics_of(device.dialect)),
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
        values=_values(device) | values,
        units=[(each.value, label) for each, label in _units().items()],
        codecs=[(each, each) for each in codec_names()],
        errors=errors,
    )


def _values(device: Device) -> dict[str, str]:
    return {
        "name": device.name,
        "external_id": device.external_id or "",
        "speed_unit": device.settings.speed_unit.value if device.settings.speed_unit else "",
        "codec": device.settings.codec or "",
    }


def _units() -> dict[SpeedUnit, str]:
    return {
        SpeedUnit.MPS: _("metres a second"),
        SpeedUnit.KMH: _("kilometres an hour"),
        SpeedUnit.KNOTS: _("knots"),
        SpeedUnit.MPH: _("miles an hour"),
    }


@BLUEPRINT.get("/devices/<id:device_id>")
def show(device_id: str) -> Response:
    """Show a device with its last position."""
    return _page(device_id, {}, {})


@BLUEPRINT.post("/devices/<id:device_id>")
def change(device_id: str) -> Response:
    """Change a device's name, own number and how it speaks; fields that the form lacks stay."""
    context = here()
    device = context.access.device(device_id)
    values = _values(device) | {name: text(name) for name in _values(device) if name in request.form}
    try:
        if not values["name"]:
            raise Invalid(("name", "this field is required"))
        changed = checked(DeviceChange, **values)
        context.services.family.change_device(
            context.session,
            context.viewer,
            device_id,
            name=changed.name or device.name,
            subject_id=device.subject_id,
            external_id=changed.external_id,
            settings=DeviceSettings(
                speed_unit=SpeedUnit(changed.speed_unit) if changed.speed_unit else None,
                codec=known_codec(changed.codec),
            ),
            now=context.now,
        )
    except Invalid as error:
        return _page(device_id, values, messages(error), 422)
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
