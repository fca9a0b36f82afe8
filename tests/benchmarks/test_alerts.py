"""The measurement of alerts runs, finds every alert at each sink once, and its floors are of this run."""

import pytest

from benchmarks._result import Options
from benchmarks.alerts import AlertsBenchmark

PEOPLE, RATE_PER_S = 3, 50


@pytest.mark.heavy
@pytest.mark.timeout(300)
def test_every_alert_of_a_small_run_is_found_at_every_sink_once() -> None:
    result = AlertsBenchmark(PEOPLE).run(Options(size=RATE_PER_S, rounds=1))
    for rate in (0, RATE_PER_S):
        assert result.figures[f"alerts_{rate}_per_s"] == PEOPLE
        assert result.figures[f"missing_{rate}_per_s"] == 0
        assert result.figures[f"twice_{rate}_per_s"] == 0
        for channel in ("sms", "email", "webpush"):
            seen = result.figures[f"{channel}_{rate}_per_s_p50_ms"]
            assert seen > result.figures[f"stored_{rate}_per_s_p50_ms"] > 0
            assert seen > result.floors[f"{channel}_{rate}_per_s_p50_ms"] > 0
