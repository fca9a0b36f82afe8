"""Contacts by the API: a code first, then alerts; order, quiet hours."""

from tests.web.callers import Caller, Household, any_phone
from tracker.store import outbox
from tracker.web.context import Services


def code_for(services: Services, phone: str) -> str:
    """Return the code that a contact was sent, taking every waiting message."""
    found = []
    with services.database.begin() as session:
        while claimed := outbox.claim(session, services.sealer, services.clock()):
            for one in claimed:
                outbox.settle(session, one.outbox_id, "sent", services.clock())
                if one.notification.kind == "contact_code" and one.notification.to == phone:
                    found.append(str(one.notification.args["code"]))
    assert found, "no code was sent"
    return found[-1]


def test_the_owner_is_the_first(home: Household) -> None:
    (owner,) = home.bearer.get("/api/v1/contacts").json["items"]
    assert owner["id"] == home.account_id
    assert owner["phone"] == home.phone
    assert owner["confirmed_at"]
    assert home.bearer.delete(f"/api/v1/contacts/{owner['id']}").status_code == 422


def test_a_contact_is_confirmed_by_the_code_that_it_was_sent(owner: Caller, services: Services) -> None:
    phone = any_phone()
    made = owner.post("/api/v1/contacts", {"name": "Granny", "phone": phone, "locale": "ru"})
    assert made.status_code == 201, made.get_data(as_text=True)
    assert made.json["confirmed_at"] is None
    path = f"/api/v1/contacts/{made.json['id']}"
    wrong = owner.post(f"{path}/confirm", {"code": "00000000x"})
    assert wrong.status_code == 401
    assert owner.get(path).json["confirmed_at"] is None
    right = owner.post(f"{path}/confirm", {"code": code_for(services, phone)})
    assert right.status_code == 200, right.get_data(as_text=True)
    assert right.json["confirmed_at"]


def test_quiet_hours_and_order_can_be_changed(owner: Caller) -> None:
    made = owner.post("/api/v1/contacts", {"name": "Granny", "phone": any_phone()}).json
    path = f"/api/v1/contacts/{made['id']}"
    quiet = {"weekly": [{"days": [0, 1, 2, 3, 4, 5, 6], "spans": [{"start": "22:00", "end": "07:00"}]}]}
    answer = owner.patch(path, {"quiet": quiet, "quiet_breaks_at": "alarm", "position": 5})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert (answer.json["quiet"], answer.json["quiet_breaks_at"], answer.json["position"]) == (
        quiet,
        "alarm",
        5,
    )
    assert owner.patch(path, {"quiet": None}).json["quiet"] is None


def test_what_is_wrong_is_named(owner: Caller) -> None:
    for body, field in (
        ({"name": "Granny"}, "phone"),
        ({"name": "Granny", "phone": "12"}, "phone"),
        ({"name": "Granny", "email": "nobody"}, "email"),
        ({"name": "Granny", "phone": any_phone(), "time_zone": "Mars/Olympus"}, "time_zone"),
        ({"name": "Granny", "phone": any_phone(), "channels": ["pigeon"]}, "channels"),
    ):
        answer = owner.post("/api/v1/contacts", body)
        assert answer.status_code == 422, body
        assert answer.json["errors"][0]["field"].startswith(field), answer.json["errors"]


def test_a_removed_contact_is_gone(owner: Caller) -> None:
    made = owner.post("/api/v1/contacts", {"name": "Granny", "phone": any_phone()}).json
    assert owner.delete(f"/api/v1/contacts/{made['id']}").status_code == 204
    assert owner.get(f"/api/v1/contacts/{made['id']}").status_code == 404
