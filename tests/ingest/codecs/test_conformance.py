"""Whatever an object or a payload holds, a codec answers with readings or Malformed, and nothing else."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ingest.codecs.reading import CODECS
from tests.ingest.codecs.test_trackers import OBJECTS
from tracker.domain.errors import Malformed
from tracker.ingest.codecs._reading import Codec, FromBytes

NAMES = st.sampled_from(
    sorted(
        {name for fields in OBJECTS.values() for name in fields}
        | {"lat", "lon", "gpsLocation", "history", "cached", "measurementId", "measurementValue", "timestamp"}
    )
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["4197", "4198", "12.5", "TRUE", "MOVE", "2023-5-18", "timestamp", "\0", "1,2", "-"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=8),
    max_leaves=8,
)


@pytest.mark.parametrize("name", CODECS)
def test_a_codec_says_what_it_can(name: str) -> None:
    assert isinstance(CODECS[name], Codec)


@settings(max_examples=60, deadline=None)
@given(fields=st.dictionaries(NAMES, VALUES, max_size=6))
def test_any_object_is_read_or_refused(fields: dict[str, Any]) -> None:
    for codec in CODECS.values():
        try:
            found = codec.read(fields) or ()
        except Malformed:
            continue
        assert all(each.course_deg is None or 0 <= each.course_deg < 360 for each in found)
        assert all(each.battery_pct is None or 0 <= each.battery_pct <= 100 for each in found)
        assert all(each.accuracy_m is None or each.accuracy_m > 0 for each in found)


@settings(max_examples=200, deadline=None)
@given(payload=st.binary(max_size=60), port=st.sampled_from([1, 2, 3, 4, 5, 7, 85, 136]))
def test_any_bytes_are_read_or_refused(payload: bytes, port: int) -> None:
    for codec in CODECS.values():
        if not isinstance(codec, FromBytes):
            continue
        try:
            fields = codec.decode(payload, port)
            CODECS[codec.name].read(fields)
        except Malformed:
            continue


def test_generic_is_asked_for_what_no_other_knows() -> None:
    assert CODECS["generic"].read({"distance_cm": 170.0}) is not None
    assert all(
        codec.read({"distance_cm": 170.0}) is None for name, codec in CODECS.items() if name != "generic"
    )
