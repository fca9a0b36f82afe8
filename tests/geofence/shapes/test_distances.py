"""Distances beside those of PostGIS, which knows nothing of our plane.

On the sphere (`use_spheroid` false): the ellipsoid's own differ by up to 0.6 %, which no receiver can tell.
"""

import math

import pytest
import shapely
from sqlalchemy import text

from tests.geofence.shapes.features import FEATURES, SHAPES, Feature
from tracker.geofence.shapes._ground import Ground
from tracker.store.session import Session

# GeoJSON's edges are straight in degrees and geography's are great circles: short ones are both.
_QUERY = text("""
WITH fence AS (SELECT ST_Segmentize(ST_GeomFromWKB(:shown, 4326), 0.005) AS geom)
SELECT ST_Distance(ST_Boundary(geom)::geography, ST_Point(lon, lat, 4326)::geography, false),
  ST_Contains(geom, ST_Point(lon, lat, 4326))
FROM fence, unnest(CAST(:lons AS float[]), CAST(:lats AS float[])) WITH ORDINALITY AS place (lon, lat, number)
ORDER BY number
""")
# Where the map's cut at the 180th meridian is an edge of its own, PostGIS measures to that.
WHOLE = [name for name in FEATURES if "180" not in name and "pole" not in name]


@pytest.mark.parametrize("name", WHOLE)
def test_the_distance_is_that_of_postgis_within_50_km(session: Session, name: str) -> None:
    feature: Feature = FEATURES[name]
    footprint = feature.footprint()
    ground = Ground(footprint.middle)
    reach_m = 60_000 if name != "large" else 300_000
    places = [
        ground.unproject(away * math.cos(angle), away * math.sin(angle))
        for angle in (0.3, 1.4, 2.5, 3.6, 4.7, 5.8)
        for away in (0.0, reach_m / 300, reach_m / 60, reach_m / 10, reach_m / 2, reach_m)
    ]
    shown = shapely.to_wkb(SHAPES[feature.shape].lonlat_geometry(feature.read()))
    given = {"shown": shown, "lons": [lon for lon, _ in places], "lats": [lat for _, lat in places]}
    for (lon, lat), (far_m, inside) in zip(places, session.execute(_QUERY, given), strict=True):
        signed_m = footprint.distance_m(lat, lon)
        if far_m < 50_000 or inside:
            # A circle of 64 corners lies up to 0.12 % of its radius within the true one.
            drawn_m = 1.0 + 0.0013 * (footprint.inradius_m if feature.shape != "polygon" else 0)
            assert abs(signed_m) == pytest.approx(far_m, rel=0.0015, abs=drawn_m)
        else:
            assert 0 < signed_m <= far_m * 1.0015 + 1
        if far_m > 1 + 0.0013 * footprint.inradius_m:
            assert inside == (signed_m < 0)
