"""A vehicle moves though nobody started it: towed, pushed, stolen."""

from typing import Any

from tracker.domain.fields import Field, FieldKind
from tracker.domain.geo import LatLon, distance_m
from tracker.domain.observation import Observation
from tracker.domain.plausibility import UNSAID_ACCURACY_M
from tracker.domain.rule import Input, InputKind, JsonState, Moved, Raised, Setting, Untimed, Urgency
from tracker.domain.subject import SubjectKind

CONFIRM_S = 12.0
"""Two fixes outside must be so far apart: an echo off a wall lasts a fix or two."""
ACCURACY_MOST_M = 200.0
"""Fixes less accurate, as those by mobile cells, tell nothing of a car in its place."""


class ParkedMoved(Untimed):
    """Raises "moved_while_parked" when a parked vehicle is surely out of `radius_m`, twice, unstarted.

    It is parked once it has kept its place for `after_s`: told by a later fix there, or by the device saying
    that its ignition is off or that it does not move, after which many report no more. A fix with the
    ignition on ends the parking, be it before the vehicle moves or with its first move. Of a device that does
    not know the ignition every departure counts: such a rule needs a schedule.
    """

    name = "parked_moved"
    title = "Moves while parked"
    fields = (
        Field(
            name="radius_m",
            kind=FieldKind.NUMBER,
            label="Farther than",
            default=80.0,
            least=20,
            most=2000,
            unit="m",
        ),
        Field(
            name="after_s",
            kind=FieldKind.DURATION,
            label="Parked after",
            default=300.0,
            least=60,
            most=86_400,
            unit="s",
        ),
    )
    inputs = frozenset({InputKind.MOVED})
    fits = frozenset({SubjectKind.VEHICLE})
    needs_fence = False
    urgency = Urgency.ALARM
    types = ("moved_while_parked",)

    def begin(self, setting: Setting) -> JsonState:
        """Return that no device has a place.

        By device: `lat`, `lon`, `since_s` of its place, `still` if it said that it does not move, `parked`,
        `out` the first fix outside: [moment, lat, lon, accuracy, distance].
        """
        return {}

    def step(
        self, setting: Setting, state: JsonState, given: Input, at_s: float
    ) -> tuple[JsonState, tuple[Raised, ...]]:
        """Take a position."""
        if not isinstance(given, Moved) or not _accuracy_m(given.fix) <= ACCURACY_MOST_M:
            return state, ()
        fix, place = given.fix, state.get(given.device_id)
        raised: tuple[Raised, ...] = ()
        if place is None or fix.ignition:
            now = _place(fix)
        else:
            now, raised = _moved(setting, given, place, at_s)
        return (state, raised) if now == place else ({**state, given.device_id: now}, raised)


def _moved(
    setting: Setting, given: Moved, place: dict[str, Any], at_s: float
) -> tuple[dict[str, Any], tuple[Raised, ...]]:
    fix, args = given.fix, setting.rule.args
    away_m = distance_m(LatLon(lat=place["lat"], lon=place["lon"]), LatLon(lat=fix.lat, lon=fix.lon))
    kept = fix.at_s - place["since_s"] >= args["after_s"]
    if away_m <= args["radius_m"] + _accuracy_m(fix):
        still = place["still"] or _is_still(fix)
        return {**place, "still": still, "parked": place["parked"] or kept, "out": None}, ()
    if not place["parked"] and not (kept and place["still"]):
        return _place(fix), ()
    out = place["out"]
    if out is None:
        return {**place, "out": [*fix[:4], away_m]}, ()
    if fix.at_s - out[0] < CONFIRM_S:
        return place, ()
    return _place(fix), (_raised(given, place, away_m, at_s),)


def _place(fix: Observation) -> dict[str, Any]:
    return {
        "lat": fix.lat,
        "lon": fix.lon,
        "since_s": fix.at_s,
        "still": _is_still(fix),
        "parked": False,
        "out": None,
    }


def _is_still(fix: Observation) -> bool:
    return fix.ignition is False or (fix.ignition is None and fix.motion is False)


def _accuracy_m(fix: Observation) -> float:
    return UNSAID_ACCURACY_M if fix.accuracy_m is None else fix.accuracy_m


def _raised(given: Moved, place: dict[str, Any], away_m: float, at_s: float) -> Raised:
    fix, out = given.fix, place["out"]
    data = {
        "device_id": given.device_id,
        "away_m": away_m,
        "parked_s": out[0] - place["since_s"],
        "lat": fix.lat,
        "lon": fix.lon,
        "earliest_at": out[0],
    }
    names = ("at_s", "lat", "lon", "accuracy_m", "distance_m")
    parked = (place["since_s"], place["lat"], place["lon"], None, 0.0)
    why = tuple(dict(zip(names, each, strict=True)) for each in (parked, out, (*fix[:4], away_m)))
    slot = f"{given.device_id}:{place['since_s']:.3f}"
    return Raised("moved_while_parked", out[0], at_s, slot, data, why)


RULE = ParkedMoved()
