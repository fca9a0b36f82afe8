"""Where handsets that speak HTTP hand in their messages, by their device's id and password.

An answer below 300 says that the message is committed, or refused for good and kept in quarantine: either way
sending it again helps nobody. Everything else leaves it with the sender.
"""

from apiflask import APIBlueprint
from flask import Response, request

from tracker.accounts.senders import Unknown
from tracker.domain.errors import NotSignedIn, Unavailable
from tracker.ingest.origin import Origin, OriginKind
from tracker.store.senders import Sender
from tracker.web.context import application, here
from tracker.web.guards import for_devices
from tracker.web.problems import BY_ERROR, Problem

BLUEPRINT = APIBlueprint("api-ingest", __name__, url_prefix="/api/v1/ingest", tag="Ingest")

BODY_LIMIT_BYTES = 1024 * 1024
QUERY_LENGTH = 4096
CHALLENGE = 'Basic realm="devices", charset="UTF-8"'
HEADERS = ("content-type", "x-limit-u", "x-limit-d")
"""The headers that dialects read; nothing else of a request is passed on, credentials least of all."""


@BLUEPRINT.post("/owntracks")
@for_devices
@BLUEPRINT.doc(security="device", responses=[200])
def owntracks() -> Response:
    """Take a message of OwnTracks in HTTP mode

    One JSON object or an array. The answer is an empty JSON array.
    """
    return _taken("owntracks", "[]", "application/json")


@BLUEPRINT.get("/osmand")
@for_devices
@BLUEPRINT.doc(security="device", responses=[200])
def osmand_query() -> Response:
    """Take a position of OsmAnd or of what speaks like it, written in the query"""
    return _taken("osmand", "", "text/plain")


@BLUEPRINT.post("/osmand")
@for_devices
@BLUEPRINT.doc(security="device", responses=[200])
def osmand() -> Response:
    """Take a position of OsmAnd (query or form) or of Traccar Client (JSON)"""
    return _taken(_spoken(), "", "text/plain")


@BLUEPRINT.get("/osmand/<id:device_id>/<secret:password>")
@for_devices
@BLUEPRINT.doc(responses=[200])
def osmand_query_by_path(device_id: str, password: str) -> Response:
    """Take a position from an app that cannot send a user name: its credentials are in the path"""
    return _taken("osmand", "", "text/plain", (device_id, password))


@BLUEPRINT.post("/osmand/<id:device_id>/<secret:password>")
@for_devices
@BLUEPRINT.doc(responses=[200])
def osmand_by_path(device_id: str, password: str) -> Response:
    """Take a position from an app that cannot send a user name: its credentials are in the path"""
    return _taken(_spoken(), "", "text/plain", (device_id, password))


@BLUEPRINT.post("/overland")
@for_devices
@BLUEPRINT.doc(security="device", responses=[200])
def overland() -> Response:
    """Take a batch of Overland, or any GeoJSON of points"""
    return _taken("geojson", '{"result":"ok"}', "application/json")


@BLUEPRINT.post("/overland/<id:device_id>/<secret:password>")
@for_devices
@BLUEPRINT.doc(responses=[200])
def overland_by_path(device_id: str, password: str) -> Response:
    """Take a batch of Overland, which has an address and no user name: its credentials are in the path"""
    return _taken("geojson", '{"result":"ok"}', "application/json", (device_id, password))


def _spoken() -> str:
    """Return who speaks: Traccar Client sends JSON, whatever it calls it; OsmAnd a query or a form."""
    return "traccar_client" if _body().lstrip().startswith((b"{", b"[")) else "osmand"


def _taken(dialect: str, answer: str, media: str, credentials: tuple[str, str] | None = None) -> Response:
    context, app = here(), application()
    sender = _sender(credentials)
    if isinstance(sender, Unknown):
        # Answered, not raised: the counted try is committed.
        return Problem(kind=BY_ERROR[NotSignedIn], headers={"WWW-Authenticate": CHALLENGE}).response()
    (app.gateway_buckets if sender.is_gateway else app.device_buckets).take(sender.sender_id, context.now)
    payload = _body()
    if app.intake is None:
        raise Unavailable("this process takes no messages")
    # The intake has a transaction of its own; holding this one meanwhile could starve it of connections.
    context.commit()
    app.intake.take(
        Origin(
            kind=OriginKind.GATEWAY if sender.is_gateway else OriginKind.DEVICE,
            account_id=sender.account_id,
            origin_id=sender.sender_id,
            dialect=dialect,
        ),
        topic="",
        payload=payload,
        query=request.query_string.decode("utf-8", "replace")[:QUERY_LENGTH],
        headers={name: request.headers[name][:200] for name in HEADERS if name in request.headers},
        received_at=context.now,
    )
    return Response(answer, 200, content_type=media)


def _sender(credentials: tuple[str, str] | None) -> Sender | Unknown:
    context = here()
    if credentials is None:
        basic = request.authorization
        if basic is None or basic.type != "basic":
            return Unknown()
        credentials = basic.username or "", basic.password or ""
    return application().senders.known(
        context.session, *credentials, address=context.address, now=context.now
    )


def _body() -> bytes:
    """Return the body; of one beyond 1 MiB its beginning, which the dialect refuses for good as too large."""
    request.max_content_length = 1 << 40  # read here, and no further than the limit
    if "ingest_body" not in request.environ:
        read = b""
        # Only a call after the last byte tells a body's end from a caller who went away.
        while len(read) <= BODY_LIMIT_BYTES and (
            more := request.stream.read(BODY_LIMIT_BYTES + 1 - len(read))
        ):
            read += more
        request.environ["ingest_body"] = read
    body: bytes = request.environ["ingest_body"]
    return body
