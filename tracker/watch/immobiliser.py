"""Whether a vehicle may be immobilised now: a pure table of reasons why not."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tracker.domain.observation import Observation
from tracker.domain.subject import SubjectKind

STILL_FOR_S = 120.0
FRESH_S = 60.0
ACCURACY_MOST_M = 50.0
STILL_MPS = 0.5
LONGEST = timedelta(hours=24)


class Refusal(StrEnum):
    """Why a vehicle is not immobilised; each name has words on the page."""

    NO_VEHICLE = "no_vehicle"
    NOT_PROVED = "not_proved"
    NO_EXPIRY = "no_expiry"
    TOO_LONG = "too_long"
    NO_FIX = "no_fix"
    OLD_FIX = "old_fix"
    POOR_FIX = "poor_fix"
    NO_SPEED = "no_speed"
    MOVES = "moves"
    MOVED_LATELY = "moved_lately"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who wants what: `fixes` are the vehicle's of the last minutes, oldest first.

    `stepped_up`: the owner proved himself again in this session, just now.
    """

    subject_kind: SubjectKind
    stepped_up: bool
    expires_at: datetime | None
    fixes: tuple[Observation, ...]
    now: datetime


def _is_poor(fix: Observation) -> bool:
    return fix.accuracy_m is None or fix.accuracy_m > ACCURACY_MOST_M


def _moved_lately(wish: Wish) -> bool:
    """Tell whether it moved in the last two minutes, or was not watched for so long."""
    since_s = wish.now.timestamp() - STILL_FOR_S
    lately = [fix for fix in wish.fixes if fix.at_s >= since_s]
    watched = wish.fixes[0].at_s <= since_s
    return not watched or any((fix.speed_mps or 0.0) > STILL_MPS for fix in lately)


_TABLE: tuple[tuple[Refusal, Callable[[Wish], bool]], ...] = (
    (Refusal.NO_VEHICLE, lambda wish: wish.subject_kind is not SubjectKind.VEHICLE),
    (Refusal.NOT_PROVED, lambda wish: not wish.stepped_up),
    (Refusal.NO_EXPIRY, lambda wish: wish.expires_at is None or wish.expires_at <= wish.now),
    (Refusal.TOO_LONG, lambda wish: wish.expires_at is not None and wish.expires_at > wish.now + LONGEST),
    (Refusal.NO_FIX, lambda wish: not wish.fixes),
    (Refusal.OLD_FIX, lambda wish: wish.now.timestamp() - wish.fixes[-1].at_s > FRESH_S),
    (Refusal.POOR_FIX, lambda wish: _is_poor(wish.fixes[-1])),
    (Refusal.NO_SPEED, lambda wish: wish.fixes[-1].speed_mps is None),
    (Refusal.MOVES, lambda wish: (wish.fixes[-1].speed_mps or 0.0) > STILL_MPS),
    (Refusal.MOVED_LATELY, _moved_lately),
)
"""The first line that holds is the reason; each may lean on those before it."""


def refusal(wish: Wish) -> Refusal | None:
    """Return why the vehicle may not be immobilised, None if it may."""
    return next((reason for reason, holds in _TABLE if holds(wish)), None)
