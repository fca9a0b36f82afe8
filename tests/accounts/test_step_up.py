"""Proving the owner again."""

from dataclasses import replace

import pytest

from tests.accounts.door import HERE, OWN_CODE, Door
from tracker.accounts.service import Blocked, WrongCode
from tracker.domain.access import Viewer, require_step_up
from tracker.domain.account import SessionLevel
from tracker.domain.errors import StepUpRequired


def step_up(
    door: Door, viewer: Viewer, code: str, login_id: str | None = None
) -> Viewer | WrongCode | Blocked:
    return door.accounts.step_up(
        door.session, viewer, code=code, login_id=login_id, address=HERE, now=door.clock()
    )


def test_a17_a_new_sms_code_proves_the_owner_for_five_minutes(door: Door) -> None:
    token = door.sign_in().token
    door.clock.go_on(minutes=30)
    asked, code = door.ask_and_read()
    proved = step_up(door, door.viewer_of(token), code, asked.login_id)
    assert isinstance(proved, Viewer)
    require_step_up(door.viewer_of(token), door.clock())
    door.clock.go_on(minutes=5, seconds=1)
    with pytest.raises(StepUpRequired):
        require_step_up(door.viewer_of(token), door.clock())


def test_a17_the_own_code_proves_him_too(door: Door) -> None:
    door.set_own_code()
    token = door.sign_in().token
    door.clock.go_on(hours=1)
    assert isinstance(step_up(door, door.viewer_of(token), OWN_CODE), Viewer)
    require_step_up(door.viewer_of(token), door.clock())


def test_a_wrong_code_proves_nothing_and_counts_with_those_of_signing_in(door: Door) -> None:
    door.set_own_code()
    token = door.sign_in().token
    door.clock.go_on(hours=1)
    assert step_up(door, door.viewer_of(token), "wrong-code") == WrongCode(attempts_left=2)
    assert door.enter("wrong-code") == WrongCode(attempts_left=1)
    assert step_up(door, door.viewer_of(token), "wrong-code") == Blocked()
    assert step_up(door, door.viewer_of(token), OWN_CODE) == Blocked()
    with pytest.raises(StepUpRequired):
        require_step_up(door.viewer_of(token), door.clock())


def test_the_code_of_another_number_proves_nothing(door: Door) -> None:
    viewer = door.viewer()
    asked, code = door.ask_and_read("+79169999999")
    assert step_up(door, viewer, code, asked.login_id) == WrongCode(attempts_left=0)


def test_a_token_cannot_step_up(door: Door, viewer: Viewer) -> None:
    asked, code = door.ask_and_read()
    with pytest.raises(StepUpRequired):
        step_up(door, replace(viewer, level=SessionLevel.TOKEN), code, asked.login_id)
