"""Who asks, and what he may do."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.domain.account import SessionLevel
from tracker.domain.errors import StepUpRequired

STEP_UP_FOR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """The signed-in caller in whose name data is read and changed."""

    account_id: str
    session_id: str
    level: SessionLevel
    proved_at: datetime


def require_step_up(viewer: Viewer, now: datetime) -> None:
    """Pass if the viewer gave a code in this session at most 5 minutes ago.

    Raises:
        StepUpRequired: it is longer ago, or the caller is a token, which never gives a code.
    """
    if viewer.level is SessionLevel.TOKEN or now - viewer.proved_at > STEP_UP_FOR:
        raise StepUpRequired("give the code again")
