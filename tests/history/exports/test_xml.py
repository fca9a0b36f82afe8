"""GPX and KML stay well-formed whatever a subject is called or a device says, and other readers take them."""

import gpxpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.history.fixes import many, read, written


@settings(max_examples=50, deadline=None)
@given(title=st.text(max_size=20), text=st.text(min_size=1, max_size=20))
@pytest.mark.parametrize("name", ["gpx", "kml"])
def test_any_text_leaves_the_file_readable(name: str, title: str, text: str) -> None:
    fixes = [each._replace(trigger=text, attrs={"note": text}) for each in many(2)]
    positions, refused, ending = read(written(name, fixes, title=title), name)
    assert ([each.recorded_at for each in positions], refused, ending) == (
        [each.recorded_at for each in fixes],
        [],
        None,
    )


def test_another_library_reads_the_gpx() -> None:
    fixes = [each._replace(altitude_m=5.5, satellites=7, hdop=1.5, speed_mps=2.0) for each in many(3)]
    track = gpxpy.parse(written("gpx", fixes[:2], fixes[2:], title="Рекс & co").decode()).tracks[0]
    assert track.name == "Рекс & co"
    points = track.segments[0].points
    assert [(each.time, each.latitude, each.elevation, each.satellites) for each in points] == [
        (each.recorded_at, each.at.lat, 5.5, 7) for each in fixes
    ]
