"""A load of positions with a proof: many native devices publish at a rate until every position is committed.

What the service acknowledged is written as lines `device_id,recorded_at` (RFC 3339, milliseconds) to a
file, so that a checker can compare it with the database after processes were killed in between. Memory is
bounded: a device that holds `Habits.capacity` unacknowledged positions makes no more until some are
acknowledged, whatever the rate asks.
"""

import json
import math
import secrets
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

from devices.simulator.credentials import Credentials
from devices.simulator.drive import drive
from devices.simulator.link import Link
from devices.simulator.tracker_device import Habits, Position, TrackerDevice, timestamp

ONE_TICK_OF_THE_WIRE = timedelta(milliseconds=1)
CENTRE_LAT, CENTRE_LON = 60.170, 24.941
METRES_PER_DEGREE = 111_195.0
HABITS = Habits(capacity=1_000, window=200, per_message=1, patience_s=5.0)
REPORT_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class FleetReport:
    """What a run did. `complete` is true when every position made was acknowledged by the service."""

    complete: bool
    devices: int
    made: int
    published: int
    broker_acked: int
    broker_refused: int
    app_acked: int
    connection_losses: int
    resends: int
    seconds: float
    positions_per_s: float


class FleetDevice:
    """One device of the fleet: it makes positions on demand, no two of them with the same time."""

    def __init__(self, device: TrackerDevice, *, number: int) -> None:
        self._device = device
        self._number = number
        self._made = 0
        self._last: datetime | None = None

    @property
    def link(self) -> Link:
        """The device's connection."""
        return self._device.link

    @property
    def full(self) -> bool:
        """True when the device's memory takes no more."""
        return self._device.buffer.full

    @property
    def resends(self) -> int:
        """How often it began again with the oldest kept after a stall."""
        return self._device.resends

    def make(self, now: datetime) -> None:
        """Record one position at `now`, or a millisecond after the last one if that is later."""
        # The wire carries milliseconds: two positions within one would be one position to the service.
        moment = now if self._last is None else max(now, self._last + ONE_TICK_OF_THE_WIRE)
        self._last = moment
        lat, lon = place_on_round(self._number, self._made)
        self._made += 1
        self._device.record(
            Position(time=moment, lat=lat, lon=lon, more={"accuracy_m": 5.0, "battery_pct": 80.0})
        )

    def tick(self, now_s: float) -> None:
        """Let the device send."""
        self._device.tick(now_s)

    def sign_off(self) -> None:
        """Say goodbye."""
        self._device.sign_off()


def place_on_round(device_number: int, step: int) -> tuple[float, float]:
    """Latitude and longitude on a round of 100 m radius, 100 places a lap; each device has a round of its
    own."""
    angle = 2 * math.pi * (step % 100) / 100
    centre_lat = CENTRE_LAT + 0.003 * (device_number // 30)
    centre_lon = CENTRE_LON + 0.006 * (device_number % 30)
    lat = centre_lat + 100 * math.sin(angle) / METRES_PER_DEGREE
    lon = centre_lon + 100 * math.cos(angle) / (METRES_PER_DEGREE * math.cos(math.radians(centre_lat)))
    return round(lat, 6), round(lon, 6)


class Fleet:
    """Devices that make `positions` in all at `rate_per_s`, in turns."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        positions: int,
        rate_per_s: float,
        acked: TextIO,
        habits: Habits = HABITS,
    ) -> None:
        self._positions = positions
        self._rate_per_s = rate_per_s
        self._acked = acked
        self._turn = 0
        self._last_s: float | None = None
        self._allowance = 0.0
        self.made = 0
        self.app_acked = 0
        boot = secrets.token_hex(8)
        self.devices = tuple(
            FleetDevice(
                TrackerDevice(
                    broker=credentials.broker,
                    credentials=each,
                    boot=boot,
                    habits=habits,
                    on_committed=self._committed(each.device_id),
                ),
                number=number,
            )
            for number, each in enumerate(credentials.devices)
        )

    @property
    def complete(self) -> bool:
        """True when all positions were made and acknowledged by the service."""
        return self.app_acked >= self._positions

    def work(self, now_s: float, now: datetime) -> None:
        """Make the positions that are due; a full fleet makes none and does not catch up more than a
        second's worth."""
        elapsed_s = 0.0 if self._last_s is None else now_s - self._last_s
        self._last_s = now_s
        self._allowance = min(self._allowance + elapsed_s * self._rate_per_s, max(1.0, self._rate_per_s))
        full_in_a_row = 0
        while self._allowance >= 1 and self.made < self._positions and full_in_a_row < len(self.devices):
            device = self.devices[self._turn]
            self._turn = (self._turn + 1) % len(self.devices)
            if device.full:
                full_in_a_row += 1
                continue
            full_in_a_row = 0
            device.make(now)
            self.made += 1
            self._allowance -= 1

    def report(self, seconds: float) -> FleetReport:
        """The counts so far, after `seconds` of work."""
        counts = [device.link.counts for device in self.devices]
        return FleetReport(
            complete=self.complete,
            devices=len(self.devices),
            made=self.made,
            published=sum(each.published for each in counts),
            broker_acked=sum(each.broker_acked for each in counts),
            broker_refused=sum(each.broker_refused for each in counts),
            app_acked=self.app_acked,
            connection_losses=sum(each.losses for each in counts),
            resends=sum(device.resends for device in self.devices),
            seconds=round(seconds, 3),
            positions_per_s=round(self.app_acked / seconds, 1) if seconds else 0.0,
        )

    def _committed(self, device_id: str) -> Callable[[Position], None]:
        def committed(position: Position) -> None:
            self.app_acked += 1
            self._acked.write(f"{device_id},{timestamp(position.time)}\n")

        return committed


def run_fleet(
    credentials: Credentials,
    *,
    positions: int,
    rate_per_s: float,
    out: Path,
    timeout_s: float,
    stopped: Callable[[], bool],
    progress: TextIO = sys.stderr,
) -> FleetReport:
    """Publish until every position is acknowledged, `timeout_s` have passed or `stopped`; report what
    happened."""
    with out.open("w", encoding="ascii") as acked:
        fleet = Fleet(credentials, positions=positions, rate_per_s=rate_per_s, acked=acked)
        clock = _Progress(fleet, timeout_s=timeout_s, stopped=stopped, acked=acked, progress=progress)
        drive(fleet.devices, done=clock.done)
        return fleet.report(clock.seconds)


class _Progress:
    """Asks the fleet to work at every turn of the loop, and tells how far it is."""

    def __init__(
        self, fleet: Fleet, *, timeout_s: float, stopped: Callable[[], bool], acked: TextIO, progress: TextIO
    ) -> None:
        self._fleet = fleet
        self._timeout_s = timeout_s
        self._stopped = stopped
        self._acked = acked
        self._progress = progress
        self._started_s: float | None = None
        self._told_s = 0.0
        self.seconds = 0.0

    def done(self, now_s: float) -> bool:
        if self._started_s is None:
            self._started_s = self._told_s = now_s
        self.seconds = now_s - self._started_s
        self._fleet.work(now_s, datetime.now(UTC))
        if now_s - self._told_s >= REPORT_EVERY_S:
            self._told_s = now_s
            self._acked.flush()
            print(summary(self._fleet.report(self.seconds)), file=self._progress, flush=True)
        return self._fleet.complete or self.seconds >= self._timeout_s or self._stopped()


def summary(report: FleetReport) -> str:
    """The report as one JSON object on one line."""
    return json.dumps(asdict(report))
