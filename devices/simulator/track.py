"""Recorded tracks, and how they are played for ever without inventing a place.

A track is a list of fixes with the seconds between them. Playing it yields the recorded fixes only: nothing
is interpolated, and the present time is given to a fix by whoever publishes it. Tracks that do not end
where they began are played there and back, because a jump from the end to the start would be a movement
that never happened.
"""

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

EARTH_RADIUS_M = 6_371_008.8


class TrackUnreadable(ValueError):
    """The file holds no such track, or fewer than two fixes of it."""


@dataclass(frozen=True, slots=True)
class Fix:
    """One recorded fix; `offset_s` counts from the track's first fix and never falls."""

    offset_s: float
    lat: float
    lon: float
    altitude_m: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Wait `wait_s` (real seconds, zero or more), then publish `fix`."""

    wait_s: float
    fix: Fix


def read_csv(path: Path, *, only: dict[str, str] | None = None) -> tuple[Fix, ...]:
    """Fixes of a CSV file in file order, from the rows whose columns equal `only`; rows marked as outliers
    are left out.

    The time is in `recorded_at` (RFC 3339) or `offset_s` (seconds).

    Raises: TrackUnreadable.
    """
    wanted = dict(only or {})
    with path.open(newline="", encoding="utf-8") as lines:
        rows = [
            row
            for row in csv.DictReader(lines)
            if row.get("outlier") != "true" and all(row.get(name) == value for name, value in wanted.items())
        ]
    return _from_zero([_fix_of_row(row) for row in rows], path.name)


def read_gpx(path: Path) -> tuple[Fix, ...]:
    """Fixes of all timed points of a GPX 1.0 or 1.1 file in file order.

    Raises: TrackUnreadable.
    """
    # The tracks are files of this package, not input of strangers.
    root = ElementTree.parse(path).getroot()  # noqa: S314
    space = root.tag.partition("}")[0] + "}"
    fixes = []
    for point in root.iter(f"{space}trkpt"):
        time = point.findtext(f"{space}time")
        if time is None:
            continue
        altitude = point.findtext(f"{space}ele")
        fixes.append(
            Fix(
                offset_s=datetime.fromisoformat(time).timestamp(),
                lat=float(point.attrib["lat"]),
                lon=float(point.attrib["lon"]),
                altitude_m=None if altitude is None else float(altitude),
            )
        )
    return _from_zero(fixes, path.name)


def moving_part(fixes: Sequence[Fix], *, longest_gap_s: float) -> tuple[Fix, ...]:
    """The longest stretch (by number of fixes, the first of equals) with no gap longer than
    `longest_gap_s`."""
    best = start = 0
    length = 0
    for index in range(1, len(fixes) + 1):
        if index == len(fixes) or fixes[index].offset_s - fixes[index - 1].offset_s > longest_gap_s:
            if index - start > length:
                best, length = start, index - start
            start = index
    return _from_zero(fixes[best : best + length], "stretch")


def carried_to(fixes: Sequence[Fix], *, lat: float, lon: float) -> tuple[Fix, ...]:
    """The same movement elsewhere: the first fix lies at `lat`, `lon`, and every offset in metres is kept.

    Good to a few kilometres and away from the poles.
    """
    start = fixes[0]
    stretch = math.cos(math.radians(start.lat)) / math.cos(math.radians(lat))
    return tuple(
        replace(
            fix,
            lat=round(lat + fix.lat - start.lat, 6),
            lon=round(lon + (fix.lon - start.lon) * stretch, 6),
        )
        for fix in fixes
    )


def play(
    fixes: Sequence[Fix], *, speedup: float, there_and_back: bool, start_at: float = 0.0
) -> Iterator[Step]:
    """Yield the fixes for ever, each with the real seconds to wait before it; the first waits 0.

    `speedup` divides the recorded waits; recorded speeds are left as they are. `there_and_back` plays the
    track backwards after its end, with courses turned round. `start_at` (0 to 1) begins that far into the
    first round.
    """
    out = list(pairwise(fixes))
    last_gap_s = out[-1][1].offset_s - out[-1][0].offset_s
    laps = [Step((after.offset_s - before.offset_s) / speedup, after) for before, after in out]
    if there_and_back:
        laps += [
            Step((after.offset_s - before.offset_s) / speedup, _turned(before))
            for before, after in reversed(out)
        ]
    else:
        laps.append(Step(last_gap_s / speedup, fixes[0]))
    first = math.floor(start_at * len(laps)) % len(laps)
    yield Step(0.0, laps[first - 1].fix if first else fixes[0])
    yield from laps[first:]
    while True:
        yield from laps


def distance_m(a: Fix, b: Fix) -> float:
    """Great-circle distance in metres (haversine, mean Earth radius)."""
    d_lat, d_lon = math.radians(b.lat - a.lat), math.radians(b.lon - a.lon)
    h = (
        math.sin(d_lat / 2) ** 2
        + math.cos(math.radians(a.lat)) * math.cos(math.radians(b.lat)) * math.sin(d_lon / 2) ** 2
    )
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(h)))


def _fix_of_row(row: dict[str, str]) -> Fix:
    def number(name: str) -> float | None:
        text = row.get(name) or ""
        return float(text) if text else None

    offset_s = number("offset_s")
    return Fix(
        offset_s=datetime.fromisoformat(row["recorded_at"]).timestamp() if offset_s is None else offset_s,
        lat=float(row["lat"]),
        lon=float(row["lon"]),
        altitude_m=number("altitude_m"),
        speed_mps=number("speed_mps"),
        course_deg=number("course_deg"),
    )


def _from_zero(fixes: Sequence[Fix], name: str) -> tuple[Fix, ...]:
    if len(fixes) < 2:
        raise TrackUnreadable(f"{name}: fewer than two fixes")
    # Two receivers' logs joined in one file may step back in time: such fixes were not seen in this order.
    forward = [fixes[0]]
    forward.extend(after for before, after in pairwise(fixes) if after.offset_s > before.offset_s)
    start_s = forward[0].offset_s
    return tuple(replace(fix, offset_s=fix.offset_s - start_s) for fix in forward)


def _turned(fix: Fix) -> Fix:
    return fix if fix.course_deg is None else replace(fix, course_deg=(fix.course_deg + 180.0) % 360.0)
