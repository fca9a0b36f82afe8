"""Devices that gateways and sources speak of and nobody has adopted yet."""

import hashlib
from typing import Any

from apiflask import APIBlueprint

from tracker.domain.errors import Invalid
from tracker.domain.gateway import Unclaimed
from tracker.web.answers import DeviceOut, UnclaimedList
from tracker.web.api import _show
from tracker.web.api._keyset import cursor, cut, parts_of
from tracker.web.context import here
from tracker.web.models import Adoption, UnclaimedQuery

BLUEPRINT = APIBlueprint("api-unclaimed", __name__, url_prefix="/api/v1/unclaimed", tag="Gateways")


@BLUEPRINT.get("")
@BLUEPRINT.input(UnclaimedQuery, location="query")
@BLUEPRINT.output(UnclaimedList)
def index(query_data: UnclaimedQuery) -> dict[str, Any]:
    """List the unknown devices of one gateway or source, or of all"""
    found = here().access.unclaimed(origin_id=query_data.origin_id)
    start = 0
    if query_data.after is not None:
        behind = tuple(parts_of(query_data.after, 2))
        keys = [_key(each) for each in found]
        if behind not in keys:
            raise Invalid(("after", "is no cursor of this list"))
        start = keys.index(behind) + 1
    page, after = cut(
        found[start : start + query_data.limit + 1],
        query_data.limit,
        lambda each: cursor(*_key(each)),
    )
    return {"items": [_show.unclaimed(each) for each in page], "next": after}


def _key(value: Unclaimed) -> tuple[str, str]:
    """Return what names an unknown device in a cursor: short, and without the cursor's separator."""
    return value.origin_id, hashlib.sha256(value.external_id.encode()).hexdigest()[:32]


@BLUEPRINT.post("/adopt")
@BLUEPRINT.input(Adoption)
@BLUEPRINT.output(DeviceOut, status_code=201)
def adopt(json_data: Adoption) -> dict[str, Any]:
    """Make a device of an unknown one; what was heard of it so far is tried again"""
    context = here()
    device = context.services.gateways.adopt(
        context.session,
        context.viewer,
        origin_id=json_data.origin_id,
        external_id=json_data.external_id,
        subject_id=json_data.subject_id,
        name=json_data.name or "",
        now=context.now,
    )
    return _show.device(device)
