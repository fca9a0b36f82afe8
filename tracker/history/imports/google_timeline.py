"""Google Maps Timeline as a phone exports it (since 2024): Timeline.json, or location-history.json of iOS.

No specification is published; the shapes are those of exports that users showed in the issues of
dedicatedcode/reitti (#88), Freika/dawarich (#2587) and cpesch/RouteConverter (#351). Android: an object
with `semanticSegments` and `rawSignals`, places as "52.1°, 4.2°". iOS: an array of segments, places as
"geo:52.1,4.2", path points in minutes after the start of the segment. Visits and activities are
conclusions of Google's and are marked so in `attrs`.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, BinaryIO, NamedTuple

from tracker.domain.geo import LatLon
from tracker.domain.position import Position
from tracker.history.imports._fix import fix, moment, number, place
from tracker.history.imports._json import Element, elements
from tracker.history.imports._record import Record, Refusal, Unfit, Why


class _Said(NamedTuple):
    """One dated place: `after_min` minutes after `time`; `known` are its measures."""

    time: object
    at: object
    inferred: str = ""
    after_min: object = None
    known: Mapping[str, Any] = {}


class GoogleTimeline:
    """Reads the segments and raw signals of a phone's Timeline."""

    name = "google_timeline"
    title = "Google Maps Timeline"

    def matches(self, head: bytes) -> bool:
        """Tell whether it speaks of segments or raw signals of a Timeline."""
        if head.lstrip().startswith(b"["):
            return b'"startTime"' in head and any(
                name in head for name in (b'"visit"', b'"activity"', b'"timelinePath"', b'"timelineMemory"')
            )
        return b'"semanticSegments"' in head or b'"rawSignals"' in head

    def read(self, stream: BinaryIO) -> Iterator[Record]:
        """Yield the places in the order of the file.

        Raises:
            Broken: the rest cannot be read.
        """
        for element in elements(stream):
            if element.is_member or element.key not in {"", "semanticSegments", "rawSignals"}:
                continue
            if not isinstance(element.value, dict):
                yield Refusal(element.number, Why.NOT_READABLE)
                continue
            for said in _said(element):
                try:
                    yield _position(said)
                except Unfit as error:
                    yield Refusal(element.number, error.why)


def _said(element: Element) -> Iterator[_Said]:
    if element.key == "rawSignals":
        signal = element.value.get("position")
        if isinstance(signal, dict):
            yield _Said(signal.get("timestamp"), signal.get("LatLng", signal.get("latLng")), known=signal)
        return
    segment = element.value
    start, end = segment.get("startTime"), segment.get("endTime")
    path = segment.get("timelinePath")
    for point in path if isinstance(path, list) else ():
        known = point if isinstance(point, dict) else {}
        if "time" in known:
            yield _Said(known["time"], known.get("point"))
        else:
            yield _Said(start, known.get("point"), after_min=known.get("durationMinutesOffsetFromStartTime"))
    activity, visit = segment.get("activity"), segment.get("visit")
    if isinstance(activity, dict):
        yield _Said(start, activity.get("start"), "journey")
        yield _Said(end, activity.get("end"), "journey")
    if isinstance(visit, dict):
        best = visit.get("topCandidate")
        at = best.get("placeLocation") if isinstance(best, dict) else None
        yield _Said(start, at, "visit")
        yield _Said(end, at, "visit")


def _position(said: _Said) -> Position:
    at = _place(said.at)
    recorded_at = moment(said.time)
    if said.after_min is not None:
        minutes = number(said.after_min)
        if minutes is None or not 0 <= minutes <= 60 * 24 * 400:
            raise Unfit(Why.NO_TIME)
        try:
            recorded_at += timedelta(minutes=minutes)
        except OverflowError:
            raise Unfit(Why.NO_TIME) from None
    return fix(
        recorded_at,
        at,
        accuracy_m=said.known.get("accuracyMeters"),
        altitude_m=said.known.get("altitudeMeters"),
        speed_mps=said.known.get("speedMetersPerSecond"),
        attrs={"inferred": said.inferred} if said.inferred else None,
    )


def _place(value: object) -> LatLon:
    if isinstance(value, dict):
        value = value.get("latLng")
    if not isinstance(value, str) or len(value) > 100:
        raise Unfit(Why.NO_PLACE)
    lat, _, lon = value.removeprefix("geo:").replace("°", "").partition(",")
    return place(lat, lon.partition(";")[0])


FORMAT = GoogleTimeline()
