"""`script/soak-decoders`, with few messages; by itself it sends a million."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "script" / "soak-decoders"


def test_a_short_soak_finds_nothing_wrong_and_reaches_every_dialect() -> None:
    ran = subprocess.run([sys.executable, SCRIPT, "6000"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    heading, *rows = ran.stdout.splitlines()
    assert heading.split()[-1] == "failed"
    counts = {row.split()[0]: [int(each.replace(",", "")) for each in row.split()[1:]] for row in rows[:-1]}
    assert all(sum(row) > 0 and row[-1] == 0 for row in counts.values())
    assert sum(map(sum, counts.values())) == 6000
