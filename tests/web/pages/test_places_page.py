"""Places in a browser: the list, drawing with the mouse, by the fields alone, from a file; both languages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.kit.clock import StandingClock
from tests.web.browsing import is_sound, signed_in
from tests.web.callers import Household, add_device, add_subject, report
from tests.web.happenings import Story, add_place
from tests.web.serving import WebServer
from tracker.web.context import Services

pytestmark = pytest.mark.browser


@pytest.fixture
def tab(chromium: Browser, server: WebServer, home: Household) -> Iterator[Page]:
    with signed_in(chromium, server, home, width=1280) as page:
        yield page


def saved(home: Household) -> dict[str, object]:
    """Return the only place there is."""
    (place,) = home.bearer.get("/api/v1/geofences").json["items"]
    return dict(place)


def press(tab: Page, *spots: tuple[int, int]) -> None:
    box = tab.locator(".leaflet-container").bounding_box()
    assert box
    for x, y in spots:
        tab.mouse.move(box["x"] + x, box["y"] + y)
        tab.mouse.click(box["x"] + x, box["y"] + y)


def test_the_list_says_who_is_where(
    tab: Page, home: Household, services: Services, clock: StandingClock
) -> None:
    story = Story(home, services, clock)
    tab.goto("/places")
    row = tab.locator(f"[data-place-id='{story.place_id}']")
    expect(row).to_contain_text("School")
    expect(row).to_contain_text("Here: Masha")
    expect(row).to_contain_text("1 rule")
    expect(tab.locator(".fence-name")).to_have_text("School")
    row.get_by_role("button").click()
    expect(row.get_by_role("button")).to_have_attribute("aria-pressed", "true")
    assert is_sound(tab)
    row.get_by_role("link").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("School")
    expect(tab.get_by_role("heading", name="Who is here")).to_be_visible()
    assert is_sound(tab)


def test_a_circle_is_put_where_the_map_is_pressed(tab: Page, home: Household, services: Services) -> None:
    subject_id = add_subject(home.bearer, "Rex")
    report(services, home.account_id, subject_id, add_device(home.bearer, subject_id))
    tab.goto("/places/new")
    tab.get_by_text("Yard", exact=True).click()
    expect(tab.get_by_label("Name of the place")).to_have_value("Yard")
    expect(tab.get_by_label("Radius, metres")).to_have_value("60")
    press(tab, (200, 200))
    expect(tab.locator("[data-draw-hint]")).to_contain_text("Pull the points")
    tab.get_by_label("Radius, metres").fill("90")
    assert is_sound(tab)
    tab.get_by_role("button", name="Save").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Yard")
    place = saved(home)
    assert place["geometry"]["type"] == "Point"  # type: ignore[index]
    assert place["properties"]["radius_m"] == 90  # type: ignore[index]
    assert place["properties"]["template"] == "yard"  # type: ignore[index]


def test_an_area_is_drawn_corner_by_corner_and_pulled_afterwards(tab: Page, home: Household) -> None:
    tab.goto("/places/new")
    tab.get_by_label("Name of the place").fill("Park")
    tab.get_by_text("Area", exact=True).click()
    expect(tab.locator("[data-draw-hint]")).to_contain_text("Press the corners")
    expect(tab.get_by_role("button", name="Finish")).to_be_disabled()
    press(tab, (200, 150), (400, 160), (390, 350), (300, 400))
    tab.get_by_role("button", name="Undo").click()
    tab.get_by_role("button", name="Finish").click()
    expect(tab.locator("[data-draw-hint]")).to_contain_text("Pull the points")
    corners = tab.get_by_label("Corners")
    before = corners.input_value()
    assert len(before.splitlines()) == 3
    box = tab.locator(".leaflet-container").bounding_box()
    assert box
    tab.mouse.move(box["x"] + 200, box["y"] + 150)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 150, box["y"] + 100, steps=5)
    tab.mouse.up()
    expect(corners).not_to_have_value(before)
    assert is_sound(tab)
    tab.get_by_role("button", name="Save").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Park")
    assert saved(home)["geometry"]["type"] == "Polygon"  # type: ignore[index]


def test_a_corner_may_be_where_somebody_stands(tab: Page, home: Household, services: Services) -> None:
    subject_id = add_subject(home.bearer, "Rex")
    report(services, home.account_id, subject_id, add_device(home.bearer, subject_id))
    tab.goto("/places/new")
    tab.get_by_text("Area", exact=True).click()
    expect(tab.locator("[data-draw-hint]")).to_contain_text("Press the corners")
    expect(tab.locator(".leaflet-marker-icon").first).to_be_visible()
    box = tab.locator(".leaflet-container").bounding_box()
    assert box
    middle = (round(box["width"] / 2), round(box["height"] / 2))  # the map opens around the only one
    press(tab, middle, (200, 150), (200, 350))
    tab.get_by_role("button", name="Finish").click()
    assert len(tab.get_by_label("Corners").input_value().splitlines()) == 3


@pytest.mark.parametrize("scripts", [True, False])
def test_the_fields_alone_make_a_route(
    chromium: Browser, server: WebServer, home: Household, scripts: bool
) -> None:
    with signed_in(chromium, server, home, scripts=scripts) as tab:
        tab.goto("/places/new")
        tab.get_by_label("Name of the place").fill("Way to school")
        tab.get_by_text("Route", exact=True).click()
        tab.get_by_label("Corners").fill("60.17, 24.94\n60.175, 24.95")
        tab.get_by_label("Width of the route, metres").fill("40")
        tab.get_by_role("button", name="Save").click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("Way to school")
    place = saved(home)
    assert place["geometry"] == {"type": "LineString", "coordinates": [[24.94, 60.17], [24.95, 60.175]]}
    assert place["properties"]["width_m"] == 40  # type: ignore[index]


def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(tab: Page, home: Household) -> None:
    tab.goto("/places/new")
    tab.get_by_label("Name of the place").fill("Nowhere")
    tab.get_by_label("Latitude").fill("60.17")
    tab.get_by_label("Longitude").fill("24.94")
    tab.get_by_label("Radius, metres").fill("1000000000")
    tab.get_by_text("Hours and time zone").click()
    tab.get_by_label("Time zone").fill("Mars/Olympus")
    tab.get_by_role("button", name="Save").click()
    expect(tab.locator("#radius_m-error")).to_be_visible()
    expect(tab.locator("#time_zone-error")).to_be_visible()
    expect(tab.get_by_label("Name of the place")).to_have_value("Nowhere")
    assert is_sound(tab)
    assert home.bearer.get("/api/v1/geofences").json["items"] == []


def test_hours_and_holidays_are_kept_by_the_form(tab: Page, home: Household) -> None:
    place_id = add_place(home.bearer)
    tab.goto(f"/places/{place_id}")
    tab.get_by_text("Hours and time zone").click()
    line = tab.get_by_role("group", name="Days and hours, line 1")
    for day in ("Monday", "Friday"):
        line.get_by_label(day).check(force=True)
    line.get_by_label("from").fill("08:00")
    line.get_by_label("to").fill("14:30")
    tab.get_by_text("Terms, holidays, two homes").click()
    tab.get_by_label("Only from").fill("2026-09-01")
    tab.get_by_label("Only until").fill("2027-05-31")
    tab.get_by_label("Not on these days").fill("2026-11-04\n2026-12-28..2027-01-08")
    tab.get_by_role("button", name="Save").click()
    expect(tab.get_by_text("Saved.")).to_be_visible()
    schedule = {
        "weekly": [{"days": [0, 4], "spans": [{"start": "08:00", "end": "14:30"}]}],
        "terms": [{"first": "2026-09-01", "last": "2027-05-31", "holidays": [["2026-12-28", "2027-01-08"]]}],
        "holidays": ["2026-11-04"],
    }
    assert saved(home)["properties"]["schedule"] == schedule  # type: ignore[index]
    expect(tab.get_by_label("Not on these days")).to_have_value("2026-11-04\n2026-12-28..2027-01-08")
    tab.get_by_role("button", name="Save").click()
    expect(tab.get_by_text("Saved.")).to_be_visible()
    place = saved(home)
    assert place["properties"]["schedule"] == schedule  # type: ignore[index]
    assert place["properties"]["version"] == 1  # type: ignore[index]


FILE = b"""{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"name":"Dacha"},"geometry":{"type":"Polygon","coordinates":
[[[24.90,60.10],[24.91,60.10],[24.91,60.11],[24.90,60.11],[24.90,60.10]]]}},
{"type":"Feature","properties":{"name":"Bow tie"},"geometry":{"type":"Polygon","coordinates":
[[[24.90,60.10],[24.92,60.12],[24.92,60.10],[24.90,60.12],[24.90,60.10]]]}},
{"type":"Feature","properties":{"name":"Shop"},"geometry":{"type":"Point","coordinates":[24.95,60.16]}}]}"""


def test_places_of_a_file_are_chosen(tab: Page, home: Household, data_dir: Path) -> None:
    file = data_dir / "places.geojson"
    file.write_bytes(FILE)
    tab.goto("/places/import")
    tab.get_by_role("button", name="Read the file").click()
    expect(tab.locator("#file-error")).to_be_visible()
    tab.get_by_label("File", exact=True).set_input_files(file)
    tab.get_by_role("button", name="Read the file").click()
    expect(tab.get_by_role("heading", name="What the file holds")).to_be_visible()
    expect(tab.get_by_role("listitem").filter(has_text="Bow tie")).to_be_visible()
    tab.get_by_label("Shop").uncheck()
    assert is_sound(tab)
    tab.get_by_role("button", name="Add the marked ones").click()
    expect(tab.locator("[data-place-id]")).to_have_count(1)
    place = saved(home)
    assert place["properties"]["name"] == "Dacha"  # type: ignore[index]
    assert place["properties"]["origin"] == "imported"  # type: ignore[index]


def test_it_is_all_there_in_russian(tab: Page, home: Household) -> None:
    home.bearer.patch("/api/v1/account", {"locale": "ru"})
    place_id = add_place(home.bearer, "Школа")
    for path, heading in (
        ("/places", "Места"),
        ("/places/new", "Новое место"),
        ("/places/import", "Места из файла"),
        (f"/places/{place_id}", "Школа"),
        ("/rules", "Правила"),
        ("/rules/new", "Сообщить, когда…"),
    ):
        tab.goto(path)
        expect(tab.get_by_role("heading", level=1)).to_have_text(heading)
        assert is_sound(tab)


def test_a_place_is_deleted(tab: Page, home: Household) -> None:
    tab.goto(f"/places/{add_place(home.bearer)}")
    tab.on("dialog", lambda dialog: dialog.accept())
    tab.get_by_role("button", name="Delete").click()
    expect(tab.get_by_text("No places yet")).to_be_visible()
    assert is_sound(tab)
