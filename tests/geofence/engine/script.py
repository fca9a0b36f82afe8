"""Plays scripts: a line a fix, `seconds  metres north  accuracy`, with one circle around the origin."""

from collections.abc import Iterable
from itertools import pairwise

from tracker.domain.crossing import Crossing
from tracker.domain.geo import EARTH_RADIUS_M, LatLon
from tracker.domain.geofence import Circle
from tracker.domain.observation import Observation
from tracker.geofence import verdict
from tracker.geofence.device_state import begin_checkpoints
from tracker.geofence.engine import Fences, Folded, Owner, Term, replay
from tracker.geofence.index import Fence
from tracker.geofence.shapes.circle import SHAPE

START_S = 1_700_000_000.0
LAT, LON = 60.0, 30.0
OWNER = Owner("a", "s", "d")
METRE_LAT = 180 / (3.141592653589793 * EARTH_RADIUS_M)
METRE_LON = METRE_LAT * 2  # at 60 degrees
HOME = "home"


def at(seconds: float, north_m: float, accuracy_m: float | None = 10.0, east_m: float = 0.0) -> Observation:
    """Return a fix so far from the centre."""
    return Observation(START_S + seconds, LAT + north_m * METRE_LAT, LON + east_m * METRE_LON, accuracy_m)


def fixes(script: str) -> list[Observation]:
    """Return the fixes of a script; an accuracy of `-` is one that was not told."""
    found = []
    for line in script.strip().splitlines():
        seconds, north_m, *rest = line.split("#")[0].split()
        accuracy = rest[0] if rest else "10"
        found.append(at(float(seconds), float(north_m), None if accuracy == "-" else float(accuracy)))
    assert all(a.at_s < b.at_s for a, b in pairwise(found))
    return found


def circle(
    name: str = HOME, radius_m: float = 100.0, north_m: float = 0.0, east_m: float = 0.0, version: int = 1
) -> Fence:
    """Return a circle so far from the centre."""
    center = LatLon(lat=LAT + north_m * METRE_LAT, lon=LON + east_m * METRE_LON)
    footprint = SHAPE.footprint(Circle(center=center, radius_m=radius_m))
    return Fence(name, version, footprint, footprint.inradius_m, verdict.margin_m(footprint.inradius_m))


def home(radius_m: float = 100.0, *, from_s: float | None = None, watched: bool = False) -> Fences:
    """Return the fence of a script; `from_s` in its seconds."""
    terms = {} if from_s is None else {HOME: Term(START_S + from_s)}
    return Fences([circle(radius_m=radius_m)], terms, [HOME] if watched else [])


def folded(script: str | Iterable[Observation], fences: Fences | None = None, until: float = 0) -> Folded:
    """Fold a script from the beginning and let time pass until its second `until`."""
    given = fixes(script) if isinstance(script, str) else list(script)
    return replay(begin_checkpoints(), fences or home(), given, OWNER, START_S + until)


def told(crossings: Iterable[Crossing]) -> list[str]:
    """Return crossings as `into how at=… decided=… earliest=…`, in seconds of the script."""
    return [
        f"{one.into} {one.how} at={_second(one.at.timestamp())} decided={_second(one.decided_at.timestamp())}"
        f" earliest={_second(one.earliest.timestamp())}"
        for one in crossings
    ]


def played(script: str, fences: Fences | None = None, until: float = 0) -> list[str]:
    """Return what a script makes, without where the device was first."""
    crossings = folded(script, fences, until).crossings
    return [line for line in told(crossings) if " first " not in line]


def _second(moment_s: float) -> str:
    return f"{moment_s - START_S:.6g}"
