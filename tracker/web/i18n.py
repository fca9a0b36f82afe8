"""The language of an answer: the account's choice, else the browser's cookie, else Accept-Language."""

from flask import Flask, Response, request
from flask_babel import Babel

from tracker.domain.errors import Unavailable
from tracker.web.context import RequestContext, here

LANGUAGES = ("ru", "en")
LANGUAGE_COOKIE = "ryadom_lang"
_YEAR_S = 365 * 24 * 3600


def choose(context: RequestContext) -> str:
    """Return "ru" or "en" for this request; a visitor's `?lang=` counts until he has an account.

    A database that is away must not keep its own error page from being read: the browser decides then.
    """
    asked = request.args.get("lang")
    if asked in LANGUAGES:
        return asked
    try:
        if context.is_signed_in and context.account.locale in LANGUAGES:
            return context.account.locale
    except Unavailable:
        pass
    kept = request.cookies.get(LANGUAGE_COOKIE)
    if kept in LANGUAGES:
        return kept
    return request.accept_languages.best_match(LANGUAGES, default="en") or "en"


def locale() -> str:
    """Return "ru" or "en" for the request being answered; decided once, so an error page can rely on it."""
    context = here()
    if context.locale is None:
        context.locale = choose(context)
    return context.locale


def install(app: Flask) -> None:
    """Translate the application; `translations/` lies beside it."""
    Babel(app, default_locale="en", locale_selector=locale)


def keep_choice(response: Response, *, secure: bool) -> Response:
    """Remember a language that the visitor chose by `?lang=`."""
    asked = request.args.get("lang")
    if asked in LANGUAGES and not request.path.startswith("/api/"):
        response.set_cookie(
            LANGUAGE_COOKIE, asked, max_age=_YEAR_S, samesite="Lax", secure=secure, httponly=True
        )
    return response
