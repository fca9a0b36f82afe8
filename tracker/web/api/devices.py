"""What reports the positions, and its credentials."""

from typing import Any

from apiflask import APIBlueprint
from apiflask.schemas import EmptySchema

from tracker.domain.command import SIGNED_FOR
from tracker.domain.device import DeviceSettings, SpeedUnit
from tracker.web import provisioning
from tracker.web.answers import DeviceCredentials, DeviceList, DeviceOut
from tracker.web.api import _show
from tracker.web.api._keyset import cursor, cut, id_of
from tracker.web.context import here
from tracker.web.dialects import known_codec, known_dialect
from tracker.web.models import DeviceChange, DeviceQuery, NewDevice

BLUEPRINT = APIBlueprint("api-devices", __name__, url_prefix="/api/v1/devices", tag="Devices")


def _settings(speed_unit: str | None, codec: str | None) -> DeviceSettings:
    return DeviceSettings(speed_unit=SpeedUnit(speed_unit) if speed_unit else None, codec=known_codec(codec))


@BLUEPRINT.post("")
@BLUEPRINT.input(NewDevice)
@BLUEPRINT.output(DeviceCredentials, status_code=201)
def add(json_data: NewDevice) -> dict[str, Any]:
    """Add a device to a subject; its credentials are shown only in this answer

    The answer waits up to three seconds until the broker knows them.
    """
    context = here()
    device, mqtt = context.services.family.add_device(
        context.session,
        context.viewer,
        subject_id=json_data.subject_id,
        name=json_data.name,
        dialect=known_dialect(json_data.dialect),
        external_id=json_data.external_id,
        payload_key=json_data.payload_key,
        settings=_settings(json_data.speed_unit, json_data.codec),
        now=context.now,
    )
    provisioning.await_after_commit(context, device.device_id)
    return _show.credentials(device, mqtt, context.services.sealer.public_key(SIGNED_FOR))


@BLUEPRINT.get("")
@BLUEPRINT.input(DeviceQuery, location="query")
@BLUEPRINT.output(DeviceList)
def index(query_data: DeviceQuery) -> dict[str, Any]:
    """List the devices, of one subject or of all"""
    access = here().access
    if query_data.subject_id:
        access.subject(query_data.subject_id)
    found = access.devices(
        subject_id=query_data.subject_id, after=id_of(query_data.after), limit=query_data.limit + 1
    )
    page, after = cut(found, query_data.limit, lambda each: cursor(each.device_id))
    return {"items": [_show.device(each) for each in page], "next": after}


@BLUEPRINT.get("/<id:device_id>")
@BLUEPRINT.output(DeviceOut)
def show(device_id: str) -> dict[str, Any]:
    """Return a device"""
    return _show.device(here().access.device(device_id))


@BLUEPRINT.patch("/<id:device_id>")
@BLUEPRINT.input(DeviceChange)
@BLUEPRINT.output(DeviceOut)
def change(device_id: str, json_data: DeviceChange) -> dict[str, Any]:
    """Change a device's name, subject, external id or how it speaks"""
    context = here()
    present = context.access.device(device_id)
    given = json_data.model_fields_set
    device = context.services.family.change_device(
        context.session,
        context.viewer,
        device_id,
        name=json_data.name or present.name,
        subject_id=json_data.subject_id or present.subject_id,
        external_id=json_data.external_id if "external_id" in given else present.external_id,
        settings=_settings(
            json_data.speed_unit if "speed_unit" in given else present.settings.speed_unit,
            json_data.codec if "codec" in given else present.settings.codec,
        ),
        now=context.now,
    )
    return _show.device(device)


@BLUEPRINT.delete("/<id:device_id>")
@BLUEPRINT.output(EmptySchema, status_code=204)
def remove(device_id: str) -> tuple[str, int]:
    """Remove a device with every position it reported; its credentials end at once"""
    context = here()
    context.services.family.remove_device(context.session, context.viewer, device_id, now=context.now)
    return "", 204


@BLUEPRINT.post("/<id:device_id>/credentials")
@BLUEPRINT.output(DeviceCredentials, status_code=201)
def rotate(device_id: str) -> dict[str, Any]:
    """Give a device a new password; the old one ends as soon as the broker knows it"""
    context = here()
    mqtt = context.services.family.rotate(context.session, context.viewer, device_id, now=context.now)
    provisioning.await_after_commit(context, device_id)
    command_key = context.services.sealer.public_key(SIGNED_FOR)
    return _show.credentials(context.access.device(device_id), mqtt, command_key)
