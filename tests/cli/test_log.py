import subprocess
import sys

PROGRAM = """
import structlog, psycopg
from tracker.cli import _log
_log.configure("info")
log = structlog.get_logger()
log.debug("too small")
log.info("started", number=1)
try:
    raise psycopg.errors.CheckViolation('wrong\\nDETAIL:  Failing row contains (60.1699, 24.9384).')
except psycopg.Error:
    log.exception("a batch failed")
"""


def test_lines_are_json_of_the_level_and_hold_no_values_of_a_row() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    first, second = done.stderr.splitlines()
    assert '"event": "started"' in first
    assert '"a batch failed"' in second
    assert "CheckViolation" in second
    assert "60.1699" not in second
