"""KML 2.2 (OGC 07-147r2) and its gx:Track (Google extension namespace 2.2).

Placemarks with a point and a time, and tracks, are positions: a time span counts at its begin and its end.
A line without times tells no moment and counts as one refused element.
"""

from array import array
from collections.abc import Iterator
from typing import BinaryIO

from tracker.domain.position import Position
from tracker.history.imports._fix import EPOCH, fix, moment, place
from tracker.history.imports._record import Record, Refusal, Unfit, Why
from tracker.history.imports._xml import Tag, tags

FIELDS = 64
WAITING = 1_000_000
"""How many times of one gx:Track may stand before their coordinates: 8 MB."""


class Kml:
    """Reads the dated places of a KML file."""

    name = "kml"
    title = "KML"

    def matches(self, head: bytes) -> bool:
        """Tell whether the outermost element is `kml`."""
        return b"<kml" in head[:4096]

    def read(self, stream: BinaryIO) -> Iterator[Record]:
        """Yield the dated places in the order of the file.

        Raises:
            Broken: the rest cannot be read.
        """
        reader = _Reader()
        for tag in tags(stream):
            yield from reader.take(tag)


class _Reader:
    def __init__(self) -> None:
        self._count = 0
        self._placemark: dict[str, str] | None = None
        self._data = ""
        self._had_track = False
        self._track: _Track | None = None

    def take(self, tag: Tag) -> Iterator[Record]:
        if tag.text is None:
            self._start(tag)
        elif self._track is not None:
            yield from self._in_track(tag, tag.text)
        elif tag.name == "Placemark":
            if self._placemark and not self._had_track:
                yield from self._dated(self._placemark)
            self._placemark = None
        elif self._placemark is not None and tag.text and len(self._placemark) < FIELDS:
            name = self._data if tag.name == "value" else tag.name
            self._placemark.setdefault(name, tag.text)

    def _start(self, tag: Tag) -> None:
        if tag.name == "Placemark":
            self._placemark, self._had_track = {}, False
        elif tag.name == "Track":
            self._track, self._had_track = _Track(), True
        elif tag.name in {"LineString", "Polygon"} and self._placemark is not None:
            self._placemark["line"] = "yes"
        elif tag.name == "Data":
            self._data = "data:" + tag.attributes.get("name", "")

    def _in_track(self, tag: Tag, text: str) -> Iterator[Record]:
        if tag.name == "Track":
            self._track = None
        elif tag.name == "when" and self._track is not None:
            self._track.when(text)
        elif tag.name == "coord" and self._track is not None:
            self._count += 1
            try:
                yield self._track.coord(text)
            except Unfit as error:
                yield Refusal(self._count, error.why)

    def _dated(self, placemark: dict[str, str]) -> Iterator[Record]:
        times: list[str | None] = [placemark[name] for name in ("when", "begin", "end") if name in placemark]
        if "line" in placemark:
            times = []
        elif "coordinates" not in placemark:
            return
        for time in times or [None]:
            self._count += 1
            try:
                yield _position(placemark, time)
            except Unfit as error:
                yield Refusal(self._count, error.why)


class _Track:
    """One gx:Track: its times may all come before its coordinates, or each before its own."""

    def __init__(self) -> None:
        self._whens = array("d")
        self._next = 0

    def when(self, text: str) -> None:
        if len(self._whens) - self._next >= WAITING:
            return
        try:
            seconds = (moment(text) - EPOCH).total_seconds()
        except Unfit:
            seconds = float("nan")
        if self._next == len(self._whens):
            # Each time was followed by its own place: the list need not grow.
            self._whens, self._next = array("d"), 0
        self._whens.append(seconds)

    def coord(self, text: str) -> Position:
        if self._next >= len(self._whens):
            raise Unfit(Why.NO_TIME)
        seconds = self._whens[self._next]
        self._next += 1
        numbers = text.split()
        if len(numbers) < 2:
            raise Unfit(Why.NO_PLACE)
        altitude = numbers[2] if len(numbers) > 2 and numbers[2] != "0" else None
        return fix(moment(seconds), place(numbers[1], numbers[0]), altitude_m=altitude)


def _position(placemark: dict[str, str], time: str | None) -> Position:
    if time is None:
        raise Unfit(Why.NO_TIME)
    numbers = placemark["coordinates"].replace(",", " ").split()
    if len(numbers) < 2:
        raise Unfit(Why.NO_PLACE)
    names = (
        *("accuracy_m", "altitude_m", "speed_mps", "course_deg", "battery_pct", "charging", "ignition"),
        *("motion", "trigger", "satellites", "hdop", "odometer_m", "network", "attrs"),
    )
    known: dict[str, object] = {name: placemark.get(f"data:{name}") for name in names}
    if known["altitude_m"] is None and len(numbers) == 3 and _is_measured(numbers[2]):
        known["altitude_m"] = numbers[2]
    return fix(moment(time), place(numbers[1], numbers[0]), **known)


def _is_measured(altitude: str) -> bool:
    # Writers that know no altitude put a 0 there.
    return altitude.strip("0.+-") != ""


FORMAT = Kml()
