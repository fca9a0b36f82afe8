"""The family's pages: add somebody, a device, its credentials once; the map."""

import html
import re
import shlex

import pytest
from sqlalchemy import event

from tests.web.callers import Caller, Household, add_device, add_subject, report
from tracker.web.context import Services


def text_of(caller: Caller, path: str) -> str:
    answer = caller.client.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_a_pet_and_its_tracker(home: Household) -> None:
    browser = home.cookie
    added = browser.submit("/subjects/new", kind="pet", name="Рекс <b>")
    assert added.status_code == 303
    page = text_of(browser, added.headers["Location"])
    assert "Рекс &lt;b&gt;" in page
    assert "Рекс <b>" not in page
    device = browser.submit(f"{added.headers['Location']}/devices/new", name="collar", dialect="native")
    assert re.fullmatch(r"/devices/[0-9a-f]{16}/credentials", device.headers["Location"])
    shown = text_of(browser, device.headers["Location"])
    line = html.unescape(re.search(r'id="publish-line">([^<]+)<', shown)[1])  # type: ignore[index]
    words = shlex.split(line)
    device_id = device.headers["Location"].split("/")[2]
    assert words[0] == "mosquitto_pub"
    assert words[words.index("-u") + 1] == words[words.index("-i") + 1] == device_id
    assert words[words.index("-t") + 1] == f"tracker/{device_id[0]}/{device_id}/position"


def test_credentials_are_shown_once_and_never_travel_in_the_open(home: Household) -> None:
    browser = home.cookie
    subject_id = add_subject(home.bearer)
    added = browser.submit(f"/subjects/{subject_id}/devices/new", name="phone", dialect="owntracks")
    cookie = next(each for each in added.headers.getlist("Set-Cookie") if each.startswith("ryadom_access="))
    assert "HttpOnly" in cookie
    shown = text_of(browser, added.headers["Location"])
    password = re.search(r'id="mqtt-password">([0-9a-f]{32})<', shown)[1]  # type: ignore[index]
    assert password not in cookie + added.headers["Location"]
    assert "owntracks:///config?inline=" in shown
    assert "<svg" in shown
    again = browser.client.get(added.headers["Location"])
    assert again.status_code == 303
    assert password not in text_of(browser, again.headers["Location"])


def test_credentials_of_one_browser_open_nothing_in_another(home: Household, neighbours: Household) -> None:
    subject_id = add_subject(home.bearer)
    added = home.cookie.submit(f"/subjects/{subject_id}/devices/new", name="phone", dialect="native")
    assert neighbours.cookie.client.get(added.headers["Location"]).status_code == 404


@pytest.mark.parametrize(
    ("path", "fields", "field"),
    [
        ("/subjects/new", {"kind": "pet", "name": ""}, "name"),
        ("/subjects/new", {"kind": "dragon", "name": "Rex"}, "kind"),
        ("/subjects/{subject}", {"name": " "}, "name"),
        ("/subjects/{subject}/devices/new", {"name": "x", "dialect": "klingon"}, "dialect"),
        ("/subjects/{subject}/devices/new", {"name": "", "dialect": "native"}, "name"),
        ("/devices/{device}", {"name": "x" * 81}, "name"),
    ],
)
def test_a_wrong_field_is_told_beside_it_and_what_was_typed_stays(
    home: Household, path: str, fields: dict[str, str], field: str
) -> None:
    subject_id = add_subject(home.bearer)
    device_id = add_device(home.bearer, subject_id)
    answer = home.cookie.submit(path.format(subject=subject_id, device=device_id), **fields)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in page
    if fields["name"].strip():
        assert fields["name"] in page


def test_the_map_shows_everybody_and_what_is_known(home: Household, services: Services) -> None:
    seen, unseen = add_subject(home.bearer, "Anna", "child"), add_subject(home.bearer, "Rex")
    device_id = add_device(home.bearer, seen)
    report(services, home.account_id, seen, device_id, minutes_ago=3, accuracy_m=15.0)
    page = text_of(home.cookie, "/map")
    for subject_id, fresh in ((seen, "live"), (unseen, "never")):
        row = re.search(rf'data-subject-id="{subject_id}"[^>]*', page)
        assert row, page
        assert f'data-freshness="{fresh}"' in row[0]
    assert 'data-lat="60.17"' in page
    assert text_of(home.cookie, f"/subjects/{seen}")
    assert "60.17000, 24.94000" in text_of(home.cookie, f"/devices/{device_id}")


def test_the_map_costs_the_same_reads_for_few_and_for_many(home: Household, services: Services) -> None:
    counted: list[str] = []
    engine = services.database.engine
    event.listen(engine, "before_cursor_execute", lambda *each: counted.append(each[2]))

    def reads() -> int:
        counted.clear()
        text_of(home.cookie, "/map")
        return len(counted)

    add_subject(home.bearer)
    few = reads()
    for number in range(5):
        subject_id = add_subject(home.bearer, f"pet {number}")
        report(services, home.account_id, subject_id, add_device(home.bearer, subject_id))
    assert reads() == few


def test_a_new_password_and_a_removal(home: Household) -> None:
    subject_id = add_subject(home.bearer)
    device_id = add_device(home.bearer, subject_id)
    rotated = home.cookie.submit(f"/devices/{device_id}/credentials")
    assert rotated.headers["Location"] == f"/devices/{device_id}/credentials"
    assert "mqtt-password" in text_of(home.cookie, rotated.headers["Location"])
    assert home.cookie.submit(f"/devices/{device_id}/delete").headers["Location"] == f"/subjects/{subject_id}"
    assert home.cookie.submit(f"/subjects/{subject_id}/delete").headers["Location"] == "/map"
    assert home.cookie.client.get(f"/subjects/{subject_id}").status_code == 404


def test_ages_on_every_page_count_from_the_server_s_clock(home: Household, services: Services) -> None:
    subject_id = add_subject(home.bearer)
    device_id = add_device(home.bearer, subject_id)
    paths = (
        *("/map", "/account", "/subjects/new", f"/subjects/{subject_id}", "/terms", "/nothing"),
        *(f"/subjects/{subject_id}/devices/new", f"/devices/{device_id}"),
    )
    for path in paths:
        page = home.cookie.client.get(path).get_data(as_text=True)
        assert f'data-now="{services.clock().isoformat()}"' in page, path
