"""The tracks by name, with everything about them that is invented: accuracy, battery, compression of
time and, for the cats, the place."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from devices.simulator.track import (
    Fix,
    Step,
    TrackUnreadable,
    carried_to,
    moving_part,
    play,
    read_csv,
    read_gpx,
)

TRACKS_DIR = Path(__file__).resolve().parent.parent / "tracks"
COLLAR_LONGEST_GAP_S = 600.0


@dataclass(frozen=True, slots=True)
class NamedTrack:
    """How one track is read and played.

    `accuracy_m` is synthetic: no recorded track carries one. `speedup` says how many times faster than
    recorded the fixes follow each other. `battery_pct` is the synthetic level at the start, or None for a
    device that has no battery.
    """

    read: Callable[[], tuple[Fix, ...]]
    accuracy_m: float
    speedup: float
    there_and_back: bool
    battery_pct: float | None
    start_at: float = 0.0

    def steps(self) -> Iterator[Step]:
        """The track, played for ever."""
        return play(
            self.read(), speedup=self.speedup, there_and_back=self.there_and_back, start_at=self.start_at
        )


def named_track(name: str) -> NamedTrack:
    """The track of this name.

    Raises: TrackUnreadable if there is none.
    """
    try:
        return TRACKS[name]
    except KeyError:
        raise TrackUnreadable(f"no track {name!r}; there are {', '.join(sorted(TRACKS))}") from None


def _cat(subject: str, battery_pct: float, *, lat: float, lon: float) -> NamedTrack:
    """A collar that was recorded about every 4 minutes, played 20 times faster: a fix about every 10
    seconds. The walk is carried to a park of the shipped street map, shape and size kept."""

    def read() -> tuple[Fix, ...]:
        fixes = read_csv(TRACKS_DIR / "pets.csv", only={"subject": subject})
        return carried_to(moving_part(fixes, longest_gap_s=COLLAR_LONGEST_GAP_S), lat=lat, lon=lon)

    return NamedTrack(read=read, accuracy_m=15.0, speedup=20.0, there_and_back=True, battery_pct=battery_pct)


def _walk(file_name: str, *, accuracy_m: float, battery_pct: float, start_at: float = 0.0) -> NamedTrack:
    """A constructed closed walk at its own pace."""
    return NamedTrack(
        read=lambda: read_csv(TRACKS_DIR / file_name),
        accuracy_m=accuracy_m,
        speedup=1.0,
        there_and_back=False,
        battery_pct=battery_pct,
        start_at=start_at,
    )


TRACKS: dict[str, NamedTrack] = {
    "child-walk": _walk("child-walk.csv", accuracy_m=8.0, battery_pct=78.0),
    "grandmother-walk": _walk("grandmother-walk.csv", accuracy_m=12.0, battery_pct=55.0),
    "lake-walk": NamedTrack(
        read=lambda: moving_part(read_gpx(TRACKS_DIR / "cerknicko-jezero.gpx"), longest_gap_s=300.0),
        accuracy_m=10.0,
        speedup=1.0,
        there_and_back=True,
        battery_pct=64.0,
    ),
    "cat-beanie": _cat("Beanie", 91.0, lat=60.1745, lon=24.9455),
    "cat-gracie": _cat("Gracie", 47.0, lat=60.1676, lon=24.9490),
    "cat-jim": _cat("Jim", 83.0, lat=60.1755, lon=24.9405),
    "cat-maverick": _cat("Maverick", 69.0, lat=60.1718, lon=24.9365),
    "bus-14": NamedTrack(
        # One trip, at the pace it was driven: eight trips one after another would jump back to the first
        # stop.
        read=lambda: read_csv(TRACKS_DIR / "vehicle.csv", only={"trip": "1097"}),
        accuracy_m=6.0,
        speedup=1.0,
        there_and_back=True,
        battery_pct=None,
    ),
}


def accuracy_of_fix_m(base_m: float, number: int) -> float:
    """A synthetic accuracy radius in metres for the `number`-th fix: 0.8 to 1.4 times the base,
    repeatable."""
    return round(base_m * (0.8 + 0.1 * (number * 5 % 7)), 1)


def battery_at_pct(start_pct: float, elapsed_s: float) -> float:
    """A synthetic battery level: 1 % less every 6 minutes, charged to full again when it reaches 10 %."""
    range_pct = 90.0
    used_pct = (100.0 - start_pct + elapsed_s / 360.0) % range_pct
    return float(round(100.0 - used_pct))
