"""An impossible jump waits for another position that agrees with it."""

from datetime import UTC, datetime, timedelta

from tracker.domain.device import DeviceSettings
from tracker.domain.geo import LatLon
from tracker.domain.plausibility import Fix
from tracker.domain.position import Placed, Position
from tracker.ingest.hold import hold
from tracker.store.devices import Owned

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
ACCOUNT, DEVICE = "b" * 16, "a" * 16


def owned(last: Fix | None = None, held: Fix | None = None) -> dict[str, Owned]:
    return {
        DEVICE: Owned(
            account_id=ACCOUNT,
            subject_id="c" * 16,
            device_id=DEVICE,
            dialect="native",
            external_id=None,
            settings=DeviceSettings(),
            payload_key_sealed=None,
            online=None,
            last=last,
            held=held,
        )
    }


def at(second: int, lat: float) -> Placed:
    return Placed(
        account_id=ACCOUNT,
        subject_id="c" * 16,
        device_id=DEVICE,
        received_at=NOW,
        position=Position(
            recorded_at=NOW + timedelta(seconds=second), at=LatLon(lat=lat, lon=37), accuracy_m=5
        ),
    )


def fix(second: int, lat: float) -> Fix:
    return Fix((NOW + timedelta(seconds=second)).timestamp(), lat, 37, 5)


def test_a_first_position_is_believed() -> None:
    assert not hold([at(0, 55)], owned(), {}).keys


def test_a_jump_is_held_and_given_up_when_the_next_one_is_back() -> None:
    jump = at(10, 56)
    held = hold([jump, at(20, 55)], owned(fix(0, 55)), {})
    assert held.keys == {(DEVICE, jump.position.recorded_at)}
    assert held.waiting == {(ACCOUNT, DEVICE): None}


def test_a_jump_that_the_next_one_agrees_with_is_true() -> None:
    held = hold([at(20, 56.0001)], owned(fix(0, 55), fix(10, 56)), {})
    assert held.keys == set()
    assert held.waiting == {(ACCOUNT, DEVICE): None}


def test_a_jump_at_the_end_of_a_batch_waits() -> None:
    jump = at(10, 56)
    held = hold([at(5, 55.00001), jump], owned(fix(0, 55)), {})
    assert held.waiting == {(ACCOUNT, DEVICE): jump.position}


def test_late_positions_are_history_and_never_held() -> None:
    assert not hold([at(-10, 10)], owned(fix(0, 55)), {}).keys


def test_batches_do_not_matter() -> None:
    together = hold([at(10, 56), at(20, 56.0001), at(30, 10)], owned(fix(0, 55)), {})
    assert together.keys == {
        (DEVICE, at(10, 56).position.recorded_at),
        (DEVICE, at(30, 10).position.recorded_at),
    }
    alone = hold([at(30, 10)], owned(fix(20, 56.0001)), {})
    assert alone.keys == {(DEVICE, at(30, 10).position.recorded_at)}
