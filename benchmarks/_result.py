"""What every measurement takes and gives."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Options:
    """How large a measurement is: `size` items a round, `rounds` rounds; None is the benchmark's default."""

    size: int | None = None
    rounds: int = 5


@dataclass(frozen=True, kw_only=True)
class Result:
    """Figures, the floors they are compared with, and their ratios; each by a name that tells the unit."""

    name: str
    figures: dict[str, float] = field(default_factory=dict)
    floors: dict[str, float] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)


def median(values: Sequence[float]) -> float:
    """Return the middle value, to four significant digits."""
    return float(f"{statistics.median(values):.4g}")
