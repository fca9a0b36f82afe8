"""Bring a history along: hand in a file, see how far it is read."""

from collections.abc import Mapping
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request, url_for
from flask_babel import gettext as _

from tracker import registry
from tracker.domain.errors import Invalid
from tracker.domain.ids import is_id
from tracker.history import uploads
from tracker.store.imports import UNFINISHED, Import
from tracker.web import uploading
from tracker.web.api.imports import file_name
from tracker.web.context import here
from tracker.web.guards import takes_files
from tracker.web.pages._forms import go, messages, page, text

BLUEPRINT = APIBlueprint("imports", __name__, enable_openapi=False)

SHOWN = 20


@BLUEPRINT.get("/imports")
def index() -> Response:
    """Show the form and the newest imports."""
    chosen = request.args.get("device_id", "")
    return _page({"device_id": chosen if is_id(chosen) else ""}, {})


@BLUEPRINT.post("/imports")
@takes_files
def add() -> Response:
    """Take a file by the form alone, as browsers without JavaScript send it."""
    device_id, sent = text("device_id"), request.files.get("file")
    try:
        if not is_id(device_id):
            raise Invalid(("device_id", "this field is required"))
        if sent is None or not sent.filename:
            raise Invalid(("file", "this field is required"))
        uploading.take(
            here(),
            sent.stream,
            device_id=device_id,
            file_name=file_name(sent.filename),
            size_bytes=request.content_length or 0,
        )
    except Invalid as error:
        return _page({"device_id": device_id}, messages(error), 422)
    return go(url_for("imports.index"))


@BLUEPRINT.post("/imports/<id:import_id>/cancel")
def cancel(import_id: str) -> Response:
    """Stop an import; what was read stays."""
    context = here()
    uploads.cancel(context.session, context.viewer.account_id, import_id, context.now)
    return go(url_for("imports.index"))


def _page(values: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    access = here().access
    subjects = {one.subject_id: one.name for one in access.subjects()}
    devices = sorted(access.devices(), key=lambda one: (subjects[one.subject_id], one.name))
    names = {one.device_id: f"{subjects[one.subject_id]} · {one.name}" for one in devices}
    found = access.imports(limit=SHOWN)
    formats = registry.load("tracker.history.imports", "FORMAT")
    return page(
        "imports.html",
        status,
        devices=list(names.items()),
        imports=[_shown(each, names.get(each.device_id, "")) for each in found],
        waiting=any(each.state in UNFINISHED for each in found),
        titles=[each.title for each in formats.values()],
        limit_bytes=here().services.settings.import_bytes,
        words=words(),
        values=values,
        errors=errors,
    )


def _shown(value: Import, device: str) -> dict[str, Any]:
    """Return an import as the template takes it."""
    said = words()
    reasons: Mapping[str, int] = value.detail.get("reasons", {})
    ending = value.detail.get("ending")
    return {
        "import_id": value.import_id,
        "device_id": value.device_id,
        "device": device,
        "file_name": value.file_name,
        "created_at": value.created_at,
        "state": value.state.value,
        "state_text": said["states"][value.state.value],
        "percent": min(100, 100 * value.read_bytes // max(1, value.size_bytes)),
        "unfinished": value.state in UNFINISHED,
        "positions_read": value.positions_read,
        "positions_new": value.positions_new,
        "refused": value.refused,
        "reasons": [(said["reasons"].get(why, why), count) for why, count in sorted(reasons.items())],
        "ending_text": said["endings"].get(ending, ending) if ending else None,
    }


def words() -> dict[str, dict[str, str]]:
    """Return states, reasons and endings in the reader's language."""
    return {
        "states": {
            "queued": _("waits"),
            "reading": _("is being read"),
            "done": _("read"),
            "failed": _("could not be read"),
            "cancelled": _("stopped"),
        },
        "reasons": {
            "no_time": _("without a time"),
            "no_place": _("without a place"),
            "out_of_range": _("a place that is not on Earth"),
            "null_island": _("0° N, 0° E, which devices write when they know no place"),
            "too_old": _("before the year 2000"),
            "in_future": _("in the future"),
            "too_many_weeks": _("more than 21 years in one file"),
            "invalid_fix": _("called invalid by the device itself"),
            "encrypted": _("encrypted"),
            "not_readable": _("damaged"),
        },
        "endings": {
            "cut_short": _("The file ends early. What came before is in the history."),
            "not_well_formed": _(
                "The file is damaged from one place on. What came before is in the history."
            ),
            "unsafe": _("The file holds what no honest file of positions holds. It was not read further."),
            "too_large": _("A part of the file is too large to be real. It was not read further."),
            "unknown_format": _("The archive holds no file that this service reads."),
            "archive": _("The archive is damaged."),
            "encrypted": _("Files in the archive are encrypted. Hand them in without a password."),
            "lost": _("The file is no longer there. Hand it in again."),
            "fault": _("A fault of the service stopped the reading. Tell its operator."),
        },
    }
