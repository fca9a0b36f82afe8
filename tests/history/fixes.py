"""Positions of every kind, and what reads and writes files of them."""

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from tracker import registry
from tracker.domain.geo import LatLon
from tracker.domain.position import EARLIEST, Placed, Position
from tracker.history.imports import _open
from tracker.history.imports._record import Broken, Ending, Record, Refusal

READERS = registry.load("tracker.history.imports", "FORMAT")
WRITERS = registry.load("tracker.history.exports", "FORMAT")
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

_TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1, max_size=20
) | st.sampled_from(
    ["=1+1", "@SUM(A1)", "-2", "+3", "'quoted", 'a "b", c', "a;b", "<b>&amp;</b>", " padded "]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=5,
)
_OBJECTS = st.dictionaries(_TEXTS, _VALUES, max_size=3)


def _maybe(
    low: float, high: float, *, exclude_min: bool = False, exclude_max: bool = False
) -> st.SearchStrategy[float | None]:
    return st.none() | st.floats(low, high, exclude_min=exclude_min, exclude_max=exclude_max)


FLAGS = st.none() | st.booleans()
POSITIONS = st.builds(
    Position,
    recorded_at=st.timedeltas(timedelta(0), timedelta(days=9_800)).map(lambda age: EARLIEST + age),
    at=st.builds(LatLon, lat=st.floats(-90, 90), lon=st.floats(-180, 180)).filter(
        lambda at: (at.lat, at.lon) != (0, 0)
    ),
    accuracy_m=_maybe(0, 1e6, exclude_min=True),
    altitude_m=_maybe(-500, 1e4),
    speed_mps=_maybe(0, 500),
    course_deg=_maybe(0, 360, exclude_max=True),
    battery_pct=_maybe(0, 100),
    charging=FLAGS,
    ignition=FLAGS,
    motion=FLAGS,
    trigger=st.none() | _TEXTS,
    satellites=st.none() | st.integers(0, 40),
    hdop=_maybe(0, 99),
    odometer_m=_maybe(0, 1e9),
    network=_OBJECTS,
    attrs=_OBJECTS,
)


def placed(position: Position, device_id: str = "c" * 16) -> Placed:
    """Return a position of some device."""
    return Placed(
        account_id="a" * 16,
        subject_id="b" * 16,
        device_id=device_id,
        received_at=NOW,
        position=position,
    )


def written(name: str, *pages: Sequence[Position], title: str = "Rex") -> bytes:
    """Return the file of a format with these pages."""
    return b"".join(WRITERS[name].write([[placed(each) for each in page] for page in pages], title))


def read(data: bytes, name: str | None = None) -> tuple[list[Position], list[Refusal], Ending | None]:
    """Read a whole file as an import does: positions, refusals, and why the rest could not be read."""
    stream = io.BytesIO(data)
    try:
        name = name or _open.sniff(stream, READERS)
    except Broken as error:
        return [], [], error.ending
    records, ending = gathered(_open.records(stream, name, READERS))
    return *parted(records), ending


def gathered(records: Iterable[Record]) -> tuple[list[Record], Ending | None]:
    """Return what a reader yields and why it ended early, if it did."""
    found = []
    try:
        for record in records:
            found.append(record)
    except Broken as error:
        return found, error.ending
    return found, None


def parted(records: Iterable[Record]) -> tuple[list[Position], list[Refusal]]:
    """Part positions from refusals."""
    found = list(records)
    return (
        [each for each in found if isinstance(each, Position)],
        [each for each in found if isinstance(each, Refusal)],
    )


def many(count: int, since: datetime = EARLIEST + timedelta(days=9000)) -> list[Position]:
    """Return positions 5 s apart along a street."""
    return [
        Position(
            recorded_at=since + timedelta(seconds=5 * number),
            at=LatLon(lat=60.0 + number * 1e-5, lon=24.9),
            accuracy_m=5.0,
        )
        for number in range(count)
    ]
