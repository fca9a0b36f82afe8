"""The page of refused messages: why, what to do, again, away; the content only on demand."""

import pytest

from tests.web.callers import Household, add_device, add_subject, refuse
from tracker.domain.errors import Reason
from tracker.web.app import Application
from tracker.web.context import Services
from tracker.web.refused import explained


@pytest.fixture
def device_id(home: Household) -> str:
    return add_device(home.bearer, add_subject(home.bearer), name="Rex's collar")


def page(home: Household, path: str = "/quarantine") -> str:
    answer = home.cookie.client.get(path)
    assert answer.status_code == 200
    return str(answer.get_data(as_text=True))


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_every_reason_is_explained_in_both_languages(app: Application, home: Household, locale: str) -> None:
    assert home.bearer.patch("/api/v1/account", {"locale": locale}).status_code == 200
    with app.test_request_context(f"/?lang={locale}"):
        app.preprocess_request()
        said = {reason: explained(reason) for reason in Reason}
    assert set(said) == set(Reason)
    for words, cure in said.values():
        cyrillic = any("а" <= each <= "я" for each in words.lower())
        assert cyrillic == (locale == "ru"), words
        assert any("а" <= each <= "я" for each in cure.lower()) == (locale == "ru"), cure


def test_nothing_refused_is_said(home: Household) -> None:
    assert "Nothing was refused" in page(home)


def test_a_group_tells_reason_sender_number_and_cure(
    home: Household, services: Services, device_id: str
) -> None:
    for _ in range(3):
        refuse(services, home.account_id, device_id, reason=Reason.TIME_BEFORE_2000)
    shown = page(home)
    for text in ("clock is not set", "Rex&#39;s collar", ">3<", "once the device sees satellites"):
        assert text in shown


def test_content_is_shown_only_on_demand_and_escaped(
    home: Household, services: Services, device_id: str
) -> None:
    one = refuse(services, home.account_id, device_id, payload=b"<script>alert(60.17042)</script>")
    assert "60.17042" not in page(home, f"/quarantine?device_id={device_id}")
    assert "60.17042" not in page(home, f"/quarantine/{one}")
    shown = page(home, f"/quarantine/{one}?content=true")
    assert "&lt;script&gt;alert(60.17042)" in shown
    assert "<script>alert" not in shown


def test_a_group_is_tried_again(home: Household, services: Services, device_id: str) -> None:
    one = refuse(services, home.account_id, device_id)
    other = refuse(services, home.account_id, device_id, reason=Reason.NO_TIME)
    answer = home.cookie.submit("/quarantine/replay", reason="not_json", origin_id=device_id)
    assert answer.status_code == 303
    assert "1 message will be tried again" in page(home, answer.headers["Location"])
    assert home.bearer.get(f"/api/v1/quarantine/{one}").json["replay_asked_at"]
    assert home.bearer.get(f"/api/v1/quarantine/{other}").json["replay_asked_at"] is None


def test_one_is_tried_again_and_another_deleted(home: Household, services: Services, device_id: str) -> None:
    one, other = (refuse(services, home.account_id, device_id) for _ in range(2))
    assert home.cookie.submit(f"/quarantine/{one}/replay").status_code == 303
    assert "waits to be tried again" in page(home, f"/quarantine/{one}")
    assert home.cookie.submit(f"/quarantine/{other}/delete").status_code == 303
    assert home.cookie.client.get(f"/quarantine/{other}").status_code == 404


def test_a_group_is_deleted_and_a_form_without_conditions_deletes_nothing(
    home: Household, services: Services, device_id: str
) -> None:
    refuse(services, home.account_id, device_id)
    kept = refuse(services, home.account_id, device_id, reason=Reason.NO_TIME)
    assert home.cookie.submit("/quarantine/delete").status_code == 422
    assert home.cookie.submit("/quarantine/delete", reason="not_json").status_code == 303
    assert [each["id"] for each in home.bearer.get("/api/v1/quarantine").json["items"]] == [kept]


def test_account_and_device_lead_there(home: Household, device_id: str) -> None:
    assert 'href="/quarantine"' in page(home, "/account")
    assert f'href="/quarantine?device_id={device_id}"' in page(home, f"/devices/{device_id}")
