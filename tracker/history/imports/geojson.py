"""GeoJSON (RFC 7946): points with a time among their properties, and lines with a list of times.

Times of lines are where converters put them: `coordTimes` or `coordinateProperties.times` (togeojson),
`times`; of points: the names below, among them those of this product, of Overland and of Dawarich.
"""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from tracker.domain.position import Position
from tracker.history.imports._fix import fix, moment, number, place
from tracker.history.imports._json import Element, Unreadable, elements
from tracker.history.imports._record import Record, Refusal, Unfit, Why

TIMES = ("recorded_at", "timestamp", "time", "datetime", "date_time", "tst", "when", "date")


class GeoJson:
    """Reads the dated features of a GeoJSON file."""

    name = "geojson"
    title = "GeoJSON"

    def matches(self, head: bytes) -> bool:
        """Tell whether it speaks of features with geometries, or is Overland's list of locations."""
        start = head.lstrip()[:1]
        return (
            start in {b"{", b"["} and b'"Feature' in head and (b'"geometry"' in head or b'"features"' in head)
        )

    def read(self, stream: BinaryIO) -> Iterator[Record]:
        """Yield the dated places in the order of the file.

        Raises:
            Broken: the rest cannot be read.
        """
        alone: dict[str, Any] = {}
        for element in elements(stream):
            if element.is_member:
                if element.key in {"type", "geometry", "properties"}:
                    alone[element.key] = element.value
            elif element.key in {"features", "locations", ""}:
                yield from _records(element)
        if alone.get("type") == "Feature":
            yield from _records(Element("", 1, alone, False))


def _records(element: Element) -> Iterator[Record]:
    feature = element.value
    try:
        if isinstance(feature, Unreadable):
            raise Unfit(Why.NOT_READABLE)
        geometry = _object(_object(feature).get("geometry"))
        properties = feature.get("properties")
        known = properties if isinstance(properties, dict) else {}
        if geometry.get("type") == "Point":
            yield _point(geometry.get("coordinates"), _time_of(known), known)
            return
        if geometry.get("type") not in {"LineString", "MultiPoint"}:
            raise Unfit(Why.NO_PLACE)
        yield from _line(geometry.get("coordinates"), known, element.number)
    except Unfit as error:
        yield Refusal(element.number, error.why)


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Unfit(Why.NO_PLACE)
    return value


def _time_of(known: Mapping[str, Any]) -> object:
    return next((known[name] for name in TIMES if known.get(name) is not None), None)


def _line(coordinates: object, known: Mapping[str, Any], element: int) -> Iterator[Record]:
    inner = known.get("coordinateProperties")
    times = (
        known.get("coordTimes")
        or known.get("times")
        or (inner.get("times") if isinstance(inner, dict) else None)
    )
    if not isinstance(coordinates, list):
        raise Unfit(Why.NO_PLACE)
    if not isinstance(times, list) or len(times) != len(coordinates):
        raise Unfit(Why.NO_TIME)
    for at, time in zip(coordinates, times, strict=True):
        try:
            yield _point(at, time, {})
        except Unfit as error:
            yield Refusal(element, error.why)


def _point(at: object, time: object, known: Mapping[str, Any]) -> Position:
    if not isinstance(at, list) or len(at) < 2:
        raise Unfit(Why.NO_PLACE)

    def first(*names: str) -> object:
        return next((known[name] for name in names if known.get(name) is not None), None)

    altitude = first("altitude_m", "altitude")
    return fix(
        moment(time),
        place(at[1], at[0]),
        accuracy_m=first("accuracy_m", "horizontal_accuracy", "accuracy"),
        altitude_m=altitude if altitude is not None else (at[2] if len(at) > 2 else None),
        speed_mps=first("speed_mps", "speed"),
        course_deg=first("course_deg", "course", "heading", "bearing"),
        battery_pct=known["battery_pct"] if "battery_pct" in known else _percent(known.get("battery_level")),
        charging=_charging(known),
        ignition=known.get("ignition"),
        motion=known["motion"] if isinstance(known.get("motion"), bool) else None,
        trigger=known.get("trigger"),
        satellites=known.get("satellites"),
        hdop=known.get("hdop"),
        odometer_m=known.get("odometer_m"),
        network=known.get("network"),
        attrs=known.get("attrs"),
    )


def _percent(level: object) -> float | None:
    """Return Overland's battery level, 0..1 or -1 for unknown, in per cent."""
    share = number(level)
    return share * 100 if share is not None and 0 <= share <= 1 else None


def _charging(known: Mapping[str, Any]) -> bool | None:
    if isinstance(known.get("charging"), bool):
        return bool(known["charging"])
    state = known.get("battery_state")
    return state in {"charging", "full"} if state in {"charging", "full", "unplugged"} else None


FORMAT = GeoJson()
