"""A child that stays at home is at home, however poor the fixes are that its phone finds indoors."""

import math
import random

import pytest

from tests.geofence.engine.script import OWNER, at, circle
from tracker.domain.crossing import Phase
from tracker.domain.observation import Observation
from tracker.geofence.device_state import begin_checkpoints
from tracker.geofence.engine import Fences, replay

ACCURACIES_M = (15.0, 30.0, 60.0, 120.0, 400.0, 1_500.0)


def evening(seed: int) -> list[Observation]:
    """It comes from the north; then 40 minutes of honest fixes of mixed accuracy, 60 m from the middle."""
    chance = random.Random(seed)
    fixes = [at(0, 500), at(30, 300), at(60, 0), at(90, 0)]
    for number in range(120):
        accuracy_m = chance.choice(ACCURACIES_M)
        angle, error_m = chance.uniform(0, 2 * math.pi), accuracy_m * abs(chance.gauss(0, 0.66))
        north_m, east_m = 60 + error_m * math.cos(angle), error_m * math.sin(angle)
        fixes.append(at(120 + 20 * number, north_m, accuracy_m, east_m))
    return fixes


@pytest.mark.parametrize("seed", range(16))
def test_poor_fixes_of_a_child_at_home_are_no_exit(seed: int) -> None:
    told = replay(begin_checkpoints(), Fences([circle("home", 100)]), evening(seed), OWNER).crossings
    assert [crossing.into for crossing in told if crossing.how != "first"] == [Phase.IN]
