"""The catalogue of problems (RFC 9457): what each is called, its status, and what the caller can do."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Response, request
from flask_babel import lazy_gettext

from tracker.domain.errors import (
    Invalid,
    Malformed,
    NotFound,
    NotSignedIn,
    StepUpRequired,
    TooMany,
    Unavailable,
)


class CsrfFailed(Exception):
    """An unsafe call by cookie did not prove that the page of this service made it."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One type of problem; `title` says it in a few words, `detail` what the caller can do."""

    slug: str
    status: int
    title: Any
    detail: Any


INVALID = Kind(
    slug="invalid",
    status=422,
    title=lazy_gettext("Some fields are wrong"),
    detail=lazy_gettext("Correct the named fields and send it again."),
)
NOT_FOUND = Kind(
    slug="not-found",
    status=404,
    title=lazy_gettext("Not found"),
    detail=lazy_gettext("There is no such thing, or it is not yours to see."),
)
WRONG_CODE = Kind(
    slug="wrong-code",
    status=401,
    title=lazy_gettext("The code is wrong"),
    detail=lazy_gettext("Check the code and enter it again."),
)
BLOCKED = Kind(
    slug="blocked",
    status=423,
    title=lazy_gettext("Signing in is blocked"),
    detail=lazy_gettext("After three wrong entries only a new code opens the account: ask for one."),
)
SERVER_ERROR = Kind(
    slug="server-error",
    status=500,
    title=lazy_gettext("Something broke on our side"),
    detail=lazy_gettext("It is our fault and has been noted. Try again in a minute."),
)

BY_ERROR: dict[type[Exception], Kind] = {
    Invalid: INVALID,
    Malformed: INVALID,
    NotFound: NOT_FOUND,
    NotSignedIn: Kind(
        slug="not-signed-in",
        status=401,
        title=lazy_gettext("Not signed in"),
        detail=lazy_gettext("Sign in and try again."),
    ),
    StepUpRequired: Kind(
        slug="step-up-required",
        status=403,
        title=lazy_gettext("Your code is needed again"),
        detail=lazy_gettext("This act needs a code given within the last five minutes."),
    ),
    CsrfFailed: Kind(
        slug="csrf",
        status=403,
        title=lazy_gettext("The form has expired"),
        detail=lazy_gettext("Open the page again and repeat what you did."),
    ),
    TooMany: Kind(
        slug="too-many",
        status=429,
        title=lazy_gettext("Too many attempts"),
        detail=lazy_gettext("Wait a little and try again."),
    ),
    Unavailable: Kind(
        slug="unavailable",
        status=503,
        title=lazy_gettext("The service is resting"),
        detail=lazy_gettext("A part of it does not answer now. Try again in a few seconds."),
    ),
}

BY_STATUS: dict[int, Kind] = {
    400: Kind(
        slug="bad-request",
        status=400,
        title=lazy_gettext("The request cannot be read"),
        detail=lazy_gettext("Send one JSON object in UTF-8."),
    ),
    403: Kind(
        slug="forbidden",
        status=403,
        title=lazy_gettext("Not allowed"),
        detail=lazy_gettext("This is not open from where you call."),
    ),
    404: NOT_FOUND,
    409: Kind(
        slug="conflict",
        status=409,
        title=lazy_gettext("Changed meanwhile"),
        detail=lazy_gettext("Something else changed it at the same moment. Look again and repeat."),
    ),
    405: Kind(
        slug="method-not-allowed",
        status=405,
        title=lazy_gettext("That cannot be done here"),
        detail=lazy_gettext("This address does not take that method."),
    ),
    413: Kind(
        slug="too-large",
        status=413,
        title=lazy_gettext("Too large"),
        detail=lazy_gettext("The request is larger than this address takes."),
    ),
    415: Kind(
        slug="unsupported-media-type",
        status=415,
        title=lazy_gettext("Not JSON"),
        detail=lazy_gettext("Send the body as application/json."),
    ),
    422: INVALID,
    500: SERVER_ERROR,
}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A kind of problem with what belongs to this one request."""

    kind: Kind
    errors: Sequence[tuple[str, str]] = ()
    headers: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def document(self, instance: str) -> dict[str, Any]:
        """Return the problem document in the reader's language."""
        document: dict[str, Any] = {
            "type": f"/problems/{self.kind.slug}",
            "title": str(self.kind.title),
            "status": self.kind.status,
            "detail": str(self.kind.detail),
            "instance": instance,
        }
        if self.errors:
            document["errors"] = [{"field": name, "message": text} for name, text in self.errors]
        return document | self.more

    def response(self) -> Response:
        """Return the answer for a program."""
        answer = Response(
            json.dumps(self.document(request.path), ensure_ascii=False),
            self.kind.status,
            content_type="application/problem+json",
        )
        answer.headers.extend(self.headers)
        return answer
