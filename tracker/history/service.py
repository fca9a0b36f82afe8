"""Reads stored positions as tracks and tells what they say; every read is in a viewer's name."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from tracker.domain.errors import Invalid
from tracker.domain.subject import Subject, SubjectKind
from tracker.history.outliers import BY_ANY_MEANS, NEIGHBOURS, ON_FOOT, SpeedScale, outliers
from tracker.history.track import Fix, is_coarse, ordered
from tracker.history.trips import History, history_of
from tracker.store.access import Access, PositionRow, TrackRow

CONTEXT = timedelta(hours=12)
"""So far before and behind a span its neighbours are read, so that what crosses its ends is told whole."""
LONGEST = timedelta(days=33)
"""A month of local days, which may be a day longer on either side."""
POSITIONS_MOST = 200_000


def scale_of(kind: SubjectKind) -> SpeedScale:
    """Return what is fast for subjects of a kind."""
    return ON_FOOT if kind is SubjectKind.PET else BY_ANY_MEANS


def histories(
    access: Access, subject_id: str, *, since: datetime, until: datetime, device_id: str | None = None
) -> dict[str, History]:
    """Return what each device of a subject tells of a span and of the 12 hours around it.

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
    return {
        each: history_of(track, scale)
        for each, track in tracks_of(rows).items()
        if device_id is None or each == device_id
    }


def tracks_of(rows: Iterable[TrackRow | PositionRow]) -> dict[str, list[Fix]]:
    """Return the ordered track of each device."""
    fixes: dict[str, list[Fix]] = defaultdict(list)
    # Both kinds of rows begin with the device's id and the members of a fix.
    end = 1 + len(Fix._fields)
    for row in rows:
        fixes[row[0]].append(Fix._make(row[1:end]))
    return {device_id: ordered(found) for device_id, found in sorted(fixes.items())}


def mark(access: Access, subject: Subject, page: Sequence[PositionRow]) -> set[tuple[str, float]]:
    """Return (device id, moment) of the positions of a page that cannot be true.

    A page is a run of a subject's positions by time; its neighbours before and behind are read as well.
    """
    if not page:
        return set()
    first, last = (datetime.fromtimestamp(page[at].recorded_at, UTC) for at in (0, -1))
    just_behind = last + timedelta(microseconds=1)
    subject_id, most = subject.subject_id, 2 * NEIGHBOURS
    before = access.track_rows(subject_id, since=first - CONTEXT, until=first, limit=most, newest=True)
    behind = access.track_rows(subject_id, since=just_behind, until=last + CONTEXT, limit=most)
    return wrong_moments([*before, *page, *behind], scale_of(subject.kind))


def wrong_moments(rows: Iterable[TrackRow | PositionRow], scale: SpeedScale) -> set[tuple[str, float]]:
    """Return (device id, moment) of the rows that cannot be true."""
    wrong = set()
    for device_id, track in tracks_of(rows).items():
        sure = [fix for fix in track if not is_coarse(fix)]
        flags = outliers(sure, scale)
        if any(flags):
            wrong |= {(device_id, fix.recorded_at) for fix, flag in zip(sure, flags, strict=True) if flag}
    return wrong
