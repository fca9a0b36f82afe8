from itertools import pairwise

import pytest

from tracker.local.supervise import FIRST_DELAY_S, HEALTHY_AFTER_S, LONGEST_DELAY_S, next_delay_s


def test_delays_double_from_half_a_second_and_stay_at_thirty() -> None:
    delays = [0.0]
    for _ in range(10):
        delays.append(next_delay_s(delays[-1], lived_s=1))
    assert delays[1] == FIRST_DELAY_S == 0.5
    assert delays[-1] == LONGEST_DELAY_S == 30
    assert all(later == min(2 * earlier, 30) for earlier, later in pairwise(delays[1:]))


@pytest.mark.parametrize(("lived_s", "expected_s"), [(59.9, 30.0), (HEALTHY_AFTER_S, FIRST_DELAY_S)])
def test_a_minute_of_health_begins_anew(lived_s: float, expected_s: float) -> None:
    assert next_delay_s(LONGEST_DELAY_S, lived_s) == expected_s
