"""Signing in as a visitor does: region, number, code, terms, account; and out again."""

import re
from dataclasses import replace

import pytest

from tests.web.callers import Answer, Caller, any_address, any_phone, sent_code
from tracker.web.app import Application, create_app
from tracker.web.guards import DEVICE_COOKIE, SESSION_COOKIE, safe_next
from tracker.wiring import Services


@pytest.fixture
def visitor(app: Application) -> Caller:
    """A browser from a network of its own."""
    caller = Caller(app)
    caller.client.environ_base["REMOTE_ADDR"] = any_address()
    return caller


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, page
    return found[1]


def ask(visitor: Caller, phone: str, **more: str) -> str:
    answer = visitor.submit("/login/code", phone=phone, region="RU-MOW", service="family", **more)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    assert phone[1:] not in answer.headers["Location"]
    assert phone not in answer.headers["Set-Cookie"]
    page = visitor.client.get(answer.headers["Location"]).get_data(as_text=True)
    assert "33-39" in page
    return page


def enter(visitor: Caller, page: str, code: str, **more: str) -> Answer:
    fields = {name: hidden(page, name) for name in ("phone", "region", "login_id")}
    return visitor.client.post(
        "/login",
        data={
            "csrf_token": hidden(page, "csrf_token"),
            "code": code,
            "accept_terms": "true",
            **fields,
            **more,
        },
    )


def test_the_way_in_by_sms(visitor: Caller, services: Services) -> None:
    phone = any_phone()
    start = visitor.client.get("/?region=RU-MOW").get_data(as_text=True)
    assert "/login?region=RU-MOW" in start
    page = ask(visitor, phone)
    answer = enter(visitor, page, sent_code(services, phone))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/map")
    assert visitor.client.get("/map").status_code == 200
    assert phone in visitor.client.get("/account").get_data(as_text=True)


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(visitor: Caller, services: Services) -> None:
    phone = any_phone()
    page = ask(visitor, phone)
    before = hidden(page, "csrf_token")
    answer = enter(visitor, page, sent_code(services, phone))
    cookies = answer.headers.getlist("Set-Cookie")
    session = next(each for each in cookies if each.startswith(f"{SESSION_COOKIE}="))
    assert "HttpOnly" in session
    assert "SameSite=Lax" in session
    assert "Secure" not in session  # this service is on plain HTTP
    assert any(each.startswith(f"{DEVICE_COOKIE}=") for each in cookies)
    assert visitor.client.post("/logout", data={"csrf_token": before}).status_code == 403


def test_over_https_every_cookie_is_secure(services: Services) -> None:
    deployed = replace(
        services, settings=services.settings.model_copy(update={"public_url": "https://ryadom.example"})
    )

    visitor = Caller(create_app(deployed, provisioning_wait_s=0))
    visitor.client.environ_base.update(REMOTE_ADDR=any_address())
    answer = visitor.client.get("/login?lang=ru", base_url="https://ryadom.example")
    cookies = answer.headers.getlist("Set-Cookie")
    assert cookies
    assert all("Secure" in each for each in cookies)
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_without_the_terms_nothing_opens(visitor: Caller, services: Services) -> None:
    phone = any_phone()
    page = ask(visitor, phone)
    code = sent_code(services, phone)
    answer = enter(visitor, page, code, accept_terms="")
    assert answer.status_code == 422
    assert 'id="accept_terms-error"' in answer.get_data(as_text=True)
    assert enter(visitor, page, code).status_code == 303


def test_three_wrong_entries_show_the_way_to_a_new_code(visitor: Caller, services: Services) -> None:
    phone = any_phone()
    page = ask(visitor, phone)
    code = sent_code(services, phone)
    assert [enter(visitor, page, "00000000").status_code for _ in range(3)] == [401, 401, 423]
    blocked = enter(visitor, page, code)
    assert blocked.status_code == 423
    assert 'action="/login/code"' in blocked.get_data(as_text=True)
    assert visitor.client.get("/map").status_code == 303


def test_a_wrong_number_is_told_beside_its_field(visitor: Caller) -> None:
    answer = visitor.submit("/login/code", phone="hello", region="RU-MOW")
    assert answer.status_code == 422
    assert 'id="phone-error"' in answer.get_data(as_text=True)
    answer = visitor.submit("/login/code", phone=any_phone(), region="RU-XXX")
    assert 'id="region-error"' in answer.get_data(as_text=True)


def test_the_way_in_by_own_code(visitor: Caller, services: Services) -> None:
    phone = any_phone()
    enter(visitor, ask(visitor, phone), sent_code(services, phone))
    saved = visitor.submit("/account/code", code="Верблюд-42-горба", sign_out_others="true")
    assert (saved.status_code, saved.headers["Location"]) == (303, "/account?saved=own_code")
    out = visitor.submit("/logout")
    assert out.headers["Location"] == "/"
    assert visitor.client.get("/map").status_code == 303
    page = visitor.client.get("/login?own=1").get_data(as_text=True)
    fields = {"csrf_token": hidden(page, "csrf_token"), "phone": phone, "accept_terms": "true"}
    wrong = visitor.client.post("/login", data={**fields, "code": "nonsense-1"})
    assert wrong.status_code == 401
    answer = visitor.client.post("/login", data={**fields, "code": "Верблюд-42-горба"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/map")


def test_signing_in_goes_on_to_where_the_visitor_wanted(visitor: Caller, services: Services) -> None:
    turned = visitor.client.get("/account")
    assert turned.headers["Location"] == "/login?next=/account"
    phone = any_phone()
    page = ask(visitor, phone, next="/account")
    answer = enter(visitor, page, sent_code(services, phone), next=hidden(page, "next"))
    assert answer.headers["Location"] == "/account"


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "\\/evil", "javascript:x", "/\n/evil", ""],
)
def test_next_never_leads_elsewhere(visitor: Caller, services: Services, target: str) -> None:
    assert safe_next(target) is None
    phone = any_phone()
    page = ask(visitor, phone, next=target)
    answer = enter(visitor, page, sent_code(services, phone), next=target)
    assert answer.headers["Location"] == "/map"


def test_the_code_page_without_a_request_leads_to_the_number(visitor: Caller) -> None:
    assert visitor.client.get("/login/code").headers["Location"] == "/login"
    visitor.client.set_cookie("ryadom_login", "forged", path="/login")
    assert visitor.client.get("/login/code").headers["Location"] == "/login"


@pytest.mark.parametrize(
    ("header", "query", "language"),
    [
        ("ru", "", "ru"),
        ("en-GB,en;q=0.9", "", "en"),
        ("de", "", "en"),
        ("en", "?lang=ru", "ru"),
        ("ru", "?lang=xx", "ru"),
    ],
)
def test_the_language_of_a_visitor(visitor: Caller, header: str, query: str, language: str) -> None:
    page = visitor.client.get(f"/{query}", headers={"Accept-Language": header}).get_data(as_text=True)
    assert f'<html lang="{language}"' in page


def test_a_chosen_language_is_kept(visitor: Caller) -> None:
    visitor.client.get("/?lang=ru")
    page = visitor.client.get("/terms", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert '<html lang="ru"' in page
