"""The account: language, own code, sessions, tokens."""

from datetime import datetime, timedelta
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request, url_for
from flask_babel import gettext as _

from tracker.accounts.service import Blocked, WrongCode
from tracker.domain.access import Viewer, require_step_up
from tracker.domain.account import SignedSession
from tracker.domain.errors import Invalid, StepUpRequired
from tracker.web import i18n, keepsakes
from tracker.web.context import here
from tracker.web.models import AccountChange, NewToken, OwnCode, StepUp
from tracker.web.pages._forms import checked, go, messages, page, text, ticked

BLUEPRINT = APIBlueprint("account", __name__, enable_openapi=False)

STEP_UP_KEEPSAKE = "step_up"
TOKEN_KEEPSAKE = "token"  # noqa: S105 - the name of a cookie
SAVED = frozenset({"own_code", "locale", "token"})


def _back(saved: str | None = None, anchor: str | None = None) -> Response:
    return go(url_for("account.show", saved=saved, _anchor=anchor))


def _way(value: SignedSession, current_id: str) -> dict[str, Any]:
    return {
        "session_id": value.session_id,
        "name": value.name,
        "created_at": value.created_at,
        "last_seen_at": value.last_seen_at,
        "expires_at": value.expires_at,
        "current": value.session_id == current_id,
    }


def _needs_step_up(viewer: Viewer, now: datetime) -> bool:
    try:
        require_step_up(viewer, now)
    except StepUpRequired:
        return True
    return False


def _page(errors: dict[str, str], status: int = 200, **values: str) -> Response:
    context = here()
    own_id = context.viewer.session_id
    asked = keepsakes.look(context, STEP_UP_KEEPSAKE)
    token = keepsakes.look(context, TOKEN_KEEPSAKE)
    saved = request.args.get("saved")
    answer = page(
        "account.html",
        status,
        account=context.account,
        step_up=_needs_step_up(context.viewer, context.now),
        step_up_login_id=asked["login_id"] if asked else None,
        sessions=[_way(each, own_id) for each in context.access.sessions(context.now)],
        tokens=[_way(each, own_id) for each in context.access.tokens(context.now)],
        new_token=token["token"] if token else None,
        saved=saved if saved in SAVED else None,
        errors=errors,
        values=values,
    )
    if token:
        keepsakes.drop(answer, context, TOKEN_KEEPSAKE, path="/account")
    return answer


@BLUEPRINT.get("/account")
def show() -> Response:
    """Show the account."""
    return _page({})


@BLUEPRINT.post("/account/locale")
def set_locale() -> Response:
    """Choose the language."""
    context = here()
    try:
        chosen = checked(AccountChange, locale=text("locale"))
    except Invalid as error:
        return _page(messages(error), 422)
    context.services.accounts.set_locale(context.session, context.viewer, chosen.locale, now=context.now)
    return _back("locale")


@BLUEPRINT.post("/account/code")
def set_own_code() -> Response:
    """Set an own code."""
    context = here()
    try:
        own = checked(OwnCode, code=request.form.get("code", ""), sign_out_others=ticked("sign_out_others"))
        context.services.accounts.set_own_code(
            context.session,
            context.viewer,
            own.code,
            sign_out_others=own.sign_out_others,
            now=context.now,
        )
    except Invalid as error:
        return _page(messages(error), 422)
    return _back("own_code")


@BLUEPRINT.post("/account/step-up/code")
def send_code() -> Response:
    """Have a code sent to the account's own number."""
    context = here()
    account = context.account
    asked = context.services.accounts.ask_code(
        context.session,
        phone=account.phone,
        region=account.region,
        locale=i18n.locale(),
        address=context.address,
        now=context.now,
    )
    answer = _back(anchor="own-code")
    data = {"login_id": asked.login_id}
    keepsakes.put(answer, context, STEP_UP_KEEPSAKE, data, path="/account", keep=timedelta(minutes=10))
    return answer


@BLUEPRINT.post("/account/step-up")
def step_up() -> Response:
    """Take a code as the proof that it is the owner."""
    context = here()
    try:
        proof = checked(StepUp, code=text("code"), login_id=text("login_id"))
        outcome = context.services.accounts.step_up(
            context.session,
            context.viewer,
            code=proof.code,
            login_id=proof.login_id,
            address=context.address,
            now=context.now,
        )
    except Invalid as error:
        found = messages(error)
        return _page({"step_up_code": found.get("code") or next(iter(found.values()))}, 422)
    if isinstance(outcome, Blocked):
        blocked = _("Only a new code by SMS works now: have one sent.")
        return _page({"step_up_code": blocked}, 423)
    if isinstance(outcome, WrongCode):
        return _page({"step_up_code": _("The code is wrong.")}, 401)
    answer = _back(anchor="own-code")
    keepsakes.drop(answer, context, STEP_UP_KEEPSAKE, path="/account")
    return answer


@BLUEPRINT.post("/sessions/<id:session_id>/delete")
def end_session(session_id: str) -> Response:
    """End another browser's or program's session."""
    return _end(session_id)


@BLUEPRINT.post("/tokens")
def add_token() -> Response:
    """Make a token; it is shown once on the account page."""
    context = here()
    name = text("name")
    try:
        new = checked(NewToken, name=name)
        token, _signed = context.services.accounts.add_token(
            context.session, context.viewer, name=new.name, expires_at=None, now=context.now
        )
    except Invalid as error:
        return _page(messages(error), 422, name=name)
    answer = _back("token", "tokens")
    keep = timedelta(minutes=5)
    keepsakes.put(answer, context, TOKEN_KEEPSAKE, {"token": token}, path="/account", keep=keep)
    return answer


@BLUEPRINT.post("/tokens/<id:token_id>/delete")
def end_token(token_id: str) -> Response:
    """End a token."""
    return _end(token_id, "tokens")


def _end(session_id: str, anchor: str | None = None) -> Response:
    context = here()
    context.services.accounts.end_session(context.session, context.viewer, session_id, now=context.now)
    return _back(anchor=anchor)
