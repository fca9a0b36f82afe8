import math

import pytest
from geopy.distance import geodesic
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.geo import LatLon, distance_m

lats = st.floats(min_value=-90, max_value=90)
lons = st.floats(min_value=-180, max_value=180)


@pytest.mark.parametrize(
    ("lat", "lon"),
    [(90.0001, 0), (-91, 0), (0, 180.0001), (0, -181), (math.nan, 0), (0, math.nan), (math.inf, 0)],
)
def test_a_place_off_the_globe_is_refused(lat: float, lon: float) -> None:
    with pytest.raises(ValueError, match="not within"):
        LatLon(lat=lat, lon=lon)


@given(lats, lons, lats, lons)
def test_distance_agrees_with_the_ellipsoid_within_0_6_percent(
    lat_a: float, lon_a: float, lat_b: float, lon_b: float
) -> None:
    ours = distance_m(LatLon(lat=lat_a, lon=lon_a), LatLon(lat=lat_b, lon=lon_b))
    truth = geodesic((lat_a, lon_a), (lat_b, lon_b)).meters
    assert ours == pytest.approx(truth, rel=0.006, abs=0.01)


def test_distance_across_the_antimeridian_is_short() -> None:
    west, east = LatLon(lat=0, lon=179.9), LatLon(lat=0, lon=-179.9)
    assert distance_m(west, east) == pytest.approx(22_239, rel=0.01)
