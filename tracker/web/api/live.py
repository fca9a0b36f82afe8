"""The stream that moves the dots of the map and tells what happens."""

from apiflask import APIBlueprint
from flask import Response, request

from tracker.domain.errors import NotSignedIn
from tracker.web.context import application, here
from tracker.web.guards import presented_token
from tracker.web.live import resume_moment

BLUEPRINT = APIBlueprint("api-live", __name__, url_prefix="/api/v1/live", tag="Positions")


@BLUEPRINT.get("")
@BLUEPRINT.doc(responses={200: "Server-Sent Events"})
def stream() -> Response:
    """Follow the last positions and what happens by Server-Sent Events

    Each `position` event carries `{"subject_id", "device_id", "feature"}`, the newest state of one subject;
    the first events tell every subject's. `gone` carries `{"subject_id"}` of a subject that was removed,
    `unplaced` of one that has no position any more. `event` carries an item of `GET /events` with `change`:
    `new`, `alert` (told, or seen to), `superseded` or `retracted`. `Last-Event-ID` resumes:
    only what changed since is told. The oldest of more than 8 streams of a session ends.
    """
    live = application().live
    token = presented_token()
    if token is None:
        raise NotSignedIn("sign in first")
    subscription = live.subscribe(here().viewer)
    # A page that opens its own EventSource anew cannot set the header.
    last_id = request.headers.get("Last-Event-ID") or request.args.get("last_event_id")
    events = live.events(subscription, token, resume_moment(last_id))
    response = Response(events, content_type="text/event-stream; charset=utf-8")
    response.headers["X-Accel-Buffering"] = "no"
    # A stream whose first byte was never read runs no `finally` of its own; closing the answer always runs.
    response.call_on_close(lambda: live.unsubscribe(subscription))
    return response
