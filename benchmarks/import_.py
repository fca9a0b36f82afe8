"""A large Takeout-shaped file read by `tracker import`: speed, memory, and being killed midway.

The floor is reading the same file with the standard library's `json.load`, which is what a program that does
not stream would do before it could store the first position.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks._result import Options, Result
from benchmarks._servers import private_servers
from tests.store.family import House, add_house
from tracker.store import imports
from tracker.store.session import Database

BYTES_A_RECORD = 290
DEFAULT_RECORDS = 725_000
"""200 MB."""
_LOADED = (
    "import json,resource,sys,time\nbegan=time.perf_counter()\njson.load(open(sys.argv[1]))\n"
    "print(time.perf_counter()-began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss*1024)"
)


class ImportBenchmark:
    """Reads one file, is killed halfway, reads on, and reads the whole again."""

    name = "import"

    def run(self, options: Options) -> Result:
        """Return figures of one file of `size` records."""
        count = options.size or DEFAULT_RECORDS
        with tempfile.TemporaryDirectory(prefix="bench-import-") as folder:
            small, large = Path(folder) / "small.json", Path(folder) / "large.json"
            write_records(small, max(1000, count // 20))
            write_records(large, count)
            with private_servers("", "") as servers:
                return _measure(servers.database_url, small, large, count)


def write_records(path: Path, count: int) -> None:
    """Write a Records.json of `count` fixes, ten seconds apart, the activities of each included."""
    with path.open("w") as file:
        file.write('{\n  "locations": [')
        for number in range(count):
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1_500_000_000 + 10 * number))
            record = {
                "latitudeE7": 601_000_000 + number % 90_000,
                "longitudeE7": 249_000_000 + number % 70_000,
                "accuracy": 5 + number % 60,
                "velocity": number % 30,
                "altitude": 12,
                "source": "WIFI",
                "deviceTag": -1_234_567_890,
                "activity": [
                    {"activity": [{"type": "STILL", "confidence": 90}], "timestamp": f"{stamp}.001Z"}
                ],
                "timestamp": f"{stamp}.{number % 1000:03d}Z",
            }
            file.write(("," if number else "") + "\n" + json.dumps(record))
        file.write("\n  ]\n}\n")


def _measure(url: str, small: Path, large: Path, count: int) -> Result:
    database = Database(url, pool_size=1)
    with database.begin() as session:
        house = add_house(session, "+79161234567")
    _, small_rss = _import(url, house, small)
    killed_at = _killed_midway(url, house, large, database, count // 2)
    took_s, rss = _import(url, house, large)
    again_s, _ = _import(url, house, large)
    with database.begin() as session:
        rows = imports.of_account(session, house.viewer.account_id)
    database.close()
    resumed = next(row for row in rows if row.size_bytes == large.stat().st_size and row.positions_new)
    assert (resumed.positions_read, resumed.refused) == (count, 0), resumed
    # The first file is the beginning of the second.
    assert resumed.positions_new == count - max(1000, count // 20), resumed
    again = next(row for row in rows if row.positions_read == count and row.import_id != resumed.import_id)
    assert again.positions_new == 0, again
    loaded_s, loaded_rss = (float(each) for each in _run([sys.executable, "-c", _LOADED, str(large)]).split())
    return Result(
        name="import",
        figures={
            "file MB": round(large.stat().st_size / 1e6, 1),
            "positions/s": round((count - killed_at) / took_s),
            "positions/s, nothing new": round(count / again_s),
            "peak MB": round(rss / 1e6, 1),
            "peak MB, a 20th of the file": round(small_rss / 1e6, 1),
            "killed behind record": killed_at,
        },
        floors={"json.load MB": round(loaded_rss / 1e6, 1), "json.load s": round(loaded_s, 2)},
        ratios={"memory, large to small file": round(rss / small_rss, 3)},
    )


def _environment(url: str) -> dict[str, str]:
    return {**os.environ, "TRACKER_DATABASE_URL": url, "TRACKER_DATA_DIR": tempfile.gettempdir()}


def _command(house: House, file: Path) -> list[str]:
    return [sys.executable, "-m", "tracker", "import", str(file), "--device", house.device.device_id]


def _import(url: str, house: House, file: Path) -> tuple[float, float]:
    """Import a file; return seconds and the command's peak of resident memory, bytes."""
    measured = (
        "import resource,subprocess,sys\nsubprocess.run(sys.argv[1:],check=True,stdout=2)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss*1024)"
    )
    began = time.perf_counter()
    rss = float(_run([sys.executable, "-c", measured, *_command(house, file)], _environment(url)))
    return time.perf_counter() - began, rss


def _run(command: list[str], environment: dict[str, str] | None = None) -> str:
    return subprocess.run(
        command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True
    ).stdout


def _killed_midway(url: str, house: House, file: Path, database: Database, behind: int) -> int:
    """Kill the command once it is `behind` so many records; return how many are committed."""
    popen = subprocess.Popen(
        _command(house, file), env=_environment(url), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    assert popen.stderr is not None
    with popen.stderr as lines:
        for line in lines:
            said = re.search(rb"(\d+) positions", line)
            if said and int(said[1]) >= behind:
                popen.send_signal(signal.SIGKILL)
                break
    popen.wait()
    with database.begin() as session:
        row = imports.of_account(session, house.viewer.account_id)[0]
    assert row.state == "reading", row
    return row.records


BENCHMARK = ImportBenchmark()
