"""Signing in: ask for a code, enter it, accept the terms."""

from datetime import timedelta
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request, url_for
from flask_babel import gettext as _

from tracker.accounts.service import Blocked, CodeAsked, WrongCode
from tracker.domain.account import SessionKind
from tracker.domain.errors import Invalid, TooMany
from tracker.web import i18n, keepsakes
from tracker.web.context import RequestContext, here
from tracker.web.guards import (
    DEVICE_COOKIE,
    drop_session_cookie,
    open_to_all,
    safe_next,
    set_device_cookie,
    set_session_cookie,
)
from tracker.web.models import CodeRequest, Login
from tracker.web.pages._forms import checked, go, messages, page, text, ticked
from tracker.web.pages.start import services
from tracker.web.regions import CODES, choices

BLUEPRINT = APIBlueprint("login", __name__, enable_openapi=False)

KEEPSAKE = "login"
KEEP_FOR = timedelta(minutes=10)


@BLUEPRINT.get("/login")
@open_to_all
def ask() -> Response:
    """Ask for the phone number, or with `?own=1` for the number and the own code."""
    target = safe_next(request.args.get("next"))
    if here().is_signed_in:
        return go(target or url_for("map.show"))
    region = request.args.get("region", "")
    values = {"region": region if region in CODES else "", "service": request.args.get("service", "")}
    if request.args.get("own"):
        return _code_page("own", values, target)
    return _phone_page(values, {}, target)


def _phone_page(
    values: dict[str, str],
    errors: dict[str, str],
    target: str | None,
    *,
    status: int = 200,
    retry_after_s: int | None = None,
) -> Response:
    return page(
        "login_phone.html",
        status,
        regions=choices(i18n.locale()),
        services=services(),
        values=values,
        errors=errors,
        next=target,
        retry_after_s=retry_after_s,
    )


def _code_page(
    mode: str, values: dict[str, Any], target: str | None, status: int = 200, **more: Any
) -> Response:
    context: dict[str, Any] = {"errors": {}, "blocked": False, "attempts_left": None}
    return page("login_code.html", status, mode=mode, values=values, next=target, **(context | more))


def spaced(sender: str) -> str:
    """Return a short number as people read it: 33-39."""
    return f"{sender[:2]}-{sender[2:]}" if len(sender) == 4 and sender.isdigit() else sender


@BLUEPRINT.post("/login/code")
@open_to_all
def send_code() -> Response:
    """Have a code sent, and go on to where it is entered; the same for every number."""
    context = here()
    values = {name: text(name) for name in ("phone", "region", "service")}
    target = safe_next(text("next"))
    try:
        if values["region"] and values["region"] not in CODES:
            raise Invalid(("region", "choose one of the list"))
        asked_for = checked(CodeRequest, phone=values["phone"], region=values["region"])
        asked = context.services.accounts.ask_code(
            context.session,
            phone=asked_for.phone,
            region=asked_for.region,
            locale=i18n.locale(),
            address=context.address,
            device_token=request.cookies.get(DEVICE_COOKIE),
            earlier_login_id=(keepsakes.look(context, KEEPSAKE) or {}).get("login_id"),
            now=context.now,
        )
    except Invalid as error:
        return _phone_page(values, messages(error), target, status=422)
    except TooMany as error:
        answer = _phone_page(values, {}, target, status=429, retry_after_s=error.retry_after_s)
        answer.headers["Retry-After"] = str(error.retry_after_s)
        return answer
    answer = go(url_for("login.enter_code"))
    kept = {
        **values,
        "phone": asked.phone,
        "login_id": asked.login_id,
        "next": target,
        **_sent(context, asked),
    }
    keepsakes.put(answer, context, KEEPSAKE, kept, path="/login", keep=KEEP_FOR)
    return answer


def _sent(context: RequestContext, asked: CodeAsked) -> dict[str, Any]:
    return {
        "sender": asked.sender,
        "resend_at": (context.now + timedelta(seconds=asked.resend_in_s)).timestamp(),
    }


def _sms_details(context: RequestContext, kept: dict[str, Any]) -> dict[str, Any]:
    left_s = float(kept["resend_at"]) - context.now.timestamp()
    return {"sender": spaced(str(kept["sender"])), "resend_in_s": max(0, round(left_s))}


@BLUEPRINT.get("/login/code")
@open_to_all
def enter_code() -> Response:
    """Ask for the code that was just sent."""
    context = here()
    kept = keepsakes.look(context, KEEPSAKE)
    if kept is None:
        return go(url_for("login.ask"))
    return _code_page("sms", kept, kept.get("next"), **_sms_details(context, kept))


@BLUEPRINT.post("/login")
@open_to_all
def sign_in() -> Response:
    """Open the account with the code, the terms accepted."""
    context = here()
    kept = keepsakes.look(context, KEEPSAKE) or {}
    values: dict[str, Any] = {name: text(name) for name in ("phone", "region", "service", "login_id")}
    values["accept_terms"] = ticked("accept_terms")
    mode = "sms" if values["login_id"] else "own"
    details = _sms_details(context, kept) if mode == "sms" and "resend_at" in kept else {}
    if mode == "sms" and not details:
        details = {"sender": spaced(context.services.settings.sms_from), "resend_in_s": 0}
    target = safe_next(text("next"))
    try:
        entered = checked(
            Login,
            phone=values["phone"],
            code=text("code"),
            login_id=values["login_id"],
            accept_terms=values["accept_terms"],
        )
        outcome = context.services.accounts.sign_in(
            context.session,
            phone=entered.phone,
            code=entered.code,
            login_id=entered.login_id,
            accept_terms=entered.accept_terms,
            kind=SessionKind.COOKIE,
            address=context.address,
            agent=context.agent,
            locale=i18n.locale(),
            device_token=request.cookies.get(DEVICE_COOKIE),
            now=context.now,
        )
    except Invalid as error:
        return _code_page(mode, values, target, 422, errors=messages(error), **details)
    if isinstance(outcome, Blocked):
        return _code_page(mode, values, target, 423, blocked=True, **details)
    if isinstance(outcome, WrongCode):
        errors = {"code": _("The code is wrong.")}
        left = outcome.attempts_left
        return _code_page(mode, values, target, 401, errors=errors, attempts_left=left, **details)
    answer = go(target or url_for("map.show"))
    set_session_cookie(answer, outcome.token, context.services.settings)
    set_device_cookie(answer, outcome.device_token, context.services.settings)
    keepsakes.drop(answer, context, KEEPSAKE, path="/login")
    return answer


@BLUEPRINT.post("/logout")
def sign_out() -> Response:
    """End this browser's session."""
    context = here()
    context.services.accounts.end_session(
        context.session, context.viewer, context.viewer.session_id, now=context.now
    )
    answer = go(url_for("start.start"))
    drop_session_cookie(answer, context.services.settings)
    return answer
