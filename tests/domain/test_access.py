from datetime import UTC, datetime, timedelta

import pytest

from tracker.domain.access import STEP_UP_FOR, Viewer, require_step_up
from tracker.domain.account import SessionLevel
from tracker.domain.errors import StepUpRequired

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def viewer(age: timedelta, level: SessionLevel = SessionLevel.SMS) -> Viewer:
    return Viewer(account_id="0" * 16, session_id="1" * 16, level=level, proved_at=NOW - age)


def test_a_code_given_five_minutes_ago_still_counts() -> None:
    require_step_up(viewer(STEP_UP_FOR), NOW)


def test_an_older_proof_asks_for_the_code_again() -> None:
    with pytest.raises(StepUpRequired):
        require_step_up(viewer(STEP_UP_FOR + timedelta(seconds=1)), NOW)


def test_a_token_never_proves_its_owner() -> None:
    with pytest.raises(StepUpRequired):
        require_step_up(viewer(timedelta(0), SessionLevel.TOKEN), NOW)
