"""The family's map: nothing of other hosts, safe within a page, and moving in a real browser."""

import io
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import folium
import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask, Response, render_template, send_file
from flask_babel import Babel
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from tracker.domain.position import Freshness
from tracker.domain.subject import SubjectKind
from tracker.web.maps import Dot, family_map, tile_origin

WEB = Path(__file__).parents[2] / "tracker" / "web"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CHILD = Dot(
    subject_id="a1",
    kind=SubjectKind.CHILD,
    name="Masha",
    lat=60.170,
    lon=24.941,
    accuracy_m=25,
    recorded_at=NOW - timedelta(seconds=150),
    freshness=Freshness.LIVE,
    speed_mps=1.4,
    course_deg=90,
    battery_pct=60,
)
CAR = replace(
    CHILD,
    subject_id="a2",
    kind=SubjectKind.VEHICLE,
    name="Car",
    lat=60.166,
    recorded_at=NOW - timedelta(hours=3, minutes=20),
    freshness=Freshness.STALE,
)
STRANGE_NAME = "</script><img src=x onerror=alert(1)>"


def test_scripts_and_styles_come_from_the_product_itself() -> None:
    parts = family_map([CHILD], nonce="n", locale="en")
    addresses = re.findall(r'(?:src|href)="([^"]*)"', parts.head)
    assert len(addresses) == 3
    assert all(address.startswith("/static/vendor/") for address in addresses)


def test_folium_itself_is_left_as_it_was() -> None:
    family_map([CHILD], nonce="n", locale="en")
    assert folium.Map.default_js[0][1].startswith("https://")


def test_every_script_carries_the_nonce() -> None:
    parts = family_map([CHILD], nonce="n0nce", locale="en")
    tags = re.findall(r"<script\b[^>]*>", parts.head + parts.script)
    assert len(tags) == 3
    assert all('nonce="n0nce"' in tag for tag in tags)


def test_two_fingers_may_zoom_the_page() -> None:
    parts = family_map([CHILD], nonce="n", locale="en")
    assert "user-scalable" not in parts.head + parts.body + parts.script


def test_a_name_cannot_leave_the_script() -> None:
    parts = family_map([replace(CHILD, name=STRANGE_NAME)], nonce="n", locale="en")
    assert parts.script.count("</script>") == 1
    assert "<img" not in parts.script


def test_the_shipped_street_map_names_openstreetmap() -> None:
    assert "openstreetmap.org/copyright" in family_map([], nonce="n", locale="en").script


def test_foreign_tiles_replace_the_shipped_map_and_are_named() -> None:
    template = "https://{s}.tiles.example/{z}/{x}/{y}.png"
    parts = family_map([CHILD], nonce="n", locale="en", tiles=f"xyz:{template}", attribution="<b>Tiles Ltd")
    assert template in parts.script
    assert "Tiles Ltd" in parts.script
    assert "<b>" not in parts.script
    assert "pmtiles" not in parts.script


def test_the_origin_of_tiles_is_told_for_the_security_policy() -> None:
    assert tile_origin("offline") is None
    assert tile_origin("xyz:https://tiles.example:8443/a/{z}/{x}/{y}.png") == "https://tiles.example:8443"
    assert tile_origin("xyz:https://{s}.tiles.example/{z}/{x}/{y}.png") == "https://*.tiles.example"


@pytest.mark.parametrize("tiles", ["", "osm", "xyz:", "xyz:/tiles/{z}", "xyz:javascript:alert(1)"])
def test_what_is_no_map_setting_is_refused(tiles: str) -> None:
    with pytest.raises(ValueError, match="not a map setting"):
        family_map([], nonce="n", locale="en", tiles=tiles)


def _subject(dot: Dot) -> dict[str, Any]:
    position = {
        "lat": dot.lat,
        "lon": dot.lon,
        "recorded_at": dot.recorded_at,
        "accuracy_m": dot.accuracy_m,
        "speed_mps": dot.speed_mps,
        "battery_pct": dot.battery_pct,
        "charging": False,
    }
    return {
        "subject_id": dot.subject_id,
        "kind": dot.kind.value,
        "name": dot.name,
        "freshness": dot.freshness.value,
        "position": position,
    }


def _page_app() -> Flask:
    """The real template and static files, without the product's routes: `now` stands still at NOW."""
    app = Flask("tracker.web", root_path=str(WEB), static_folder=None)
    Babel(app, default_locale="en")
    app.jinja_env.globals["csrf_token"] = lambda: "token"

    @app.get("/map")
    def page() -> str:
        dots = [CHILD, CAR]
        return render_template(
            "map.html",
            map=family_map(dots, nonce="n", locale="en"),
            subjects=[_subject(dot) for dot in dots],
            nonce="n",
            locale="en",
            signed_in=True,
            now=NOW,
        )

    # From memory: where the browser hangs up within a range, the development server leaves an open file to
    # the garbage collector, whose warning failed whichever test was running then.
    @app.get("/static/<path:filename>", endpoint="static")
    def static(filename: str) -> Response:
        content = io.BytesIO((WEB / "static" / filename).read_bytes())
        return send_file(content, download_name=Path(filename).name, conditional=True)

    @app.get("/api/v1/subjects")
    def subjects() -> dict[str, Any]:
        return {"items": [], "next": None}

    return app


@pytest.fixture(scope="module")
def home() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, _page_app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["no-preference", "reduce"])
def family_page(chromium: Browser, home: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, reduced_motion=request.param)
    page = context.new_page()
    page.goto(f"{home}/map")
    yield page
    context.close()


MOVE = """([id, position]) => window.ryadom.family.move(id, position)"""


@pytest.mark.browser
def test_a_dot_moves_and_tells_so(family_page: Page) -> None:
    page = family_page
    dot = page.locator(".dot[data-subject-id=a1]")
    before = dot.bounding_box()
    assert before is not None
    told = {**CHILD.document(), "lat": 60.175, "recorded_at": NOW.isoformat()}
    page.evaluate(MOVE, ["a1", told])
    expect(dot).to_have_attribute("data-lat", "60.175")
    expect(dot).to_have_attribute("data-recorded-at", NOW.isoformat())
    page.wait_for_function(
        "before => document.querySelector('.dot[data-subject-id=a1]')"
        ".getBoundingClientRect().y < before - 20",
        arg=before["y"],
    )


@pytest.mark.browser
def test_age_and_freshness_are_read_without_colour(family_page: Page) -> None:
    page = family_page
    car = page.locator(".subject[data-subject-id=a2]")
    expect(car).to_have_attribute("data-freshness", "stale")
    expect(car.locator(".subject__age")).to_have_text("3 hours ago")
    expect(car.locator(".subject__age use")).to_have_attribute("href", "/static/icons.svg#clock")
    expect(page.locator(".dot[data-subject-id=a1]")).to_have_attribute(
        "aria-label", "Masha, 2 minutes ago, 5 km/h, ±25 m, battery 60%"
    )


@pytest.mark.browser
def test_a_lost_stream_is_told(family_page: Page) -> None:
    """This server has no stream at all."""
    page = family_page
    expect(page.locator("[data-live-state]")).to_have_attribute("data-state", "reconnecting")


@pytest.mark.browser
def test_the_map_page_has_no_known_barrier(family_page: Page) -> None:
    page = family_page
    expect(page.locator(".subject time").first).to_be_visible()
    violations = Axe().run(page).response["violations"]
    assert [violation["id"] for violation in violations] == []


@pytest.mark.browser
def test_without_scripts_the_page_says_so_and_does_not_wait_for_ever(chromium: Browser, home: str) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{home}/map")
    # The automated browser keeps `noscript` unparsed even so: what it holds is all that can be seen of it.
    assert "The map needs JavaScript." in (page.locator("noscript").text_content() or "")
    expect(page.get_by_text("Connecting…")).to_be_hidden()
    expect(page.locator(".subject[data-subject-id=a1]")).to_be_visible()
    context.close()


@pytest.mark.browser
def test_the_map_page_asks_no_other_host(chromium: Browser, home: str) -> None:
    page = chromium.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{home}/map", wait_until="load")
    page.wait_for_function(
        "performance.getEntriesByName(location.origin + '/static/basemap/world.pmtiles').length"
    )
    assert any(url.endswith(".pmtiles") for url in asked)
    assert [url for url in asked if not url.startswith((f"{home}/", "data:", "blob:"))] == []
    page.close()


def test_the_document_of_a_dot_is_json() -> None:
    assert json.loads(json.dumps(CHILD.document()))["kind"] == "child"
