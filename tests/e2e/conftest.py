"""A whole running service, as `tracker up` starts it."""

import json
from collections.abc import Iterator

import pytest

from tests.kit.places import new_folder
from tests.kit.service import RunningService
from tests.kit.waiting import until


class House:
    """The running service: where its pages are and what it sent by SMS."""

    def __init__(self, service: RunningService) -> None:
        self.service = service
        self.url = service.url

    def last_code(self, phone: str) -> str:
        """Return the newest code sent to a phone, once there is one."""
        path = self.service.data_dir / "outbox" / "sms.jsonl"

        def newest() -> str | None:
            lines = path.read_text().splitlines() if path.exists() else []
            for line in reversed(lines):
                message: dict[str, str] = json.loads(line)
                if message["to"] == phone:
                    assert message["from"] == "3339"
                    words = [word.strip(".,:;#") for word in message["text"].split()]
                    return next(word for word in words if word.isdigit() and len(word) == 8)
            return None

        return until(newest, "a code by SMS")


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """One service for all stories of this process."""
    with new_folder("house-") as folder:
        service = RunningService(folder)
        try:
            service.wait_ready()
            yield House(service)
            assert service.stop() == 0, service.log[-4000:]
        finally:
            service.close()
