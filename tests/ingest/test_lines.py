"""How the reader shares messages among the writers."""

from tracker.domain.ids import new_id
from tracker.ingest.reader import WRITERS, line_of


def test_what_one_device_sends_always_goes_the_same_line() -> None:
    device_id = new_id()
    assert len({line_of(device_id, WRITERS) for _ in range(10)}) == 1


def test_devices_are_shared_evenly() -> None:
    each = [line_of(f"{digit:x}", WRITERS) for digit in range(16)]
    assert {each.count(line) for line in range(WRITERS)} == {16 // WRITERS}


def test_messages_of_nobody_known_have_a_line_too() -> None:
    assert line_of("", WRITERS) == 0
