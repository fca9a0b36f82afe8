"""Whether a vehicle may be immobilised."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tracker.domain.observation import Observation
from tracker.domain.subject import SubjectKind
from tracker.watch.immobiliser import Refusal, Wish, refusal

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def fixes(accuracy_m: float | None = 8.0, speed_mps: float | None = 0.0) -> tuple[Observation, ...]:
    return tuple(
        Observation(NOW.timestamp() - ago, 60.0, 25.0, accuracy_m=accuracy_m, speed_mps=speed_mps)
        for ago in (150, 100, 50, 10)
    )


ALLOWED = Wish(
    subject_kind=SubjectKind.VEHICLE,
    stepped_up=True,
    expires_at=NOW + timedelta(hours=1),
    fixes=fixes(),
    now=NOW,
)


def test_a_vehicle_that_stands_may_be_immobilised() -> None:
    assert refusal(ALLOWED) is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"subject_kind": SubjectKind.CHILD}, Refusal.NO_VEHICLE),
        ({"stepped_up": False}, Refusal.NOT_PROVED),
        ({"expires_at": None}, Refusal.NO_EXPIRY),
        ({"expires_at": NOW}, Refusal.NO_EXPIRY),
        ({"expires_at": NOW + timedelta(days=2)}, Refusal.TOO_LONG),
        ({"fixes": ()}, Refusal.NO_FIX),
        ({"fixes": fixes()[:2]}, Refusal.OLD_FIX),
        ({"fixes": fixes(accuracy_m=80.0)}, Refusal.POOR_FIX),
        ({"fixes": fixes(accuracy_m=None)}, Refusal.POOR_FIX),
        ({"fixes": fixes(speed_mps=None)}, Refusal.NO_SPEED),
        ({"fixes": fixes(speed_mps=3.0)}, Refusal.MOVES),
        ({"fixes": (*fixes(speed_mps=9.0)[:2], *fixes()[2:])}, Refusal.MOVED_LATELY),
        ({"fixes": fixes()[2:]}, Refusal.MOVED_LATELY),
    ],
)
def test_else_the_reason_is_told(change: dict[str, object], expected: Refusal) -> None:
    assert refusal(replace(ALLOWED, **change)) is expected  # type: ignore[arg-type]
