"""`tracker web` as a process: cooperative from its first import, and quiet."""

import signal
from pathlib import Path

from tests.web.serving import WebServer


def test_the_server_starts_without_a_warning_of_late_patching_and_stops_when_told(
    data_dir: Path, committed_database: str
) -> None:
    server = WebServer(data_dir, committed_database)
    try:
        assert "MonkeyPatchWarning" not in server.log
        assert server.log == ""
        server.popen.send_signal(signal.SIGTERM)
        assert server.popen.wait(timeout=10) == 0
    finally:
        server.close()
