"""The live chase of an escaped animal: where to look, how often to ask, when to end. Pure."""

from datetime import datetime
from enum import StrEnum

from tracker.store.chases import Chase

SPRINT_MPS, SPRINT_S = 13.0, 30.0
"""A cat at full speed (about 48 km/h), and how long it or a dog keeps that up."""
TROT_MPS = 2.0
"""A lost dog's or cat's pace over minutes: the pets of the study (benchmarks/truth.py) keep below it."""
DISC_MOST_M = 5_000.0
UNSAID_ACCURACY_M = 25.0
ROUNDED_PCT = 3.5
"""A start is told in steps of five percent (`escape`), and devices round to one: less tells no rate."""
SLOWEST_S = 600.0
"""A chase that asks more rarely than this is none."""


class Ending(StrEnum):
    """Why a chase ended."""

    CAUGHT = "caught"
    TIME = "time"
    BATTERY = "battery"
    CALLED_OFF = "called_off"


def disc_radius_m(accuracy_m: float | None, since_s: float) -> float:
    """Return the radius around the last fix that holds the animal `since_s` seconds later, at most 5 km.

    It may have sprinted for half a minute and then trotted; the fix itself may be off by twice its accuracy.
    """
    since_s = max(0.0, since_s)
    run_m = SPRINT_MPS * min(since_s, SPRINT_S) + TROT_MPS * max(0.0, since_s - SPRINT_S)
    return min(DISC_MOST_M, 2 * (UNSAID_ACCURACY_M if accuracy_m is None else accuracy_m) + run_m)


def interval_s(chase: Chase, battery_pct: float | None, now: datetime) -> float:
    """Return how often the device is to report now, in seconds.

    As asked for while its battery lasts to the end of the chase at the rate it has drained so far; else as
    much more rarely as it would fall short, at most every ten minutes.
    """
    asked_s = float(chase.report_every_s)
    if battery_pct is None or chase.battery_start_pct is None:
        return asked_s
    elapsed_s = (now - chase.started_at).total_seconds()
    left_s = (chase.ends_at - now).total_seconds()
    drained_pct = chase.battery_start_pct - battery_pct
    if elapsed_s <= 0 or left_s <= 0 or drained_pct <= ROUNDED_PCT:
        return asked_s
    needed_pct = drained_pct / elapsed_s * left_s
    spare_pct = battery_pct - chase.battery_least_pct
    if needed_pct <= spare_pct:
        return asked_s
    return min(SLOWEST_S, asked_s * needed_pct / max(spare_pct, 0.1))


def ending(
    chase: Chase, *, caught: bool, called_off: bool, battery_pct: float | None, now: datetime
) -> Ending | None:
    """Return why the chase is over, None while it is not."""
    if caught:
        return Ending.CAUGHT
    if called_off:
        return Ending.CALLED_OFF
    if now >= chase.ends_at:
        return Ending.TIME
    if battery_pct is not None and battery_pct <= chase.battery_least_pct:
        return Ending.BATTERY
    return None
