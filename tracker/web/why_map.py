"""The map of one alert: alerts-map.js draws the fence, the positions that told it, and their accuracy."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from branca.element import Figure, MacroElement
from folium.template import Template

from tracker.domain.crossing import Evidence
from tracker.domain.errors import Invalid
from tracker.domain.event import Explanation
from tracker.geofence.importing import shape_of
from tracker.settings import Settings
from tracker.web.api._places import shapes
from tracker.web.maps import MapParts, parts
from tracker.web.places_map import bare_map, geometry_drawn


class Why(MacroElement):
    """What told an event."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            ryadom.showWhy({{ this._parent.get_name() }}, {{ this.why|tojson }});
        {% endmacro %}
        """
    )

    def __init__(self, why: Mapping[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Why"
        self.why = dict(why)


def why_map(explanation: Explanation, *, nonce: str, locale: str, settings: Settings) -> MapParts | None:
    """Return the map of an explanation, or None if it names no place.

    The page loads text.js, map.js and alerts-map.js before its script, and map.css.
    """
    fixes = [
        {
            "lat": line.lat,
            "lon": line.lon,
            "accuracy_m": line.accuracy_m,
            "side": line.side.value,
            "label": datetime.fromtimestamp(line.at_s, UTC).strftime("%H:%M:%S UTC"),
        }
        for line in explanation.evidence
        if isinstance(line, Evidence)
    ]
    fence = _fence(explanation.fence)
    if not fixes and fence is None:
        return None
    return _drawn({"fence": fence, "fixes": fixes, "disc": None}, nonce, locale, settings)


def rough_map(
    lat: float, lon: float, radius_m: float, *, nonce: str, locale: str, settings: Settings
) -> MapParts:
    """Return a map that shows a place no more exactly than within `radius_m`."""
    disc = {"lat": lat, "lon": lon, "radius_m": radius_m}
    return _drawn({"fence": None, "fixes": [], "disc": disc}, nonce, locale, settings)


def _drawn(why: Mapping[str, Any], nonce: str, locale: str, settings: Settings) -> MapParts:
    made = bare_map("why", settings)
    made.add_child(Why(why))
    return parts(cast(Figure, made.get_root()), nonce=nonce, locale=locale)


def _fence(feature: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what map.js draws of a fence as it was; an old one that cannot be read any more is left out."""
    if feature is None or not feature.get("geometry"):
        return None
    try:
        shape = shape_of(feature["geometry"], shapes())
        return geometry_drawn(shape.name, shape.read(feature["geometry"], feature.get("properties") or {}))
    except Invalid:
        return None
