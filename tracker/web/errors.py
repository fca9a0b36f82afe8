"""One mapping of errors to HTTP: problem+json (RFC 9457) for programs, a page for people."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, InternalServerError

from tracker.domain.errors import (
    Invalid,
    Malformed,
    NotFound,
    NotSignedIn,
    StepUpRequired,
    TooMany,
    Unavailable,
)
from tracker.web.context import RequestContext, here

log = structlog.get_logger()

RETRY_AFTER_S = 5
"""What a caller is told to wait when a neighbour of the service does not answer."""


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
        detail=lazy_gettext("A request has at most 64 KiB."),
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


def field_message(error: Mapping[str, Any]) -> str:
    """Return what is wrong with a field, in the reader's language, from one of pydantic's errors."""
    limits = error.get("ctx") or {}
    texts: dict[str, Callable[[], Any]] = {
        "missing": lambda: _("this field is required"),
        "extra_forbidden": lambda: _("there is no such field"),
        "string_type": lambda: _("must be text"),
        "string_unicode": lambda: _("must be valid Unicode text"),
        "bool_type": lambda: _("must be true or false"),
        "bool_parsing": lambda: _("must be true or false"),
        "int_type": lambda: _("must be a whole number"),
        "int_parsing": lambda: _("must be a whole number"),
        "string_too_short": lambda: _("at least %(count)s characters", count=limits["min_length"]),
        "string_too_long": lambda: _("at most %(count)s characters", count=limits["max_length"]),
        "greater_than_equal": lambda: _("at least %(limit)s", limit=limits["ge"]),
        "less_than_equal": lambda: _("at most %(limit)s", limit=limits["le"]),
        "literal_error": lambda: _("must be one of %(choices)s", choices=limits["expected"]),
        "string_pattern_mismatch": lambda: _("has the wrong form"),
        "model_type": lambda: _("must be a JSON object"),
        "value_error": lambda: _(str(limits["error"])),
        "timezone_aware": lambda: _("must say its offset from UTC"),
    }
    say = texts.get(error["type"])
    if say:
        return str(say())
    return str(_("must be a moment by RFC 3339") if "datetime" in error["type"] else _("has the wrong form"))


def problem_of(error: Exception) -> Problem:
    """Return the problem that an error is to the caller; an unforeseen one is a 500 that tells nothing."""
    if isinstance(error, InternalServerError) and isinstance(error.original_exception, Exception):
        return problem_of(error.original_exception)
    for kind_of_error, kind in BY_ERROR.items():
        if isinstance(error, kind_of_error):
            return Problem(kind=kind, errors=_fields(error), headers=_headers(error))
    if isinstance(error, HTTPException | HTTPError):
        return _http_problem(error)
    # Class 23: two callers at once, and a constraint of the database decided.
    return Problem(kind=BY_STATUS[409] if _sqlstate(error).startswith("23") else SERVER_ERROR)


def _http_problem(error: HTTPException | HTTPError) -> Problem:
    if isinstance(error, HTTPException):
        headers = {name: text for name, text in error.get_headers() if name in {"Allow", "Retry-After"}}
        return Problem(kind=_of_status(error.code or 500, error.name), headers=headers)
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        wrong = [
            (".".join(str(part) for part in one["loc"]) or "body", field_message(one))
            for one in cause.errors()
        ]
        return Problem(kind=INVALID, errors=wrong)
    return Problem(kind=_of_status(error.status_code, error.message or ""))


def _sqlstate(error: Exception) -> str:
    """Return the SQLSTATE of a database error, else ""."""
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")


def _of_status(status: int, name: str) -> Kind:
    return BY_STATUS.get(status) or Kind(slug="about", status=status, title=name, detail=name)


def _fields(error: Exception) -> list[tuple[str, str]]:
    return [(name, _(text)) for name, text in error.errors] if isinstance(error, Invalid) else []


def _headers(error: Exception) -> dict[str, str]:
    if isinstance(error, TooMany):
        return {"Retry-After": str(error.retry_after_s)}
    if isinstance(error, Unavailable):
        return {"Retry-After": str(RETRY_AFTER_S)}
    if isinstance(error, NotSignedIn):
        return {"WWW-Authenticate": "Bearer"}
    return {}


def for_programs() -> bool:
    """Tell whether the request came to an address that programs use and people do not."""
    return request.path.startswith("/api/") or request.path in {"/healthz", "/readyz", "/metrics"}


def page(problem: Problem) -> Response:
    """Return the answer for a person."""
    kind = problem.kind
    answer = Response(
        render_template(
            "error.html",
            status=kind.status,
            title=str(kind.title),
            detail=str(kind.detail),
            retry_after_s=problem.headers.get("Retry-After"),
        ),
        kind.status,
        content_type="text/html; charset=utf-8",
    )
    answer.headers.extend(problem.headers)
    return answer


def answer(error: Exception) -> Response:
    """Return the answer to a request that ended with an error, its transaction undone.

    A refusal for too many attempts keeps what it counted.
    """
    context = here()
    if not isinstance(error, TooMany):
        error = context.roll_back(error)
    problem = problem_of(error)
    if problem.kind is SERVER_ERROR:
        log.error("request failed", route=str(request.url_rule), exc_info=error)
    if for_programs():
        return problem.response()
    if isinstance(error, NotSignedIn):
        target = request.full_path.rstrip("?") if request.method == "GET" else None
        return make_response(redirect(url_for("login.ask", next=target), 303))
    if isinstance(error, StepUpRequired):
        return make_response(redirect(url_for("account.show", _anchor="own-code"), 303))
    return page(problem)


def settle(context: RequestContext, response: Response) -> Response:
    """End the transaction before the answer leaves: kept below 500, undone otherwise."""
    if response.status_code >= 500:
        context.roll_back(RuntimeError("answered by an error of the server"))
        return response
    try:
        context.commit()
    except Exception as error:
        return answer(error)
    return response


def install(app: APIFlask) -> None:
    """Have every error of the application answered here."""
    app.register_error_handler(Exception, answer)
    # APIFlask's own handlers are more particular than `Exception` and would win.
    app.register_error_handler(HTTPError, answer)
    app.register_error_handler(HTTPException, answer)
