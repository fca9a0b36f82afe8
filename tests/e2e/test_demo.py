"""`script/server --demo`: a family that moves at once."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.e2e.conftest import House
from tests.e2e.visitor import Visitor, picture, sign_in
from tests.kit.places import new_folder
from tests.kit.service import RunningService

pytestmark = pytest.mark.browser

DEMO_PHONE = "+79990000001"


@pytest.fixture
def demo() -> Iterator[House]:
    with new_folder("demo-") as folder:
        service = RunningService(folder, arguments=("--demo",))
        try:
            service.wait_ready()
            yield House(service)
        finally:
            service.close()


def test_six_of_the_demo_family_move_on_the_map_within_two_minutes(chromium: Browser, demo: House) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    visitor = Visitor(context.new_page(), demo.url)
    page = visitor.page
    sign_in(visitor, demo, DEMO_PHONE, "390")
    page.evaluate(
        """() => {
          window.places = {};
          setInterval(() => document.querySelectorAll('#family-list [data-lat]').forEach((row) => {
            (window.places[row.dataset.subjectId] ??= new Set()).add(row.dataset.lat + ',' + row.dataset.lon);
          }), 200);
        }"""
    )
    page.wait_for_function(
        "() => Object.values(window.places).filter((all) => all.size > 1).length >= 6", timeout=120_000
    )
    for width, height in ((390, 844), (1280, 800)):
        page.set_viewport_size({"width": width, "height": height})
        page.reload()
        page.wait_for_selector("[data-live-state][data-state=live]")
        picture(page, "map", str(width))
    assert visitor.foreign == []
    assert visitor.problems == []
    context.close()
