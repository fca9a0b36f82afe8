"""Builds the web application from its services."""

import json
import time
from typing import Any

import structlog
from apiflask import APIFlask
from flask import Response, g, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter

from tracker import VERSION, registry
from tracker.accounts.senders import Senders
from tracker.domain.errors import Invalid, Misconfigured
from tracker.web import errors, guards, i18n, idempotency, openapi
from tracker.web.apart import Apart
from tracker.web.context import RequestContext, Services, here
from tracker.web.intake import Buckets, Intake
from tracker.web.live import LiveStreams
from tracker.web.maps import tile_origin
from tracker.web.metrics import WebMetrics

BODY_LIMIT_BYTES = 64 * 1024

log = structlog.get_logger()


class IdConverter(BaseConverter):
    """An identity in a path; anything of another form is not found."""

    regex = "[0-9a-f]{16}"


class SecretConverter(BaseConverter):
    """A device's password in a path; anything of another form is not found."""

    regex = "[0-9a-f]{32}"


class StrictJson(DefaultJSONProvider):
    """JSON as RFC 8259 has it: no NaN, whole characters, each name once, and not nested beyond reading."""

    ensure_ascii = False

    def loads(self, s: str | bytes, **options: Any) -> Any:
        """Read JSON.

        Raises:
            ValueError: it is none.
            Invalid: a name is in one object twice, or its text holds half a character.
        """
        try:
            return json.loads(s, parse_constant=_refuse, object_pairs_hook=_strict_object, **options)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def _strict_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for name, value in pairs:
        name.encode()  # half a character raises the ValueError that makes it no JSON
        if name in read:
            raise Invalid((name, "is given twice"))
        if isinstance(value, str) and any("\ud800" <= each <= "\udfff" for each in value):
            raise Invalid((name, "must be valid Unicode text"))
        read[name] = value
    return read


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


class Application(APIFlask):
    """The web application, with what outlives a request."""

    def __init__(self, services: Services, *, provisioning_wait_s: float, intake: Intake | None) -> None:
        super().__init__(
            "tracker.web",
            title="Ryadom",
            version=VERSION,
            spec_path="/api/v1/openapi.json",
            docs_path=None,
            json_errors=False,
        )
        self.services = services
        self.provisioning_wait_s = provisioning_wait_s
        self.live = LiveStreams(services)
        self.metrics = WebMetrics()
        self.intake = intake
        self.apart = Apart()
        self.senders = Senders(services.sealer)
        self.device_buckets = Buckets(rate_per_s=20, burst=1_200)
        self.gateway_buckets = Buckets(rate_per_s=200, burst=5_000)


def create_app(
    services: Services, *, provisioning_wait_s: float = 3.0, intake: Intake | None = None
) -> Application:
    """Return the application; a new device's answer waits up to `provisioning_wait_s` for the broker.

    Without an `intake` messages over HTTP are answered 503.

    Raises:
        Misconfigured: the map's tiles are set to what they cannot be.
    """
    try:
        tile_origin(services.settings.map_tiles)
    except ValueError:
        raise Misconfigured("TRACKER_MAP_TILES: `offline`, or `xyz:` and an http(s) template") from None
    app = Application(services, provisioning_wait_s=provisioning_wait_s, intake=intake)
    settings = services.settings
    app.json = StrictJson(app)
    app.config.update(
        SECRET_KEY=services.sealer.key("web/forms").hex(),
        MAX_CONTENT_LENGTH=BODY_LIMIT_BYTES,
        MAX_FORM_MEMORY_SIZE=BODY_LIMIT_BYTES,
        SESSION_COOKIE_NAME="ryadom_form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        PROPAGATE_EXCEPTIONS=False,
    )
    app.url_map.converters["id"] = IdConverter
    app.url_map.converters["secret"] = SecretConverter
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    guards.install_csrf(app)
    i18n.install(app)
    errors.install(app)
    openapi.install(app)
    _frame(app)
    for package in ("tracker.web.api", "tracker.web.pages"):
        for blueprint in registry.load(package, "BLUEPRINT").values():
            app.register_blueprint(blueprint)
    return app


def _frame(app: Application) -> None:
    """Put around every request: its context, the guard, the end of its transaction, headers, counting."""
    services = app.services

    @app.before_request
    def begin() -> Response | None:
        g.started = time.perf_counter()
        g.context = RequestContext(services)
        g.app = app
        guards.admit(app, g.context)
        return None if guards.is_upload(app) else idempotency.replay(g.context)

    # Flask calls these from the last to the first.
    @app.after_request
    def finish(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "unknown"
        took_s = time.perf_counter() - g.started
        app.metrics.count(request.method, route, response.status_code, took_s)
        log.debug("request", method=request.method, route=route, status=response.status_code)
        i18n.keep_choice(response, secure=services.settings.secure)
        return guards.guard_answer(here(), response)

    @app.after_request
    def settle(response: Response) -> Response:
        return errors.settle(here(), idempotency.keep(here(), response))

    @app.teardown_request
    def abandon(_: BaseException | None) -> None:
        context = g.pop("context", None)
        if context is not None:
            context.roll_back(RuntimeError("the request ended early"))

    @app.context_processor
    def common() -> dict[str, Any]:
        context = here()
        return {
            "nonce": context.nonce,
            "locale": i18n.locale(),
            "signed_in": context.is_signed_in,
            "now": context.now,
        }
