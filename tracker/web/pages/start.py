"""The start page, the terms, and what makes the site an app."""

from apiflask import APIBlueprint
from flask import Response, request, send_from_directory
from flask_babel import gettext as _

from tracker.accounts.policy import TERMS_VERSION
from tracker.web import i18n
from tracker.web.guards import open_to_all
from tracker.web.pages._forms import page
from tracker.web.regions import CODES, choices

BLUEPRINT = APIBlueprint("start", __name__, enable_openapi=False)


def services() -> list[tuple[str, str, str]]:
    """Return (id, name, text) of the services that the account opens."""
    return [("family", _("Family on the map"), _("Where everybody is, and how old and how sure that is."))]


@BLUEPRINT.get("/")
@open_to_all
def start() -> Response:
    """Let the visitor choose the region and the service."""
    region = request.args.get("region", "")
    return page(
        "start.html",
        regions=choices(i18n.locale()),
        services=services(),
        values={"region": region if region in CODES else ""},
    )


@BLUEPRINT.get("/terms")
@open_to_all
def terms() -> Response:
    """Show the terms of service."""
    return page("terms.html", terms_version=TERMS_VERSION)


@BLUEPRINT.get("/manifest.webmanifest")
@open_to_all
def manifest() -> Response:
    """Serve the manifest at the top, so that its scope is the whole site."""
    answer = send_from_directory(
        f"{BLUEPRINT.root_path}/../static", "manifest.webmanifest", mimetype="application/manifest+json"
    )
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer
