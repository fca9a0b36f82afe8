"""The demo: each device of the credentials file moves, as now, through its own connection."""

import json
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from devices.simulator.catalogue import TRACKS, named_track
from devices.simulator.family import Player, players, run_demo
from devices.simulator.track import TrackUnreadable
from tests.devices.simulator.fleet_of import credentials_on, device_on
from tests.devices.simulator.service import AckingService, acking_service
from tests.kit.broker import TestBroker
from tests.kit.waiting import until
from tracker.domain.clock import utc_now


def seen(service: AckingService) -> dict[str, list[dict[str, Any]]]:
    """What each device reported, in the order of arrival."""
    found: dict[str, list[dict[str, Any]]] = {}
    with service.lock:
        for topic, body in service.messages:
            root, _, device_id, *rest = topic.split("/")
            if root == "owntracks" or rest == ["position"]:
                document = json.loads(body)
                found.setdefault(device_id, []).extend(document if isinstance(document, list) else [document])
    return found


def test_all_tracks_move_as_now_at_places_that_were_recorded(broker: TestBroker) -> None:
    devices = {
        name: device_on(broker, track=name, dialect="owntracks" if name == "child-walk" else "native")
        for name in sorted(TRACKS)
    }
    stop = threading.Event()
    started = utc_now() - timedelta(seconds=1)
    credentials = credentials_on(broker, *devices.values())
    thread = threading.Thread(target=lambda: run_demo(credentials, stopped=stop.is_set))
    with acking_service(broker) as service:
        thread.start()
        try:
            until(lambda: len(seen(service)) == len(devices), "every device to report")
            until(
                lambda: sum(len(each) >= 2 for each in seen(service).values()) >= 6,
                "six to move",
                timeout_s=60,
            )
        finally:
            stop.set()
            thread.join()
        reports = seen(service)
    for name, device in devices.items():
        recorded = {(fix.lat, fix.lon) for fix in named_track(name).read()}
        for report in reports[device.device_id]:
            assert (report["lat"], report["lon"]) in recorded
            at = (
                datetime.fromtimestamp(report["tst"], UTC)
                if "tst" in report
                else datetime.fromisoformat(report["time"])
            )
            assert started - timedelta(seconds=1) <= at <= utc_now()
            assert report.get("acc") or report["accuracy_m"]


def test_unknown_track_is_refused_before_anything_starts(broker: TestBroker) -> None:
    with pytest.raises(TrackUnreadable):
        players(credentials_on(broker, device_on(broker, track="moon")))


def test_suspended_machine_does_not_rush_through_what_it_missed(broker: TestBroker) -> None:
    (player,) = players(credentials_on(broker, device_on(broker, track="child-walk")))
    assert kept(player) == 0
    player.tick(0.0)
    player.tick(100_000.0)
    player.tick(100_000.1)
    assert kept(player) == 2


def kept(player: Player) -> int:
    return len(player._device.buffer)


def test_command_ends_in_order_on_sigterm(broker: TestBroker, tmp_path: Path) -> None:
    device = device_on(broker, track="bus-14")
    path = tmp_path / "demo.json"
    entry = {"device_id": device.device_id, "password": device.password, "track": "bus-14"}
    path.write_text(json.dumps({"host": "127.0.0.1", "port": broker.port, "devices": [entry]}))
    with acking_service(broker) as service:
        demo = subprocess.Popen(
            [sys.executable, "-m", "devices.simulator", "demo", "--credentials", str(path)]
        )
        try:
            until(lambda: device.device_id in seen(service), "the bus to report")
        finally:
            demo.send_signal(signal.SIGTERM)
            ended = demo.wait(timeout=10)
        assert ended == 0
        until(lambda: service.statuses(device.device_id)[-1:] == [b"offline"], "offline")
