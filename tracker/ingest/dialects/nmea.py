"""NMEA 0183 as it comes from a receiver, one or many sentences a message, below `nmea/<device>`.

Sentences of one time make one position. Without a date in the message the day is that of receipt, or the one
before or after it, whichever is nearer. A receiver whose week counter ran over is 1024 weeks back.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, time, timedelta

from tracker.domain.device import SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import FUTURE_TOLERANCE, Position, Report
from tracker.ingest.dialects._claimed import claimed
from tracker.ingest.dialects._fields import ELEMENTS, PAYLOAD_BYTES, course_deg, speed_mps
from tracker.ingest.dialects._message import NOTHING, Decoded, Message, Problem, problem
from tracker.ingest.dialects._nmea_sentences import Sentence, read
from tracker.ingest.dialects._values import check_size

GPS_BEGAN = datetime(1980, 1, 6, tzinfo=UTC)
ROLLOVER = timedelta(weeks=1024)
ROLLED_LATENESS = timedelta(days=7)
"""How old a position may be for its date to be taken for one that ran over."""

_BARE_ID = re.compile(r"(?:IMEI\s*)?[0-9A-Fa-f]{6,32}", re.ASCII)


@dataclass(slots=True)
class Epoch:
    """What the sentences of one time say together."""

    sentences: list[Sentence] = field(default_factory=list)

    def merged(self) -> Sentence:
        """Return the first known value of each member; no fix if one sentence says so."""
        told = {
            each.name: next((v for s in self.sentences if (v := getattr(s, each.name)) is not None), None)
            for each in fields(Sentence)
        }
        if any(each.fixed is False for each in self.sentences):
            told["fixed"] = False
        return Sentence(**told)


@dataclass(slots=True)
class Heard:
    """The sentences of a message by their time, those refused, and the name that stands before them."""

    epochs: dict[int, Epoch] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    prefix: str | None = None


class Nmea:
    """The dialect of NMEA 0183."""

    name = "nmea"
    root = None
    topics = ("nmea/+",)

    def decode(self, message: Message) -> Decoded:
        """Return a position a time; without a fix, and of other sentences, nothing.

        Raises:
            Malformed: it cannot be read or cannot be true.
        """
        check_size(message.payload, PAYLOAD_BYTES)
        try:
            lines = message.payload.decode().split("\n")
        except UnicodeDecodeError:
            raise Malformed(Reason.NOT_TEXT, "UTF-8") from None
        if len(lines) > ELEMENTS * 4:
            raise Malformed(Reason.TOO_LARGE, "lines")
        heard = Heard()
        for line in lines:
            _hear(line, heard)
        merged = [each.merged() for each in heard.epochs.values()]
        reports = _reports(merged, heard, message)
        if heard.problems and not reports:
            raise Malformed(heard.problems[0].reason, heard.problems[0].detail)
        return Decoded(reports=reports, problems=tuple(heard.problems)) if reports else NOTHING


def _hear(line: str, heard: Heard) -> None:
    """Take in the sentences of one line, of which a vendor may have put an id in front."""
    before, *sentences = line.strip().split("$")
    before = before.strip().strip("\0")
    if not sentences:
        # AIS sentences begin with `!`; trackers send their identity alone on a line.
        if before and not before.startswith("!") and not _BARE_ID.fullmatch(before):
            heard.problems.append(Problem(reason=Reason.WRONG_SHAPE, detail="not a sentence"))
        return
    if before:
        heard.prefix = heard.prefix or before.rstrip(",/ ").rpartition("/")[2] or None
    for each in sentences:
        try:
            told = read(each)
        except Malformed as error:
            heard.problems.append(problem(error))
            continue
        if told is None or told == Sentence():
            continue
        if told.clock_us is not None:
            heard.epochs.setdefault(told.clock_us, Epoch()).sentences.append(told)
        elif told.fixed is None and heard.epochs:
            # A VTG belongs to the time that was told last.
            heard.epochs[next(reversed(heard.epochs))].sentences.append(told)
        elif told.fixed:
            heard.problems.append(Problem(reason=Reason.NO_TIME, detail="time"))


def _reports(merged: list[Sentence], heard: Heard, message: Message) -> tuple[Report, ...]:
    fixes = [each for each in merged if each.fixed and each.at is not None]
    if not fixes:
        return ()
    prefix = heard.prefix or next((each.imei for each in fixes if each.imei), None)
    device = claimed(_device_level(message.topic), prefix, message)
    unit = message.settings_of(device).speed_unit or SpeedUnit.KNOTS
    dated = [_moment(each.day, each.clock_us) for each in merged if each.day and each.clock_us is not None]
    reports = []
    for each in fixes:
        if each.at is None or each.clock_us is None or (message.retained and not dated):
            # A replay of unknown age is no news.
            continue
        try:
            moment = _plausible(_when(each, dated, message.received_at), message.received_at)
        except Malformed as error:
            heard.problems.append(problem(error))
            continue
        found = Position(
            recorded_at=moment,
            at=each.at,
            altitude_m=each.altitude_m,
            speed_mps=speed_mps(each.speed, unit),
            course_deg=course_deg(each.course),
            satellites=each.satellites,
            hdop=each.hdop,
            ignition=each.ignition,
        )
        reports.append(Report(external_id=device, position=found))
    return tuple(reports)


def _device_level(topic: str) -> str | None:
    levels = topic.strip("/").split("/")
    return levels[1] if len(levels) > 1 and levels[0] == "nmea" else None


def _moment(day: date, clock_us: int | None) -> datetime:
    return datetime.combine(day, time(), UTC) + timedelta(microseconds=clock_us or 0)


def _when(fix: Sentence, dated: Iterable[datetime], received_at: datetime) -> datetime:
    """Return the moment of a fix: of its own date, else the one nearest to a dated fix or to the receipt."""
    if fix.day is not None:
        return _unrolled(_moment(fix.day, fix.clock_us), received_at)
    near = next((_unrolled(each, received_at) for each in dated), received_at)
    days = (near.date() + timedelta(days=each) for each in (-1, 0, 1))
    return min((_moment(each, fix.clock_us) for each in days), key=lambda moment: abs(moment - near))


def _unrolled(moment: datetime, received_at: datetime) -> datetime:
    """Return the moment moved by 1024 or 2048 weeks, if that makes it one of the last week's."""
    for rollovers in (1, 2):
        moved = moment + rollovers * ROLLOVER
        if received_at - ROLLED_LATENESS <= moved <= received_at + FUTURE_TOLERANCE:
            return moved
    return moment


def _plausible(moment: datetime, received_at: datetime) -> datetime:
    """Return the moment if a fix can be of then.

    Two-digit years from 80 on are of the last century, and receivers that old are still replayed: here, other
    than in the dialects with full dates, GPS time counts from its beginning.

    Raises:
        Malformed: TIME_BEFORE_2000: before 6 January 1980; TIME_IN_FUTURE.
    """
    if moment < GPS_BEGAN:
        raise Malformed(Reason.TIME_BEFORE_2000, "time")
    if moment > received_at + FUTURE_TOLERANCE:
        raise Malformed(Reason.TIME_IN_FUTURE, "time")
    return moment


DIALECT = Nmea()
