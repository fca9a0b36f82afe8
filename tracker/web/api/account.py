"""The caller's account and the proof that it is he."""

from typing import Any

from apiflask import APIBlueprint
from apiflask.schemas import EmptySchema
from flask import Response

from tracker.accounts.service import Blocked, WrongCode
from tracker.web.answers import AccountOut
from tracker.web.api import _show
from tracker.web.api.login import refusal
from tracker.web.context import here
from tracker.web.models import AccountChange, OwnCode, StepUp

BLUEPRINT = APIBlueprint("api-account", __name__, url_prefix="/api/v1", tag="Account")


@BLUEPRINT.get("/account")
@BLUEPRINT.output(AccountOut)
def show() -> dict[str, Any]:
    """Return the account"""
    return _show.account(here().account)


@BLUEPRINT.patch("/account")
@BLUEPRINT.input(AccountChange)
@BLUEPRINT.output(AccountOut)
def change(json_data: AccountChange) -> dict[str, Any]:
    """Choose the language of messages and pages"""
    context = here()
    context.services.accounts.set_locale(context.session, context.viewer, json_data.locale, now=context.now)
    context.forget_account()
    return _show.account(context.account)


@BLUEPRINT.put("/account/code")
@BLUEPRINT.input(OwnCode)
@BLUEPRINT.output(EmptySchema, status_code=204)
def set_own_code(json_data: OwnCode) -> tuple[str, int]:
    """Set an own code of at least 8 letters and digits

    Needs a code given in this session within the last five minutes, else 403 step-up-required.
    """
    context = here()
    context.services.accounts.set_own_code(
        context.session,
        context.viewer,
        json_data.code,
        sign_out_others=json_data.sign_out_others,
        now=context.now,
    )
    return "", 204


@BLUEPRINT.post("/step-up")
@BLUEPRINT.input(StepUp)
@BLUEPRINT.output(EmptySchema, status_code=204)
def step_up(json_data: StepUp) -> tuple[str, int] | Response:
    """Give a code again, for what asks for it

    The own code, or one by SMS with the `login_id` of `POST /login/code`. Wrong entries count as in
    signing in.
    """
    context = here()
    outcome = context.services.accounts.step_up(
        context.session,
        context.viewer,
        code=json_data.code,
        login_id=json_data.login_id,
        address=context.address,
        now=context.now,
    )
    if isinstance(outcome, WrongCode | Blocked):
        return refusal(outcome)
    return "", 204
