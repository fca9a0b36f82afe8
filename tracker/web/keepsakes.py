"""What one page must tell the next and no address may hold: sealed, short-lived cookies of one browser."""

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Response, request

from tracker.domain.errors import Misconfigured
from tracker.web.context import RequestContext

PREFIX = "ryadom_"


def put(
    response: Response,
    context: RequestContext,
    name: str,
    data: dict[str, Any],
    *,
    path: str,
    keep: timedelta,
) -> None:
    """Give the browser `data` to bring back to addresses below `path` for as long as `keep`."""
    until = context.now + keep
    plain = json.dumps({"until": until.timestamp(), "data": data}).encode()
    sealed = context.services.sealer.seal(plain, context=f"cookie/{name}")
    response.set_cookie(
        PREFIX + name,
        base64.urlsafe_b64encode(sealed).decode(),
        max_age=int(keep.total_seconds()),
        path=path,
        secure=context.services.settings.secure,
        httponly=True,
        samesite="Lax",
    )


def look(context: RequestContext, name: str) -> dict[str, Any] | None:
    """Return what the browser brought back, or None if there is nothing, or nothing of ours, or it is old."""
    text = request.cookies.get(PREFIX + name)
    if not text:
        return None
    try:
        sealed = base64.b64decode(text, altchars=b"-_", validate=True)
        kept = json.loads(context.services.sealer.open(sealed, context=f"cookie/{name}"))
    except (binascii.Error, ValueError, Misconfigured):
        return None
    if datetime.fromtimestamp(kept["until"], tz=UTC) <= context.now:
        return None
    data: dict[str, Any] = kept["data"]
    return data


def drop(response: Response, context: RequestContext, name: str, *, path: str) -> None:
    """Have the browser forget it."""
    response.delete_cookie(
        PREFIX + name, path=path, secure=context.services.settings.secure, httponly=True, samesite="Lax"
    )
