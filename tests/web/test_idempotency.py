"""The same call with the same Idempotency-Key acts once."""

from tests.kit.clock import StandingClock
from tests.web.callers import Caller, Household, add_subject, any_address, sent_code
from tracker.domain.ids import new_id
from tracker.web.context import Services

SUBJECTS = "/api/v1/subjects"
KEY = {"Idempotency-Key": "9b2f-1"}


def test_the_same_call_twice_adds_one_and_is_answered_alike(owner: Caller) -> None:
    first = owner.post(SUBJECTS, {"kind": "pet", "name": "Rex"}, headers=KEY)
    second = owner.post(SUBJECTS, {"kind": "pet", "name": "Rex"}, headers=KEY)
    assert first.status_code == second.status_code == 201
    assert first.data == second.data
    assert len(owner.get(SUBJECTS).json["items"]) == 1


def test_credentials_are_the_same_the_second_time(owner: Caller) -> None:
    body = {"subject_id": add_subject(owner), "name": "collar", "dialect": "native"}
    first, second = (owner.post("/api/v1/devices", body, headers=KEY).json for _ in range(2))
    assert first["mqtt"]["password"] == second["mqtt"]["password"]


def test_a_key_is_not_for_another_call(owner: Caller) -> None:
    owner.post(SUBJECTS, {"kind": "pet", "name": "Rex"}, headers=KEY)
    answer = owner.post(SUBJECTS, {"kind": "pet", "name": "Max"}, headers=KEY)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "Idempotency-Key"


def test_a_refused_call_may_be_put_right_under_the_same_key(owner: Caller) -> None:
    assert owner.post(SUBJECTS, {"kind": "pet"}, headers=KEY).status_code == 422
    assert owner.post(SUBJECTS, {"kind": "pet", "name": "Rex"}, headers=KEY).status_code == 201


def test_a_key_belongs_to_one_account(home: Household, neighbours: Household) -> None:
    body = {"kind": "pet", "name": "Rex"}
    ours = home.bearer.post(SUBJECTS, body, headers=KEY).json
    theirs = neighbours.bearer.post(SUBJECTS, body, headers=KEY).json
    assert ours["id"] != theirs["id"]


def test_a_key_that_is_too_long_is_refused(owner: Caller) -> None:
    answer = owner.post(SUBJECTS, {"kind": "pet", "name": "Rex"}, headers={"Idempotency-Key": "k" * 201})
    assert answer.status_code == 422


def test_a_refusal_is_not_kept_so_that_the_right_code_may_follow_under_the_same_key(
    owner: Caller, home: Household, services: Services
) -> None:
    sender = {"REMOTE_ADDR": any_address()}
    path = "/api/v1/login/code"
    asked = Caller(owner.app).post(path, {"phone": home.phone}, environ_overrides=sender).json
    code = sent_code(services, home.phone)
    proof = {"login_id": asked["login_id"]}
    wrong = "00000000" if code != "00000000" else "11111111"
    for left in (2, 1):
        answer = owner.post("/api/v1/step-up", {"code": wrong, **proof}, headers=KEY)
        assert (answer.status_code, answer.json["attempts_left"]) == (401, left)
    assert owner.post("/api/v1/step-up", {"code": code, **proof}, headers=KEY).status_code == 204


def test_too_many_is_not_replayed_once_the_time_to_wait_is_over(owner: Caller, clock: StandingClock) -> None:
    owner.client.environ_base["REMOTE_ADDR"] = any_address()
    wrong = {"code": "00000000", "login_id": new_id()}
    for _ in range(100):
        answer = owner.post("/api/v1/step-up", wrong, headers=KEY)
        if answer.status_code == 429:
            break
    assert answer.status_code == 429
    clock.go_on(seconds=int(answer.headers["Retry-After"]) + 1)
    assert owner.post("/api/v1/step-up", wrong, headers=KEY).status_code in {401, 423}
