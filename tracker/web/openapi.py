"""Completes `/api/v1/openapi.json`: who may call, and every problem that a call may answer with."""

from typing import Any

from apiflask import APIFlask

from tracker.web.guards import SESSION_COOKIE, UNSAFE, is_open

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "attempts_left": {"type": "integer", "description": "with wrong-code and blocked"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}

_TEXTS = {
    "400": "The request cannot be read",
    "401": "Not signed in",
    "403": "The code is needed again, or the CSRF token is missing",
    "404": "Missing, or not the caller's to see",
    "409": "Changed by another call at the same moment",
    "413": "More than 64 KiB, or 4 MiB where a fence may come",
    "415": "Not JSON",
    "422": "Some fields are wrong",
    "423": "Blocked until a new code is used",
    "429": "Too many; `Retry-After` says how long to wait",
    "500": "A fault of the service",
    "503": "A neighbour of the service does not answer; `Retry-After` says how long to wait",
}
_LIMITED = {"/api/v1/login", "/api/v1/login/code", "/api/v1/step-up"}
_INGEST = "/api/v1/ingest/"
_CODES = {"/api/v1/login", "/api/v1/step-up"}

_NOT_JSON = {"/api/v1/live": "text/event-stream", "/metrics": "text/plain"}

_FILE_TYPES = ("application/gpx+xml", "application/vnd.google-earth.kml+xml", "text/csv")
_BYTES = {"type": "string", "format": "binary"}
_FILE_BODY = {
    "content": {
        "application/octet-stream": {"schema": _BYTES},
        "multipart/form-data": {
            "schema": {"type": "object", "required": ["file"], "properties": {"file": _BYTES}}
        },
    }
}

_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": 200},
    "description": "the same call with the same key acts once",
}


def install(app: APIFlask) -> None:
    """Have the description completed when it is first asked for."""
    app.config.update(
        OPENAPI_VERSION="3.1.0",
        AUTO_404_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_OPERATION_ID=True,
        AUTO_SERVERS=False,
        SECURITY_SCHEMES={
            "bearer": {"type": "http", "scheme": "bearer"},
            "device": {
                "type": "http",
                "scheme": "basic",
                "description": "the id of a device or gateway and its broker password",
            },
            "cookie": {
                "type": "apiKey",
                "in": "cookie",
                "name": SESSION_COOKIE,
                "description": "the web session; unsafe calls also need the header X-CSRF-Token",
            },
        },
    )

    @app.spec_processor
    def complete(spec: dict[str, Any] | str) -> dict[str, Any] | str:
        assert isinstance(spec, dict)  # noqa: S101 - SPEC_FORMAT is json
        open_calls = {
            (_path(rule.rule), method.lower())
            for rule in app.url_map.iter_rules()
            for method in rule.methods or ()
            if is_open(app, rule.endpoint)
        }
        spec["paths"].pop("/api/v1/openapi.json", None)
        spec["components"].setdefault("schemas", {})["Problem"] = PROBLEM
        for path, media in _NOT_JSON.items():
            spec["paths"][path]["get"]["responses"]["200"]["content"] = {
                media: {"schema": {"type": "string"}}
            }
        spec["paths"]["/api/v1/imports"]["post"]["requestBody"] = dict(_FILE_BODY)
        as_file = spec["paths"]["/api/v1/positions"]["get"]["responses"]["200"]["content"]
        as_file.update({media: {"schema": {"type": "string"}} for media in _FILE_TYPES})
        for path, calls in spec["paths"].items():
            for method, call in calls.items():
                _complete(path, method, call, is_open_call=(path, method) in open_calls)
        return spec


def _path(rule: str) -> str:
    """Return a Flask rule as an OpenAPI path."""
    parts = rule.split("/")
    return "/".join(
        "{" + part[1:-1].rpartition(":")[2] + "}" if part.startswith("<") else part for part in parts
    )


def _complete(path: str, method: str, call: dict[str, Any], *, is_open_call: bool) -> None:
    parameters = call.setdefault("parameters", [])
    if not is_open_call:
        call["security"] = [{"bearer": []}, {"cookie": []}]
        if method.upper() in UNSAFE:
            parameters.append(_KEY)
    if "requestBody" in call:
        call["requestBody"]["required"] = True
    for parameter in parameters:
        if parameter["in"] == "path":
            digits = 32 if parameter["name"] == "password" else 16
            parameter["schema"] = {"type": "string", "pattern": f"^[0-9a-f]{{{digits}}}$"}
    schema = {"$ref": "#/components/schemas/Problem"}
    for code in sorted(_problems(path, method, call, is_open_call=is_open_call)):
        call["responses"][code] = {
            "description": _TEXTS[code],
            "content": {"application/problem+json": {"schema": schema}},
        }


def _problems(path: str, method: str, call: dict[str, Any], *, is_open_call: bool) -> set[str]:
    """Return the statuses of the problems that a call may answer with."""
    is_unsafe = method.upper() in UNSAFE
    has_query = any(parameter["in"] == "query" for parameter in call["parameters"])
    reasons: tuple[tuple[bool, set[str]], ...] = (
        (True, {"500"}),
        (path != "/healthz", {"503"}),
        (path == "/metrics", {"403"}),
        (not is_open_call, {"401"}),
        (not is_open_call and is_unsafe, {"403", "409", "422"}),
        ("requestBody" in call, {"400", "413", "415", "422"}),
        (has_query, {"422"}),
        ("{" in path or path in {"/api/v1/devices", "/api/v1/positions", "/api/v1/imports"}, {"404"}),
        (path in _LIMITED, {"429"}),
        (path in _CODES, {"401", "423"}),
        (path.startswith(_INGEST), {"401", "429"}),
    )
    return set().union(*(codes for applies, codes in reasons if applies))
