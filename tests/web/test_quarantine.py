"""Refused messages over the API: listed without content, opened on demand, tried again, deleted."""

import pytest

from tests.kit.clock import StandingClock
from tests.web.callers import Household, add_device, add_subject, refuse
from tracker.domain.errors import Reason
from tracker.store.quarantine import PAYLOAD_BYTES, take_replays
from tracker.web.context import Services

LIST = "/api/v1/quarantine"


@pytest.fixture
def device_id(home: Household) -> str:
    return add_device(home.bearer, add_subject(home.bearer))


def listed(home: Household, query: str = "") -> list[str]:
    return [each["id"] for each in home.bearer.get(LIST + query).json["items"]]


def test_the_list_tells_all_but_the_content(home: Household, services: Services, device_id: str) -> None:
    one = refuse(services, home.account_id, device_id, payload=b'{"lat": 60.17042}', detail="time")
    answer = home.bearer.get(LIST)
    (item,) = answer.json["items"]
    assert (item["id"], item["reason"], item["detail"], item["device_id"], item["whole"]) == (
        one,
        "not_json",
        "time",
        device_id,
        True,
    )
    assert item["origin_id"] == device_id
    assert item["size_bytes"] == 17
    assert "60.17042" not in answer.get_data(as_text=True)


def test_the_list_goes_newest_first_in_pages_and_by_reason_and_device(
    home: Household, services: Services, device_id: str
) -> None:
    other_id = add_device(home.bearer, add_subject(home.bearer))
    ids = [refuse(services, home.account_id, device_id, minutes_ago=age) for age in (1, 2, 3)]
    late = refuse(services, home.account_id, other_id, reason=Reason.NO_TIME, minutes_ago=9)
    assert listed(home) == [*ids, late]
    assert listed(home, "?reason=no_time") == [late]
    assert listed(home, f"?device_id={device_id}&reason=not_json") == ids
    first = home.bearer.get(f"{LIST}?limit=3").json
    assert listed(home, f"?limit=3&after={first['next']}") == [late]
    assert home.bearer.get(f"{LIST}?reason=boredom").status_code == 422


@pytest.mark.parametrize(
    ("payload", "encoding", "text"),
    [
        ('{"имя": 1}'.encode(), "text", '{"имя": 1}'),
        (b"", "text", ""),
        (b"\xff\x00", "hex", "ff00"),
        (b"a\x1b[2Jb", "hex", "611b5b324a62"),
    ],
)
def test_the_content_is_shown_when_asked_for(
    home: Household, services: Services, device_id: str, payload: bytes, encoding: str, text: str
) -> None:
    one = refuse(services, home.account_id, device_id, payload=payload, query="lat=1")
    shown = home.bearer.get(f"{LIST}/{one}").json
    assert (shown["encoding"], shown["payload"], shown["query"]) == (encoding, text, "lat=1")


def test_a_message_cut_within_a_character_is_still_text(
    home: Household, services: Services, device_id: str
) -> None:
    one = refuse(services, home.account_id, device_id, payload=b"x" + "ы".encode() * PAYLOAD_BYTES)
    shown = home.bearer.get(f"{LIST}/{one}").json
    assert shown["encoding"] == "text"
    assert shown["payload"] == "x" + "ы" * ((PAYLOAD_BYTES - 1) // 2)
    assert not shown["whole"]


@pytest.mark.parametrize("by", ["ids", "reason", "device_id"])
def test_messages_are_tried_again_by_id_reason_or_device(
    home: Household, services: Services, device_id: str, clock: StandingClock, by: str
) -> None:
    other_id = add_device(home.bearer, add_subject(home.bearer))
    wanted = refuse(services, home.account_id, device_id)
    refuse(services, home.account_id, other_id, reason=Reason.NO_TIME)
    body = {"ids": {"ids": [wanted]}, "reason": {"reason": "not_json"}, "device_id": {"device_id": device_id}}
    answer = home.bearer.post(f"{LIST}/replay", body[by])
    assert (answer.status_code, answer.json) == (202, {"asked": 1})
    assert home.bearer.get(f"{LIST}/{wanted}").json["replay_asked_at"] is not None
    with services.database.begin() as session:
        taken = take_replays(session, services.sealer, 100, clock())
    assert wanted in [each.quarantine_id for each in taken]


@pytest.mark.parametrize("body", [{}, {"ids": []}, {"ids": ["x"]}, {"reason": "boredom"}, {"reason": 1}])
def test_a_replay_of_nothing_named_is_refused(home: Household, body: object) -> None:
    assert home.bearer.post(f"{LIST}/replay", body).status_code == 422


def test_a_deleted_message_is_gone(home: Household, services: Services, device_id: str) -> None:
    one = refuse(services, home.account_id, device_id)
    assert home.bearer.delete(f"{LIST}/{one}").status_code == 204
    assert home.bearer.get(f"{LIST}/{one}").status_code == 404
    assert listed(home) == []


def test_the_messages_of_a_removed_device_go_with_it(
    home: Household, services: Services, device_id: str
) -> None:
    other_id = add_device(home.bearer, add_subject(home.bearer))
    refuse(services, home.account_id, device_id)
    kept = refuse(services, home.account_id, other_id)
    assert home.bearer.delete(f"/api/v1/devices/{device_id}").status_code == 204
    assert listed(home) == [kept]


def test_another_family_sees_and_touches_nothing(
    home: Household, neighbours: Household, services: Services, device_id: str
) -> None:
    one = refuse(services, home.account_id, device_id)
    assert listed(neighbours) == []
    assert neighbours.bearer.post(f"{LIST}/replay", {"ids": [one]}).json == {"asked": 0}
    assert neighbours.bearer.post(f"{LIST}/replay", {"device_id": device_id}).json == {"asked": 0}
    assert home.bearer.get(f"{LIST}/{one}").json["replay_asked_at"] is None
