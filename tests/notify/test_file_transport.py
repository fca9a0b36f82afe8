"""SMS in a file."""

import json
import os
import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.notify.conftest import NOW
from tracker.domain.errors import Unavailable
from tracker.notify.transports.file import TRANSPORT


def test_a_message_is_one_json_line_of_the_contract(tmp_path: Path) -> None:
    sender = TRANSPORT.open("file", "3339", tmp_path / "outbox")
    sender.send("+79161234567", "код 1\nстрока", NOW, message_id="1")
    sender.send("+79160000000", "second", NOW, message_id="2")
    lines = (tmp_path / "outbox" / "sms.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"at": "2026-11-21T09:00:00Z", "from": "3339", "to": "+79161234567", "text": "код 1\nстрока"},
        {"at": "2026-11-21T09:00:00Z", "from": "3339", "to": "+79160000000", "text": "second"},
    ]


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        TRANSPORT.open("file", "3339", tmp_path / "outbox").send("+7", "x", NOW, message_id="1")
    finally:
        os.umask(before)
    assert (tmp_path / "outbox" / "sms.jsonl").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "outbox").stat().st_mode & 0o777 == 0o700


def test_many_writers_never_mix_their_lines(tmp_path: Path) -> None:
    senders = [TRANSPORT.open("file", "3339", tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(max_workers=8) as threads:
        list(
            threads.map(
                lambda number: senders[number % 4].send("+7", f"{number} " * 500, NOW, message_id="1"),
                range(200),
            )
        )
    lines = (tmp_path / "sms.jsonl").read_text().splitlines()
    assert sorted(int(json.loads(line)["text"].split()[0]) for line in lines) == list(range(200))


def test_a_full_disk_is_worth_another_try_and_leaves_no_half_line(tmp_path: Path) -> None:
    sender = TRANSPORT.open("file", "3339", tmp_path)
    sender.send("+7", "first", NOW, message_id="1")
    whole = (tmp_path / "sms.jsonl").read_bytes()
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 10, unlimited[1]))
    try:
        with pytest.raises(Unavailable, match="cannot be written"):
            sender.send("+7", "second", NOW, message_id="2")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert (tmp_path / "sms.jsonl").read_bytes() == whole


def test_a_place_that_cannot_be_written_is_worth_another_try(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file, no folder")
    with pytest.raises(Unavailable):
        TRANSPORT.open("file", "3339", tmp_path / "outbox").send("+7", "x", NOW, message_id="1")
