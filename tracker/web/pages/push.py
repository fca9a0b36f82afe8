"""The service worker, served at the top so that its scope is the whole site."""

from apiflask import APIBlueprint
from flask import Response, send_from_directory

from tracker.web.guards import open_to_all

BLUEPRINT = APIBlueprint("push", __name__, enable_openapi=False)


@BLUEPRINT.get("/sw.js")
@open_to_all
def worker() -> Response:
    """Serve the worker that shows messages."""
    answer = send_from_directory(f"{BLUEPRINT.root_path}/../static", "sw.js", mimetype="text/javascript")
    answer.headers["Service-Worker-Allowed"] = "/"
    answer.headers["Cache-Control"] = "no-cache"
    return answer
