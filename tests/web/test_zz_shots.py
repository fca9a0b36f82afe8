import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.kit.clock import StandingClock
from tests.web.callers import Household
from tests.web.happenings import *  # noqa
from tests.web.serving import WebServer
from tracker.domain.clock import utc_now
from tracker.web.guards import SESSION_COOKIE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(500)]


@pytest.fixture
def clock():
    return StandingClock(now=utc_now())


@pytest.fixture
def server(data_dir: Path, committed_database: str) -> Iterator[WebServer]:
    running = WebServer(data_dir, committed_database)
    yield running
    running.close()


def test_shots(chromium: Browser, server, home, services, clock):
    lang = os.environ.get("SHOT_LANG", "ru")
    with services.database.begin() as s:
        from sqlalchemy import text

        s.execute(
            text("update accounts set locale=:l where account_id=:a"),
            {
                "l": lang,
                "a": int(home.account_id, 16) - (1 << 64 if int(home.account_id, 16) >= 1 << 63 else 0),
            },
        )
    yard = {
        "type": "Feature",
        "geometry": {
            "type": "Polygon",
            "coordinates": [
                [
                    [24.949, 60.1758],
                    [24.953, 60.1757],
                    [24.9535, 60.1772],
                    [24.9495, 60.1775],
                    [24.949, 60.1758],
                ]
            ],
        },
        "properties": {"name": "Двор", "all_subjects": True, "template": "yard"},
    }
    home.bearer.post("/api/v1/geofences", yard)
    home.bearer.post(
        "/api/v1/geofences",
        {
            "type": "Feature",
            "geometry": {
                "type": "LineString",
                "coordinates": [[24.951, 60.1765], [24.945, 60.172], [24.9384, 60.1699]],
            },
            "properties": {"name": "Дорога в школу", "all_subjects": True, "width_m": 80},
        },
    )
    story = Story(home, services, clock, name="Маша в школе")
    r2 = add_rule(
        home.bearer,
        "not_arrived",
        story.place_id,
        args={"by": "08:30"},
        schedule={"weekly": [{"days": [0, 1, 2, 3, 4], "spans": [{"start": "07:00", "end": "15:00"}]}]},
    )
    add_rule(home.bearer, "battery")
    add_rule(home.bearer, "left", story.place_id)
    home.bearer.post("/api/v1/contacts", {"name": "Бабушка", "phone": "+79991234567"})
    home.bearer.post(
        "/api/v1/mutes",
        {"geofence_id": story.place_id, "until": (clock.now + timedelta(hours=5)).isoformat()},
    )
    cid = home.bearer.get("/api/v1/contacts").json["items"][1]["id"]
    out = Path("/tmp/h7")
    bad = []
    pages = {
        "places": "/places",
        "place": f"/places/{story.place_id}",
        "new": "/places/new",
        "import": "/places/import",
        "rules": "/rules",
        "kinds": f"/places/{story.place_id}/rules/new",
        "rule": f"/rules/{r2}",
        "newrule": "/rules/new",
        "alerts": "/alerts",
        "everything": "/alerts?state=everything",
        "alert": f"/alerts/{story.alert_id}",
        "contacts": "/account/contacts",
        "contact": f"/account/contacts/{cid}",
        "map": "/map",
    }
    only = os.environ.get("ONLY", "").split() or list(pages)
    for w, h in ((390, 844), (1280, 800)):
        ctx = chromium.new_context(
            locale=lang, timezone_id="Europe/Helsinki", viewport={"width": w, "height": h}
        )
        ctx.add_cookies(
            [
                {"name": SESSION_COOKIE, "value": str(home.cookie.cookie), "url": server.url},
                {"name": "ryadom_tz", "value": "Europe%2FHelsinki".replace("%2F", "/"), "url": server.url},
            ]
        )
        pg = ctx.new_page()
        pg.on("console", lambda m: bad.append((pg.url, m.text)) if m.type == "error" else None)
        pg.on("pageerror", lambda e: bad.append((pg.url, str(e))))
        for name in only:
            r = pg.goto(server.url + pages[name])
            if r.status != 200:
                bad.append((name, r.status))
                continue
            pg.wait_for_timeout(1500)
            pg.screenshot(
                path=str(out / f"{lang}-{w}-{name}.png"),
                full_page=(w == 390 and name not in ("places", "map")),
            )
            if pg.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                bad.append((name, w, "wide"))
            for v in Axe().run(pg).response["violations"]:
                bad.append(
                    (
                        name,
                        w,
                        v["id"],
                        [n["html"][:150] for n in v["nodes"]][:3],
                        v["nodes"][0].get("failureSummary", "")[:200],
                    )
                )
        if "rule" in only:
            pg.goto(server.url + f"/places/{story.place_id}/rules/new?kind=arrived")
            pg.locator("button[value=preview]").click()
            pg.wait_for_load_state()
            pg.wait_for_timeout(600)
            pg.screenshot(path=str(out / f"{lang}-{w}-preview.png"), full_page=w == 390)
        ctx.close()
    print(server.log[-3000:])
    for b in bad:
        print("BAD", b)
