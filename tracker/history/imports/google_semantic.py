"""Google Takeout, Semantic Location History: one file a month (until 2024), visits and journeys.

No specification is published; https://locationhistoryformat.com/reference/semantic/ describes it. The raw
path of a journey is fixes. Start and end of a journey and the place of a visit are conclusions of Google's
and are marked so in `attrs`. Waypoints have no times and are passed over.
"""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from tracker.domain.position import Position
from tracker.history.imports._fix import fix, moment, place_e7
from tracker.history.imports._json import elements
from tracker.history.imports._record import Record, Refusal, Unfit, Why


class GoogleSemantic:
    """Reads the visits and journeys of one month."""

    name = "google_semantic"
    title = "Google Takeout: Semantic Location History"

    def matches(self, head: bytes) -> bool:
        """Tell whether it is an object with `timelineObjects`."""
        return b'"timelineObjects"' in head

    def read(self, stream: BinaryIO) -> Iterator[Record]:
        """Yield the places in the order of the file.

        Raises:
            Broken: the rest cannot be read.
        """
        for element in elements(stream):
            if element.key != "timelineObjects" or element.is_member:
                continue
            found: Iterator[tuple[object, object, object, str]]
            if isinstance(element.value, dict):
                found = _moments(element.value)
            else:
                yield Refusal(element.number, Why.NOT_READABLE)
                continue
            for time, at, accuracy, inferred in found:
                try:
                    yield _position(time, at, accuracy, inferred)
                except Unfit as error:
                    yield Refusal(element.number, error.why)


def _moments(value: Mapping[str, Any]) -> Iterator[tuple[object, object, object, str]]:
    """Yield (time, place, accuracy in metres, what it was concluded from or "")."""
    journey, visit = value.get("activitySegment"), value.get("placeVisit")
    if isinstance(journey, dict):
        start, end = _span(journey)
        if "startLocation" in journey:
            yield start, journey["startLocation"], None, "journey"
        path = journey.get("simplifiedRawPath")
        points = path.get("points") if isinstance(path, dict) else None
        for point in points if isinstance(points, list) else ():
            known = point if isinstance(point, dict) else {}
            time = known.get("timestamp", known.get("timestampMs"))
            yield time, known, known.get("accuracyMeters", known.get("accuracy")), ""
        if "endLocation" in journey:
            yield end, journey["endLocation"], None, "journey"
    if isinstance(visit, dict):
        start, end = _span(visit)
        accuracy = visit.get("locationAccuracyMeters")
        yield start, visit.get("location"), accuracy, "visit"
        yield end, visit.get("location"), accuracy, "visit"


def _span(value: Mapping[str, Any]) -> tuple[object, object]:
    span = value.get("duration")
    known = span if isinstance(span, dict) else {}
    return (
        known.get("startTimestamp", known.get("startTimestampMs")),
        known.get("endTimestamp", known.get("endTimestampMs")),
    )


def _position(time: object, at: object, accuracy: object, inferred: str) -> Position:
    if not isinstance(at, dict):
        raise Unfit(Why.NO_PLACE)
    lat = at.get("latitudeE7", at.get("latE7"))
    lon = at.get("longitudeE7", at.get("lngE7"))
    attrs = {"inferred": inferred} if inferred else None
    return fix(moment(time), place_e7(lat, lon), accuracy_m=accuracy, attrs=attrs)


FORMAT = GoogleSemantic()
