"""Seeed SenseCAP T1000 (Seeed-Solution/SenseCAP-Decoder): lists of measurements, numbered and timed.

Each frame of a message is a list; an old formatter gives one flat list, with the time as a measurement of its
own. Wi-Fi and Bluetooth scans hold the addresses of strangers' devices and no place: they are dropped.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from tracker.domain.errors import Malformed, Reason
from tracker.ingest.codecs._reading import Fields, Reading, need, signed, told_place, told_time, unsigned
from tracker.ingest.dialects._fields import ELEMENTS, as_number, extras, storable

LONGITUDE, LATITUDE, BATTERY, EVENTS = "4197", "4198", "3000", "4200"
DROPPED = frozenset({LONGITUDE, LATITUDE, BATTERY, EVENTS, "5001", "5002", "6152"})
MOVES = {1: True, 2: False, 3: False}
"""Events that tell of motion: its start, its end, and that there was none for long."""

# Length of each frame with its number; of 0x0C and 0x0E it is not fixed.
FRAME_BYTES: Mapping[int, int] = dict(
    (
        *((0x01, 47), (0x02, 16), (0x03, 32), (0x04, 10), (0x05, 5), (0x06, 22), (0x07, 42), (0x08, 35)),
        *((0x09, 18), (0x0A, 38), (0x0B, 31), (0x0D, 5), (0x0F, 17), (0x10, 13), (0x11, 14)),
        *((0x1A, 28), (0x1B, 48), (0x1C, 41), (0x1D, 20)),
    )
)
FIX_FRAMES = frozenset({0x06, 0x09, 0x1A})


class T1000:
    """The codec of the T1000-A, -B and -E."""

    name = "sensecap_t1000"

    def read(self, fields: Fields) -> tuple[Reading, ...] | None:
        """Return one reading a frame.

        Raises:
            Malformed: TOO_LARGE: more than 1000 frames; or a frame has half a place, or one out of range.
        """
        frames = _frames(fields.get("messages"))
        if frames is None:
            return None
        level = next((found for each in frames if (found := _battery(each)) is not None), None)
        return tuple(_reading(each, level) for each in frames)

    def decode(self, payload: bytes, port: int) -> Fields:  # noqa: ARG002
        """Return the frames with a fix; others are passed over.

        Raises:
            Malformed: WRONG_SHAPE: cut off.
        """
        found: list[list[dict[str, Any]]] = []
        at = 0
        while at < len(payload) and (size := FRAME_BYTES.get(payload[at])) is not None:
            need(payload, at + size)
            if payload[at] in FIX_FRAMES:
                found.append(_fix(payload[at : at + size]))
            at += size
        return {"messages": found}


def _fix(frame: bytes) -> list[dict[str, Any]]:
    bits = unsigned(frame[1:4])
    events = [{"id": each + 1} for each in range(24) if bits >> each & 1]
    values = {
        EVENTS: events,
        LONGITUDE: signed(frame[9:13]) / 1e6,
        LATITUDE: signed(frame[13:17]) / 1e6,
        BATTERY: frame[-1],
    }
    time_ms = unsigned(frame[5:9]) * 1000
    return [
        {"measurementId": each, "measurementValue": value, "timestamp": time_ms}
        for each, value in values.items()
    ]


def _frames(messages: Any) -> list[dict[str, dict[str, Any]]] | None:
    """Return the frames, each as its measurements by number."""
    if not isinstance(messages, list):
        return None
    if len(messages) > ELEMENTS:
        raise Malformed(Reason.TOO_LARGE, f"more than {ELEMENTS} frames")
    lists = [each for each in messages if isinstance(each, list)]
    return [_by_number(each) for each in lists or [messages]]


def _by_number(elements: Iterable[Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for each in elements:
        if not isinstance(each, dict):
            continue
        number = each.get("measurementId")
        if str(each.get("type")).strip().lower() == "timestamp":
            found["time"] = each
        elif isinstance(number, int | float | str) and not isinstance(number, bool):
            found[str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)] = (
                each
            )
    return found


def _reading(frame: Mapping[str, dict[str, Any]], level: float | None) -> Reading:
    lat, lon = (frame.get(name, {}).get("measurementValue") for name in (LATITUDE, LONGITUDE))
    found = told_place(lat, lon)
    events = frame.get(EVENTS, {}).get("measurementValue")
    told = {
        _name(each, number): each.get("measurementValue")
        for number, each in frame.items()
        if number not in DROPPED and number != "time"
    }
    own = _battery(frame)
    return Reading(
        place=found,
        no_fix=found is None and (lat is not None or lon is not None),
        recorded_at=_moment(frame),
        # The level may stand in another frame than the fix.
        battery_pct=level if own is None and found is not None else own,
        motion=_motion(events),
        trigger=_trigger(events),
        attrs=extras(told),
    )


def _name(element: Mapping[str, Any], number: str) -> str:
    kind = element.get("type")
    return kind.strip().lower().replace(" ", "_") if isinstance(kind, str) and kind.strip() else number


def _moment(frame: Mapping[str, dict[str, Any]]) -> datetime | None:
    if "time" in frame:
        return told_time(frame["time"].get("measurementValue"))
    named = [frame[name] for name in (LATITUDE, LONGITUDE) if name in frame]
    stamps = (each.get("timestamp") for each in (*named, *frame.values()))
    return told_time(next((each for each in stamps if each is not None), None))


def _battery(frame: Mapping[str, dict[str, Any]]) -> float | None:
    value = as_number(frame.get(BATTERY, {}).get("measurementValue"), strings=True)
    return value if value is not None and 0 <= value <= 100 else None


def _numbers(events: Any) -> list[int]:
    listed = events if isinstance(events, list) else []
    return [each["id"] for each in listed if isinstance(each, dict) and each.get("id").__class__ is int]


def _motion(events: Any) -> bool | None:
    return next((MOVES[each] for each in _numbers(events) if each in MOVES), None)


def _trigger(events: Any) -> str | None:
    """Return the events as the formatter names them, or by their numbers."""
    if isinstance(events, str):
        return storable(events[:64])
    listed = events if isinstance(events, list) else []
    names = [each.get("eventName", each.get("id")) for each in listed if isinstance(each, dict)]
    return storable(", ".join(str(each).rstrip(".") for each in names if each is not None)[:64])


CODEC = T1000()
