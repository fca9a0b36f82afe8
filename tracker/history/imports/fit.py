"""FIT activities (Garmin's Flexible and Interoperable Data Transfer protocol, version 2.0).

https://developer.garmin.com/fit/protocol/ : after a header come definitions, each of which lays out the
data messages of one local number until it is redefined. Only the message "record" (20) is looked at; all
others are passed over by their length, so that no profile of the hundreds of other messages is needed.
Several files may follow each other. Checksums are not compared: a broken file is read as far as it goes.
"""

import struct
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, NamedTuple

from tracker.domain.position import Position
from tracker.history.imports._fix import fix, place
from tracker.history.imports._record import Broken, Ending, Record, Refusal, Unfit, Why

FIT_EPOCH = datetime(1989, 12, 31, tzinfo=UTC)
SYSTEM_TIME_BELOW = 0x10000000
"""Smaller timestamps count from the start of the device, not from the epoch."""
RECORD = 20
TIMESTAMP, LAT, LON, ALTITUDE, DISTANCE, SPEED, ACCURACY = 253, 0, 1, 2, 5, 6, 31
ENHANCED_SPEED, ENHANCED_ALTITUDE, BATTERY = 73, 78, 81
SEMICIRCLE_DEG = 180 / 2**31

# The width and struct letter of each base type that the fields above use, and the number for "unknown".
_BASES = {
    0x00: ("B", 0xFF),
    0x01: ("b", 0x7F),
    0x02: ("B", 0xFF),
    0x83: ("h", 0x7FFF),
    0x84: ("H", 0xFFFF),
    0x85: ("i", 0x7FFFFFFF),
    0x86: ("I", 0xFFFFFFFF),
    0x8B: ("H", 0),
    0x8C: ("I", 0),
}
_WANTED = frozenset(
    {TIMESTAMP, LAT, LON, ALTITUDE, DISTANCE, SPEED, ACCURACY, ENHANCED_SPEED, ENHANCED_ALTITUDE, BATTERY}
)


class _Layout(NamedTuple):
    """How the data messages of one local number lie: their length, and (field, offset, form, unknown)."""

    message: int
    length: int
    fields: tuple[tuple[int, int, struct.Struct, int], ...]


class _Source:
    """The bytes of one file within the stream."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.left = 0

    def header(self) -> bool:
        """Pass over a header; tell whether there was one."""
        first = self._stream.read(1)
        if not first:
            return False
        rest = self._exactly(max(first[0], 12) - 1)
        if first[0] not in {12, 14} or rest[7:11] != b".FIT":
            raise Broken(Ending.NOT_WELL_FORMED)
        self.left = int.from_bytes(rest[3:7], "little")
        return True

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes of the messages."""
        if count > self.left:
            raise Broken(Ending.NOT_WELL_FORMED)
        self.left -= count
        return self._exactly(count)

    def checksum(self) -> None:
        """Pass over the checksum after the messages."""
        self._exactly(2)

    def _exactly(self, count: int) -> bytes:
        read = self._stream.read(count)
        if len(read) != count:
            raise Broken(Ending.CUT_SHORT)
        return read


class Fit:
    """Reads the records of activities."""

    name = "fit"
    title = "FIT"

    def matches(self, head: bytes) -> bool:
        """Tell whether it begins with a FIT header."""
        return len(head) >= 12 and head[0] in {12, 14} and head[8:12] == b".FIT"

    def read(self, stream: BinaryIO) -> Iterator[Record]:
        """Yield the records that name a place, in the order of the file.

        Raises:
            Broken: the rest cannot be read.
        """
        source = _Source(stream)
        count = 0
        while source.header():
            for values in _records(source):
                # Indoors a watch records pulse and steps and no place: that is no error of the file.
                if LAT not in values and LON not in values:
                    continue
                count += 1
                try:
                    yield _position(values)
                except Unfit as error:
                    yield Refusal(count, error.why)
            source.checksum()


def _records(source: _Source) -> Iterator[Mapping[int, int]]:
    layouts: dict[int, _Layout] = {}
    clock = 0
    while source.left:
        (mark,) = source.take(1)
        if not mark & 0x80 and mark & 0x40:
            layouts[mark & 0x0F] = _layout(source, has_developer_fields=bool(mark & 0x20))
            continue
        layout = layouts.get((mark >> 5) & 0x03 if mark & 0x80 else mark & 0x0F)
        if layout is None:
            raise Broken(Ending.NOT_WELL_FORMED)
        data = source.take(layout.length)
        values = {}
        for field, offset, form, unknown in layout.fields:
            (value,) = form.unpack_from(data, offset)
            if value != unknown:
                values[field] = value
        if mark & 0x80:
            # Five bits of seconds after the last full timestamp ("compressed timestamp header").
            clock += ((mark & 0x1F) - clock) & 0x1F
            values[TIMESTAMP] = clock
        clock = values.get(TIMESTAMP, clock)
        if layout.message == RECORD:
            yield values


def _layout(source: _Source, *, has_developer_fields: bool) -> _Layout:
    head = source.take(5)
    order = ">" if head[1] else "<"
    message = int.from_bytes(head[2:4], "big" if head[1] else "little")
    length = 0
    fields = []
    for _ in range(head[4]):
        field, size, base = source.take(3)
        letter, unknown = _BASES.get(base, ("", 0))
        # Of other messages only the time is of use: compressed timestamps count from it.
        wanted = field == TIMESTAMP or (message == RECORD and field in _WANTED)
        if wanted and letter and struct.calcsize(letter) == size:
            fields.append((field, length, struct.Struct(order + letter), unknown))
        length += size
    if has_developer_fields:
        for _ in range(source.take(1)[0]):
            length += source.take(3)[1]
    return _Layout(message, length, tuple(fields))


def _position(values: Mapping[int, int]) -> Position:
    if values.get(TIMESTAMP, 0) < SYSTEM_TIME_BELOW:
        raise Unfit(Why.NO_TIME)
    if LAT not in values or LON not in values:
        raise Unfit(Why.NO_PLACE)
    altitude = values.get(ENHANCED_ALTITUDE, values.get(ALTITUDE))
    speed = values.get(ENHANCED_SPEED, values.get(SPEED))
    battery = values.get(BATTERY)
    return fix(
        FIT_EPOCH + timedelta(seconds=values[TIMESTAMP]),
        place(values[LAT] * SEMICIRCLE_DEG, values[LON] * SEMICIRCLE_DEG),
        accuracy_m=values.get(ACCURACY),
        altitude_m=altitude / 5 - 500 if altitude is not None else None,
        speed_mps=speed / 1000 if speed is not None else None,
        battery_pct=battery / 2 if battery is not None else None,
        odometer_m=values[DISTANCE] / 100 if DISTANCE in values else None,
    )


FORMAT = Fit()
