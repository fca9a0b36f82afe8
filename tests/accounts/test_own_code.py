"""Setting an own code."""

import pytest

from tests.accounts.door import OWN_CODE, OWNER, Door
from tracker.accounts.service import SignedIn
from tracker.domain.access import Viewer
from tracker.domain.errors import Invalid, StepUpRequired


def test_a14_the_owner_is_told_by_sms(door: Door, viewer: Viewer) -> None:
    door.accounts.set_own_code(door.session, viewer, OWN_CODE, now=door.clock())
    (notice,) = door.messages()
    assert (notice.kind, notice.to) == ("own_code_changed", OWNER)
    assert OWN_CODE not in str(notice)


def test_a14_it_needs_a_code_of_the_last_five_minutes(door: Door, viewer: Viewer) -> None:
    door.clock.go_on(minutes=5, seconds=1)
    with pytest.raises(StepUpRequired):
        door.accounts.set_own_code(door.session, viewer, OWN_CODE, now=door.clock())
    assert door.messages() == []


def test_a14_a_step_up_by_the_current_code_allows_it(door: Door) -> None:
    door.set_own_code()
    viewer = door.viewer()
    door.clock.go_on(hours=1)
    proved = door.accounts.step_up(
        door.session, viewer, code=OWN_CODE, login_id=None, address="", now=door.clock()
    )
    assert isinstance(proved, Viewer)
    door.accounts.set_own_code(door.session, proved, "another8code", now=door.clock())
    assert isinstance(door.enter("another8code"), SignedIn)
    assert not isinstance(door.enter(OWN_CODE), SignedIn)


def test_a14_others_are_signed_out_if_the_owner_chooses(door: Door) -> None:
    other, mine = door.sign_in().token, door.sign_in().token
    viewer = door.viewer_of(mine)
    token, _ = door.accounts.add_token(door.session, viewer, name="watch", expires_at=None, now=door.clock())
    door.accounts.set_own_code(door.session, viewer, OWN_CODE, now=door.clock())
    assert door.accounts.authenticate(door.session, other, door.clock())
    door.accounts.set_own_code(door.session, viewer, OWN_CODE, sign_out_others=True, now=door.clock())
    assert door.accounts.authenticate(door.session, other, door.clock()) is None
    assert door.accounts.authenticate(door.session, mine, door.clock())
    assert door.accounts.authenticate(door.session, token, door.clock())


def test_a13_a_refused_code_leaves_the_old_one(door: Door) -> None:
    door.set_own_code()
    with pytest.raises(Invalid) as refused:
        door.accounts.set_own_code(door.session, door.viewer(), "short7", now=door.clock())
    assert refused.value.errors[0][0] == "code"
    assert isinstance(door.enter(OWN_CODE), SignedIn)


def test_a13_a_code_of_128_characters_counts_to_the_last(door: Door) -> None:
    long = "k7" * 30 + "Q" * 60 + "z9x8w7v6"
    door.set_own_code(long)
    assert isinstance(door.enter(long), SignedIn)
    assert not isinstance(door.enter(long[:-1]), SignedIn)
    assert not isinstance(door.enter(long + "6"), SignedIn)
