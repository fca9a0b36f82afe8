"""What every answer carries, so that no other site and no cache gets at it."""

import re
from dataclasses import replace

import pytest

from tests.web.callers import Caller, Household, add_subject
from tracker.domain.errors import Misconfigured
from tracker.web.app import create_app
from tracker.web.guards import content_security_policy
from tracker.wiring import Services

PAGES = ["/", "/login", "/login?own=1", "/terms", "/nothing"]


@pytest.mark.parametrize("path", [*PAGES, "/api/v1/account", "/healthz"])
def test_every_answer_is_guarded(stranger: Caller, path: str) -> None:
    headers = stranger.get(path).headers
    policy = headers["Content-Security-Policy"]
    for part in ("default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"):
        assert part in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Permissions-Policy" in headers
    assert headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in headers  # plain HTTP here


def test_every_script_of_a_page_has_the_nonce_of_its_answer(home: Household) -> None:
    subject_id = add_subject(home.bearer)
    for path in ("/map", "/account", "/subjects/new", f"/subjects/{subject_id}"):
        answer = home.cookie.client.get(path)
        page = answer.get_data(as_text=True)
        nonce = re.search(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"])[1]  # type: ignore[index]
        scripts = re.findall(r"<script\b[^>]*>", page)
        assert scripts
        for script in scripts:
            assert f'nonce="{nonce}"' in script or 'type="application/json"' in script, script
        assert not re.search(r"\son\w+=", page)
        assert not re.search(r'(?:src|href)="https?://(?!www\.openstreetmap\.org|www\.geonames\.org)', page)
    again = home.cookie.client.get("/map").headers["Content-Security-Policy"]
    assert nonce not in again


def test_a_tile_server_that_the_deployment_names_is_let_in_alone(services: Services) -> None:
    template = "https://{s}.tiles.example/{z}/{x}/{y}.png"
    chosen = services.settings.model_copy(update={"map_tiles": f"xyz:{template}"})
    policy = content_security_policy("n", chosen)
    assert "img-src 'self' data: https://*.tiles.example" in policy
    assert "example" not in content_security_policy("n", services.settings)


def test_tiles_that_cannot_be_are_told_at_the_start(services: Services) -> None:
    wrong = replace(
        services, settings=services.settings.model_copy(update={"map_tiles": "ftp://tiles.example"})
    )

    with pytest.raises(Misconfigured, match="TRACKER_MAP_TILES"):
        create_app(wrong)


def test_the_host_header_makes_no_link(home: Household) -> None:
    answer = home.cookie.client.get("/map", headers={"Host": "evil.example"})
    assert "evil.example" not in answer.get_data(as_text=True) + str(answer.headers)
    answer = home.cookie.client.get("/api/v1/openapi.json", headers={"Host": "evil.example"})
    assert "evil.example" not in answer.get_data(as_text=True)


def test_a_forwarded_address_counts_only_from_a_trusted_proxy(services: Services, stranger: Caller) -> None:
    forged = {"X-Forwarded-For": "127.0.0.1"}
    far = {"REMOTE_ADDR": "203.0.113.9"}
    assert stranger.client.get("/metrics", headers=forged, environ_base=far).status_code == 403

    proxied = replace(services, settings=services.settings.model_copy(update={"trusted_proxies": 1}))

    behind = Caller(create_app(proxied, provisioning_wait_s=0))
    chain = {"X-Forwarded-For": "127.0.0.1, 203.0.113.9"}
    assert behind.client.get("/metrics", headers=chain).status_code == 403
    assert behind.client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 200
