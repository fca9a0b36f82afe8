"""Who may pass: every route needs a signed-in caller unless marked open; and what leaves is guarded."""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, request, session
from flask_wtf.csrf import CSRFProtect, validate_csrf
from werkzeug.exceptions import UnsupportedMediaType
from wtforms.validators import ValidationError  # type: ignore[import-untyped]

from tracker.domain.access import Viewer
from tracker.domain.account import SessionKind, SessionLevel
from tracker.domain.errors import NotSignedIn, StepUpRequired
from tracker.settings import Settings
from tracker.web.context import RequestContext
from tracker.web.errors import for_programs
from tracker.web.maps import tile_origin
from tracker.web.problems import CsrfFailed

SESSION_COOKIE = "ryadom_session"
DEVICE_COOKIE = "ryadom_device"
DEVICE_SECONDS = 365 * 24 * 3600
SESSION_SECONDS = 30 * 24 * 3600
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
PUBLIC_ENDPOINTS = frozenset({"static", "openapi.spec"})
FRAME_BYTES = 64 * 1024
"""What a form may have around a file."""
LARGE_BYTES = 4 * 1024 * 1024
"""What a call that takes a fence of many corners may have: it is refused by its corners, not its bytes."""
BEARERS = (SessionKind.BEARER, SessionKind.TOKEN)

View = TypeVar("View", bound=Callable[..., Any])


def open_to_all(view: View) -> View:
    """Mark a view as open to callers who have not signed in."""
    view.open_to_all = True  # type: ignore[attr-defined]
    return view


def for_devices(view: View) -> View:
    """Mark a call as one of devices: it tells them by their own credentials and takes any body."""
    view.takes_any_body = True  # type: ignore[attr-defined]
    return open_to_all(view)


def takes_files(view: View) -> View:
    """Mark a view as one that takes a file of any kind, up to the deployment's limit for files."""
    view.takes_files = True  # type: ignore[attr-defined]
    view.takes_any_body = True  # type: ignore[attr-defined]
    return view


def takes_large_json(view: View) -> View:
    """Mark a view as one whose JSON or form may have up to 4 MiB."""
    view.takes_large_json = True  # type: ignore[attr-defined]
    return view


def is_upload(app: Flask) -> bool:
    """Tell whether the request goes to a view that takes files: its body must not be read into memory."""
    endpoint = request.endpoint
    return endpoint is not None and getattr(app.view_functions.get(endpoint), "takes_files", False)


def is_open(app: Flask, endpoint: str) -> bool:
    """Tell whether the route of `endpoint` asks for no signed-in caller."""
    return endpoint in PUBLIC_ENDPOINTS or getattr(app.view_functions[endpoint], "open_to_all", False)


def admit(app: Flask, context: RequestContext) -> None:
    """Let the request pass, its caller known, or refuse it.

    A bearer counts for `/api/` only; whoever sends one is judged by it alone. A cookie counts for pages
    and, with its CSRF token, for the API.

    Raises:
        NotSignedIn: the route needs a caller and there is none, or the bearer is not valid.
        CsrfFailed: an unsafe request by cookie lacks the token of this browser.
        UnsupportedMediaType: a body that is not JSON was sent to the API.
    """
    endpoint = request.endpoint
    if endpoint is None or endpoint in PUBLIC_ENDPOINTS:
        return
    if getattr(app.view_functions[endpoint], "takes_large_json", False):
        request.max_content_length = request.max_form_memory_size = LARGE_BYTES
    is_api = for_programs()
    passes = is_open(app, endpoint)
    if is_api and not getattr(app.view_functions[endpoint], "takes_any_body", False):
        _require_json()
    if is_api and passes:
        return
    by_bearer = is_api and "Authorization" in request.headers
    kinds = BEARERS if by_bearer else (SessionKind.COOKIE,)
    if not _sign_in(context, presented_token(), kinds) and not passes:
        raise NotSignedIn("sign in first")
    if is_upload(app):
        # A file may take minutes: nothing of the database may be held meanwhile.
        request.max_content_length = context.services.settings.import_bytes + FRAME_BYTES
        context.commit()
    if request.method in UNSAFE and not by_bearer:
        _require_csrf()


def require_may_end(viewer: Viewer, session_id: str) -> None:
    """Pass if the caller may end this session or token: its own, or as an owner who signed in by a code.

    Raises:
        StepUpRequired: the caller is a named token, which a thief may hold, and it is another's.
    """
    if viewer.level is SessionLevel.TOKEN and session_id != viewer.session_id:
        raise StepUpRequired("a token ends only itself")


def presented_token() -> str | None:
    """Return the secret that the caller presents: the bearer if he sends one to the API, else the cookie."""
    authorization = request.headers.get("Authorization") if for_programs() else None
    if authorization is None:
        return request.cookies.get(SESSION_COOKIE)
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _require_json() -> None:
    has_body = request.content_length or request.headers.get("Transfer-Encoding")
    if request.method in UNSAFE and has_body and request.mimetype != "application/json":
        raise UnsupportedMediaType


def _sign_in(context: RequestContext, token: str | None, kinds: tuple[SessionKind, ...]) -> bool:
    if not token or len(token) > 200:
        return False
    found = context.services.accounts.authenticate(context.session, token, context.now)
    if found is None or found[0].kind not in kinds:
        return False
    context.sign_in(*found)
    return True


def _require_csrf() -> None:
    token = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token")
    try:
        validate_csrf(token)
    except ValidationError as error:
        raise CsrfFailed(str(error)) from error


def install_csrf(app: Flask) -> None:
    """Give templates `csrf_token()`; the check itself is in `admit`, which knows the kind of caller."""
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    # The token dies with the browser's session; a time limit would only break maps left open.
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    CSRFProtect(app)


def set_session_cookie(response: Response, token: str, settings: Settings) -> None:
    """Give the browser its new session; what an earlier visitor left in it is forgotten."""
    session.clear()
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=SESSION_SECONDS,
        secure=settings.secure,
        httponly=True,
        samesite="Lax",
    )


def set_device_cookie(response: Response, token: str, settings: Settings) -> None:
    """Mark the browser as one that has signed in: it opens nothing, but keeps its own budget of codes."""
    response.set_cookie(
        DEVICE_COOKIE,
        token,
        max_age=DEVICE_SECONDS,
        path="/login",
        secure=settings.secure,
        httponly=True,
        samesite="Lax",
    )


def drop_session_cookie(response: Response, settings: Settings) -> None:
    """Take the session from the browser."""
    session.clear()
    response.delete_cookie(SESSION_COOKIE, secure=settings.secure, httponly=True, samesite="Lax")


def safe_next(target: str | None) -> str | None:
    """Return `target` if it is a path of this service, so that no link of ours leads elsewhere."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or "\\" in target or any(ord(each) < 0x20 for each in target):
        return None
    return target


def content_security_policy(nonce: str, settings: Settings) -> str:
    """Return the policy of a page: nothing from other hosts, scripts by file or by this answer's nonce."""
    tiles = tile_origin(settings.map_tiles)
    more = f" {tiles}" if tiles else ""
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'nonce-{nonce}'",
            "style-src 'self' 'unsafe-inline'",
            f"img-src 'self' data:{more}",
            f"connect-src 'self'{more}",
            "object-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        )
    )


def guard_answer(context: RequestContext, response: Response) -> Response:
    """Set the headers that every answer carries."""
    headers = response.headers
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["X-Frame-Options"] = "DENY"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "geolocation=(self), camera=(), microphone=(), payment=()"
    headers["Content-Security-Policy"] = content_security_policy(context.nonce, context.services.settings)
    if context.services.settings.secure:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    if request.endpoint not in PUBLIC_ENDPOINTS:
        headers.setdefault("Cache-Control", "no-store")
        headers.add("Vary", "Cookie, Accept-Language")
    return response
