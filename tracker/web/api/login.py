"""Signing in by a code."""

from typing import Any

from apiflask import APIBlueprint
from flask import Response
from flask_babel import get_locale

from tracker.accounts.service import Blocked, WrongCode
from tracker.domain.account import SessionKind
from tracker.web.answers import CodeAskedOut, LoginOut
from tracker.web.api import _show
from tracker.web.context import here
from tracker.web.guards import open_to_all
from tracker.web.models import CodeRequest, Login
from tracker.web.problems import BLOCKED, WRONG_CODE, Problem

BLUEPRINT = APIBlueprint("api-login", __name__, url_prefix="/api/v1/login", tag="Signing in")


def refusal(outcome: WrongCode | Blocked) -> Response:
    """Return the answer to a code that did not open: 401 with the attempts left, or 423."""
    if isinstance(outcome, Blocked):
        return Problem(kind=BLOCKED, more={"attempts_left": 0}).response()
    return Problem(
        kind=WRONG_CODE,
        more={"attempts_left": outcome.attempts_left},
        headers={"WWW-Authenticate": "Bearer"},
    ).response()


@BLUEPRINT.post("/code")
@open_to_all
@BLUEPRINT.input(CodeRequest)
@BLUEPRINT.output(CodeAskedOut, status_code=202)
def ask_code(json_data: CodeRequest) -> dict[str, Any]:
    """Ask for a code by SMS

    The answer is the same whether the number is known or not.
    """
    context = here()
    asked = context.services.accounts.ask_code(
        context.session,
        phone=json_data.phone,
        region=json_data.region,
        locale=json_data.locale or str(get_locale()),
        address=context.address,
        now=context.now,
    )
    return {
        "login_id": asked.login_id,
        "sender": asked.sender,
        "expires_in": asked.expires_in_s,
        "resend_in": asked.resend_in_s,
    }


@BLUEPRINT.post("")
@open_to_all
@BLUEPRINT.input(Login)
@BLUEPRINT.output(LoginOut)
def sign_in(json_data: Login) -> dict[str, Any] | Response:
    """Sign in and get a bearer token

    A code that came by SMS needs the `login_id` that asked for it, an own code needs none. 401 says how
    many attempts are left; after the third wrong entry 423 until a new code is used.
    """
    context = here()
    outcome = context.services.accounts.sign_in(
        context.session,
        phone=json_data.phone,
        code=json_data.code,
        login_id=json_data.login_id,
        accept_terms=json_data.accept_terms,
        kind=SessionKind.BEARER,
        address=context.address,
        agent=context.agent,
        locale=str(get_locale()),
        now=context.now,
    )
    if isinstance(outcome, WrongCode | Blocked):
        return refusal(outcome)
    return {"token": outcome.token, "account": _show.account(outcome.account)}
