"""Made movement: tracks of stays, ways, silences and spikes around Helsinki, with the noise of a receiver."""

import math
import random
from dataclasses import dataclass, field
from typing import Any

from tracker.history.track import Fix

LAT, LON = 60.17, 24.94
_NORTH = 111_195.0
_EAST = _NORTH * math.cos(math.radians(LAT))


@dataclass
class Walker:
    """Makes a track step by step; `noise_m` is the standard error of each coordinate."""

    noise_m: float = 3.0
    seed: int = 1
    every_s: float = 10.0
    accuracy_m: float | None = 8.0
    at_s: float = 1_700_000_000.0
    x_m: float = 0.0
    y_m: float = 0.0
    fixes: list[Fix] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def fix(self, **known: Any) -> Fix:
        """Add a fix of here and now."""
        x_m, y_m = (at + self._random.gauss(0, self.noise_m) for at in (self.x_m, self.y_m))
        made = place(self.at_s, x_m, y_m, self.accuracy_m)._replace(**known)
        self.fixes.append(made)
        return made

    def stay(self, for_s: float, **known: Any) -> "Walker":
        """Stay here."""
        for _ in range(int(for_s / self.every_s)):
            self.at_s += self.every_s
            self.fix(**known)
        return self

    def go(self, x_m: float, y_m: float, at_mps: float, **known: Any) -> "Walker":
        """Go straight to a place."""
        start = (self.x_m, self.y_m)
        steps = max(1, round(math.hypot(x_m - start[0], y_m - start[1]) / at_mps / self.every_s))
        for step in range(1, steps + 1):
            self.at_s += self.every_s
            self.x_m = start[0] + (x_m - start[0]) * step / steps
            self.y_m = start[1] + (y_m - start[1]) * step / steps
            self.fix(**known)
        return self

    def silence(self, for_s: float) -> "Walker":
        """Tell nothing."""
        self.at_s += for_s
        return self

    def spike(self, x_m: float, y_m: float) -> "Walker":
        """Tell one place where it is not."""
        self.at_s += self.every_s
        self.fixes.append(place(self.at_s, self.x_m + x_m, self.y_m + y_m, self.accuracy_m))
        return self


def place(at_s: float, x_m: float, y_m: float, accuracy_m: float | None = 8.0) -> Fix:
    """Return a fix so many metres east and north of the middle."""
    return Fix(at_s, LAT + y_m / _NORTH, LON + x_m / _EAST, accuracy_m)


def day() -> Walker:
    """Return a day: home, walk to school, school, drive to a shop, silence, home."""
    walker = Walker()
    walker.stay(1200).go(600, 0, 1.3).stay(3600).go(600, 4000, 12.0).stay(900)
    return walker.silence(3600).go(0, 3000, 10.0).go(0, 0, 10.0).stay(1200)
