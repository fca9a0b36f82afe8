"""One mapping of errors to answers: a problem document for programs, a page for people."""

import structlog
from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, InternalServerError

from tracker.domain.errors import Invalid, NotSignedIn, StepUpRequired, TooMany, Unavailable
from tracker.web.context import RequestContext, here
from tracker.web.field_messages import field_message
from tracker.web.problems import BY_ERROR, BY_STATUS, INVALID, SERVER_ERROR, Kind, Problem

log = structlog.get_logger()

RETRY_AFTER_S = 5
"""What a caller is told to wait when a neighbour of the service does not answer."""


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
