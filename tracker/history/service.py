"""Reads stored positions as tracks and tells what they say; every read is in a viewer's name."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Protocol

from tracker.domain.errors import Invalid
from tracker.domain.subject import Subject, SubjectKind
from tracker.history.days import CoarseDay
from tracker.history.outliers import BY_ANY_MEANS, NEIGHBOURS, ON_FOOT, SpeedScale, outliers
from tracker.history.track import Fix, is_coarse, ordered
from tracker.history.trips import History, history_of
from tracker.store.access import Access, PositionRow, TrackRow

CONTEXT = timedelta(hours=12)
"""So far before and behind a span its neighbours are read, so that what crosses its ends is told whole."""
LONGEST = timedelta(days=33)
"""A month of local days, which may be a day longer on either side."""
OVERVIEW_DAYS = 371
"""370 days that begin in the middle of one touch so many local ones."""
POSITIONS_MOST = 200_000


class Apart(Protocol):
    """Returns what a pure computation returns, wherever it runs it."""

    def __call__(self, work: Callable[[], dict[str, History]]) -> dict[str, History]: ...


def scale_of(kind: SubjectKind) -> SpeedScale:
    """Return what is fast for subjects of a kind."""
    return ON_FOOT if kind is SubjectKind.PET else BY_ANY_MEANS


def histories(
    access: Access,
    subject_id: str,
    *,
    since: datetime,
    until: datetime,
    apart: Apart,
    device_id: str | None = None,
) -> dict[str, History]:
    """Return what each device of a subject tells of a span and of the 12 hours around it.

    `apart` runs the computation, which may take seconds for a month of dense fixes.

    Raises:
        NotFound: the subject or device is missing, or not the viewer's to see.
        Invalid: the span is longer than 33 days, or holds more than 200,000 positions.
    """
    if until - since > LONGEST:
        raise Invalid(("to", "at most 31 days after from"))
    subject = access.subject(subject_id)
    if device_id is not None:
        access.device(device_id)
    rows = access.track_rows(
        subject_id, since=since - CONTEXT, until=until + CONTEXT, limit=POSITIONS_MOST + 1
    )
    if len(rows) > POSITIONS_MOST:
        raise Invalid(("to", "there are too many positions: ask for a shorter span"))
    scale = scale_of(subject.kind)
    return apart(
        lambda: {
            each: history_of(track, scale)
            for each, track in tracks_of(rows).items()
            if device_id is None or each == device_id
        }
    )


def coarse_days(
    access: Access, subject_id: str, spans: Sequence[tuple[date, float, float]]
) -> list[CoarseDay]:
    """Return the days, of the given ones (date, start, end), on which any device of a subject told something.

    Raises:
        NotFound: the subject is missing, or not the viewer's to see.
        Invalid: there are more than 371 days.
    """
    if len(spans) > OVERVIEW_DAYS:
        raise Invalid(("to", "at most 370 days after from"))
    moments = [
        (datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)) for _, start, end in spans
    ]
    found = []
    for number, rows in groupby(access.position_counts(subject_id, moments), key=attrgetter("number")):
        told = list(rows)
        fullest = max(told, key=attrgetter("position_count", "device_id"))
        day, started_at, ended_at = spans[number]
        found.append(
            CoarseDay(
                date=day,
                started_at=started_at,
                ended_at=ended_at,
                device_id=fullest.device_id,
                device_count=len(told),
                first_at=fullest.first_at,
                last_at=fullest.last_at,
                position_count=fullest.position_count,
            )
        )
    return found


def tracks_of(rows: Iterable[TrackRow | PositionRow]) -> dict[str, list[Fix]]:
    """Return the ordered track of each device."""
    tracks: dict[str, list[Fix]] = defaultdict(list)
    # Both kinds of rows begin with the device's id and the members of a fix.
    end = 1 + len(Fix._fields)
    for device_id, of_device in groupby(rows, key=itemgetter(0)):
        tracks[device_id] += [Fix._make(row[1:end]) for row in of_device]
    return {device_id: ordered(found) for device_id, found in sorted(tracks.items())}


def mark(access: Access, subject: Subject, page: Sequence[PositionRow]) -> set[tuple[str, float]]:
    """Return (device id, moment) of the positions of a page that cannot be true.

    A page is a run of a subject's positions by time; its neighbours before and behind are read as well.
    """
    if not page:
        return set()
    first, last = (datetime.fromtimestamp(page[at].recorded_at, UTC) for at in (0, -1))
    around = access.neighbour_rows(
        subject.subject_id, first=first, last=last, within=CONTEXT, limit=2 * NEIGHBOURS
    )
    return wrong_moments([*around, *page], scale_of(subject.kind))


def wrong_moments(rows: Iterable[TrackRow | PositionRow], scale: SpeedScale) -> set[tuple[str, float]]:
    """Return (device id, moment) of the rows that cannot be true."""
    tracks: dict[str, list[TrackRow | PositionRow]] = defaultdict(list)
    for row in rows:
        tracks[row.device_id].append(row)
    wrong = set()
    for device_id, track in tracks.items():
        sure = sorted([row for row in track if not is_coarse(row)], key=attrgetter("recorded_at"))
        flags = outliers(sure, scale)
        if any(flags):
            wrong |= {(device_id, row.recorded_at) for row, flag in zip(sure, flags, strict=True) if flag}
    return wrong
