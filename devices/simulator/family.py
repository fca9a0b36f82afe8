"""The demo: each device of a credentials file plays its track for ever, now, over its own connection."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from devices.simulator.buffer import BufferFull
from devices.simulator.catalogue import NamedTrack, accuracy_of_fix_m, battery_at_pct, named_track
from devices.simulator.credentials import Broker, Credentials, DeviceCredentials
from devices.simulator.drive import drive
from devices.simulator.link import Link
from devices.simulator.owntracks_device import Location, OwnTracksDevice
from devices.simulator.track import Fix, Step
from devices.simulator.tracker_device import Habits, Position, TrackerDevice

# After an outage the kept positions travel together; 20 of them stay far below the broker's packet limit.
HABITS = Habits(per_message=20)

Record = Callable[[Fix, datetime, int, float], None]
"""Takes a fix, the present time, the fix's number from 0 and the seconds since the start."""


class Player:
    """One device and the track that it plays: a `Device` for `drive` that records each fix when it is due."""

    def __init__(
        self, *, device: TrackerDevice | OwnTracksDevice, steps: Iterator[Step], record: Record
    ) -> None:
        self._device = device
        self._steps = steps
        self._record = record
        self._started_s: float | None = None
        self._next = next(steps)
        self._due_s = 0.0
        self._number = 0
        self.overflows = 0

    @property
    def device_id(self) -> str:
        """The id of the device that plays."""
        return self._device.device_id

    @property
    def link(self) -> Link:
        """The device's connection."""
        return self._device.link

    def tick(self, now_s: float) -> None:
        """Record the fix that is due, if one is, and let the device send."""
        if self._started_s is None:
            self._started_s = self._due_s = now_s
        if now_s >= self._due_s:
            self._play(now_s, now_s - self._started_s)
        self._device.tick(now_s)

    def sign_off(self) -> None:
        """Say goodbye."""
        self._device.sign_off()

    def _play(self, now_s: float, elapsed_s: float) -> None:
        try:
            self._record(self._next.fix, datetime.now(UTC), self._number, elapsed_s)
        except BufferFull:
            # A real collar goes on too: what its memory cannot hold is not recorded.
            self.overflows += 1
        self._number += 1
        self._next = next(self._steps)
        # After a suspended machine the track goes on from here instead of rushing through what was missed.
        self._due_s += self._next.wait_s
        if self._due_s < now_s:
            self._due_s = now_s + self._next.wait_s


def players(credentials: Credentials) -> tuple[Player, ...]:
    """One player for each device.

    Raises: TrackUnreadable for a track that is not in the catalogue.
    """
    return tuple(_player(credentials.broker, each) for each in credentials.devices)


def run_demo(credentials: Credentials, *, stopped: Callable[[], bool]) -> None:
    """Play until `stopped`; a broker that is away or restarted is waited for."""
    playing: Sequence[Player] = players(credentials)
    drive(playing, done=lambda _now_s: stopped())


def _player(broker: Broker, credentials: DeviceCredentials) -> Player:
    track = named_track(credentials.track)
    if credentials.dialect == "owntracks":
        phone = OwnTracksDevice(broker=broker, credentials=credentials, signed_in_at=datetime.now(UTC))
        return Player(device=phone, steps=track.steps(), record=_phone_record(phone, track))
    tracker = TrackerDevice(
        broker=broker,
        credentials=credentials,
        boot=secrets.token_hex(8),
        habits=HABITS,
        on_committed=lambda _position: None,
    )
    return Player(device=tracker, steps=track.steps(), record=_tracker_record(tracker, track))


def _phone_record(phone: OwnTracksDevice, track: NamedTrack) -> Record:
    def record(fix: Fix, now: datetime, number: int, elapsed_s: float) -> None:
        phone.record(
            Location(
                time=now,
                lat=fix.lat,
                lon=fix.lon,
                accuracy_m=accuracy_of_fix_m(track.accuracy_m, number),
                battery_pct=battery_at_pct(
                    100.0 if track.battery_pct is None else track.battery_pct, elapsed_s
                ),
                altitude_m=fix.altitude_m,
                speed_mps=fix.speed_mps,
                course_deg=fix.course_deg,
            )
        )

    return record


def _tracker_record(tracker: TrackerDevice, track: NamedTrack) -> Record:
    def record(fix: Fix, now: datetime, number: int, elapsed_s: float) -> None:
        measured: dict[str, Any] = {
            "accuracy_m": accuracy_of_fix_m(track.accuracy_m, number),
            "altitude_m": fix.altitude_m,
            "speed_mps": fix.speed_mps,
            "course_deg": fix.course_deg,
            "battery_pct": None
            if track.battery_pct is None
            else battery_at_pct(track.battery_pct, elapsed_s),
            "trigger": "replay",
        }
        known = {name: value for name, value in measured.items() if value is not None}
        tracker.record(Position(time=now, lat=fix.lat, lon=fix.lon, more=known))

    return record
