"""Messages to browsers: the key, subscriptions, the service worker."""

import base64

from tests.web.callers import Caller, Household
from tests.web.test_roles import BROWSER


def test_the_key_is_a_point_and_stays(owner: Caller) -> None:
    key = owner.get("/api/v1/push/key").json["key"]
    raw = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))
    assert (len(raw), raw[0]) == (65, 4)
    assert owner.get("/api/v1/push/key").json["key"] == key


def test_the_same_browser_again_keeps_its_id(home: Household) -> None:
    first = home.bearer.post("/api/v1/push/subscriptions", BROWSER)
    assert first.status_code == 201, first.get_data(as_text=True)
    assert first.json["contact_id"] == home.account_id
    assert home.bearer.post("/api/v1/push/subscriptions", BROWSER).json["id"] == first.json["id"]
    path = f"/api/v1/push/subscriptions/{first.json['id']}"
    assert home.bearer.delete(path).status_code == 204
    assert home.bearer.delete(path).status_code == 404


def test_an_address_within_our_own_network_is_refused(owner: Caller) -> None:
    for endpoint in (
        "http://push.example.net/x",
        "https://127.0.0.1/x",
        "https://10.0.0.1/x",
        "https://localhost/x",
        "file:///etc/passwd",
    ):
        answer = owner.post("/api/v1/push/subscriptions", {**BROWSER, "endpoint": endpoint})
        assert answer.status_code == 422, endpoint
        assert answer.json["errors"][0]["field"] == "endpoint"


def test_a_key_off_the_curve_is_refused(owner: Caller) -> None:
    off = base64.urlsafe_b64encode(b"\x04" + b"\x01" * 64).rstrip(b"=").decode()
    answer = owner.post("/api/v1/push/subscriptions", {**BROWSER, "keys": {"auth": "x" * 22, "p256dh": off}})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "keys.p256dh"


def test_the_worker_may_serve_the_whole_site(stranger: Caller) -> None:
    answer = stranger.client.get("/sw.js")
    assert answer.content_type.startswith("text/javascript")
    assert answer.headers["Service-Worker-Allowed"] == "/"
    assert answer.headers["Cache-Control"] == "no-cache"
    answer.close()
