"""The fleet: a load that proves what was acknowledged, through the failures of those it speaks to."""

import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from devices.simulator.credentials import Broker, Credentials, DeviceCredentials
from devices.simulator.fleet import Fleet, FleetReport, run_fleet
from devices.simulator.tracker_device import Habits
from tests.devices.simulator.fleet_of import START, credentials_on, device_on
from tests.devices.simulator.service import AckingService, acking_service
from tests.kit.broker import TestBroker
from tests.kit.waiting import until

NOBODY = Credentials(
    broker=Broker(host="127.0.0.1", port=1),
    devices=tuple(DeviceCredentials(device_id=f"{number:016x}", password="x") for number in range(3)),
)


def fleet(*, positions: int, rate_per_s: float, capacity: int = 1000) -> Fleet:
    habits = Habits(capacity=capacity)
    return Fleet(NOBODY, positions=positions, rate_per_s=rate_per_s, acked=io.StringIO(), habits=habits)


def stored(service: AckingService) -> list[tuple[str, str]]:
    with service.lock:
        return [(device_id, each["time"]) for (device_id, _, _), each in service.positions.items()]


def acknowledged(out: Path) -> list[tuple[str, str]]:
    lines = [line.split(",") for line in out.read_text().splitlines()]
    return [(device_id, time) for device_id, time in lines]


def run_beside(
    credentials: Credentials, out: Path, trouble: Callable[[], None], *, positions: int, rate_per_s: float
) -> FleetReport:
    reports: list[FleetReport] = []
    thread = threading.Thread(
        target=lambda: reports.append(
            run_fleet(
                credentials,
                positions=positions,
                rate_per_s=rate_per_s,
                out=out,
                timeout_s=60,
                stopped=lambda: False,
                progress=io.StringIO(),
            )
        )
    )
    thread.start()
    try:
        trouble()
    finally:
        thread.join()
    return reports[0]


def test_rate_is_shared_by_the_devices_in_turns() -> None:
    made = fleet(positions=1000, rate_per_s=30)
    made.work(0.0, START)
    made.work(1.0, START + timedelta(seconds=1))
    assert made.made == 30
    assert [len(each._device.buffer) for each in made.devices] == [10, 10, 10]


def test_full_fleet_makes_no_more() -> None:
    made = fleet(positions=1000, rate_per_s=1000, capacity=5)
    made.work(0.0, START)
    made.work(1.0, START + timedelta(seconds=1))
    assert made.made == 15
    made.work(2.0, START + timedelta(seconds=2))
    assert made.made == 15


def test_positions_end_with_the_number_asked_for() -> None:
    made = fleet(positions=7, rate_per_s=100)
    made.work(0.0, START)
    made.work(1.0, START + timedelta(seconds=1))
    assert made.made == 7
    assert not made.complete


def test_no_two_positions_of_a_device_have_the_same_time(broker: TestBroker, tmp_path: Path) -> None:
    devices = [device_on(broker) for _ in range(2)]
    with acking_service(broker) as service:
        report = run_beside(
            credentials_on(broker, *devices),
            tmp_path / "acked",
            lambda: None,
            positions=2000,
            rate_per_s=20_000,
        )
        assert report.complete
        assert len(set(stored(service))) == len(service.positions) == 2000


def test_acknowledged_file_holds_each_position_once_through_a_killed_broker(
    broker: TestBroker, tmp_path: Path
) -> None:
    devices = [device_on(broker) for _ in range(4)]
    out = tmp_path / "acked"
    with acking_service(broker) as service:

        def trouble() -> None:
            until(lambda: len(service.positions) > 200, "some positions")
            broker.kill9()
            broker.start()
            until(lambda: len(service.positions) > 600, "more positions")
            broker.restart()

        report = run_beside(credentials_on(broker, *devices), out, trouble, positions=1500, rate_per_s=500)
        assert report.complete
        assert report.connection_losses >= len(devices)
        acked = acknowledged(out)
        assert len(acked) == len(set(acked)) == 1500
        assert set(acked) == set(stored(service))


def test_fleet_that_nobody_acknowledges_is_not_complete(broker: TestBroker, tmp_path: Path) -> None:
    credentials = credentials_on(broker, device_on(broker))
    out = tmp_path / "acked"
    report = run_fleet(
        credentials,
        positions=10,
        rate_per_s=1000,
        out=out,
        timeout_s=1.5,
        stopped=lambda: False,
        progress=io.StringIO(),
    )
    assert not report.complete
    assert report.broker_acked >= 10
    assert report.app_acked == 0
    assert out.read_text() == ""


def test_command_prints_the_counts_and_exits_by_them(broker: TestBroker, tmp_path: Path) -> None:
    device = device_on(broker)
    path = tmp_path / "credentials.json"
    path.write_text(
        json.dumps(
            {
                "host": "127.0.0.1",
                "port": broker.port,
                "tls": False,
                "devices": [{"device_id": device.device_id, "password": device.password}],
            }
        )
    )
    command = [sys.executable, "-m", "devices.simulator", "fleet", "--credentials", str(path)]
    command += ["--positions", "20", "--rate", "100", "--out", str(tmp_path / "acked")]
    with acking_service(broker):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["complete"] is True
    assert report["app_acked"] == 20
    silent = subprocess.run(
        [*command, "--timeout", "1"], capture_output=True, text=True, timeout=60, check=False
    )
    assert silent.returncode == 1


def test_clock_that_stands_still_gives_later_times_all_the_same() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    made = fleet(positions=9, rate_per_s=9)
    made.work(0.0, now)
    made.work(1.0, now)
    buffer = made.devices[0]._device.buffer
    times = [held.item.time for held in buffer.take(window=9, most=9, now_s=0)]
    assert times == [now, now + timedelta(milliseconds=1), now + timedelta(milliseconds=2)]


def test_report_says_what_is_left() -> None:
    made = fleet(positions=9, rate_per_s=9)
    assert replace(made.report(2.0), seconds=0) == FleetReport(
        complete=False,
        devices=3,
        made=0,
        published=0,
        broker_acked=0,
        broker_refused=0,
        app_acked=0,
        connection_losses=0,
        resends=0,
        seconds=0,
        positions_per_s=0.0,
    )
