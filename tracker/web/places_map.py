"""Maps with fences: of all places, and of one that is drawn. map.js and places.js draw them."""

from collections.abc import Sequence
from typing import Any, cast

from branca.element import Figure, MacroElement
from folium.template import Template

from tracker.domain.geofence import Circle, Geofence, Geometry
from tracker.settings import Settings
from tracker.web.api._places import shapes
from tracker.web.maps import (
    CLOSEST_ZOOM,
    OPEN_AT,
    OPEN_ZOOM,
    Dot,
    FamilyDots,
    FamilyMap,
    MapParts,
    base_map,
    parts,
)


class PlacesLayer(MacroElement):
    """The fences, joined with the list beside the map."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            ryadom.showPlaces({{ this._parent.get_name() }}, {{ this.fences|tojson }});
        {% endmacro %}
        """
    )

    def __init__(self, fences: Sequence[dict[str, Any]]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "PlacesLayer"
        self.fences = list(fences)


class DrawingLayer(MacroElement):
    """The tools to draw one place; what is there is in the page's JSON blocks."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            ryadom.draw({{ this._parent.get_name() }});
        {% endmacro %}
        """
    )

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "DrawingLayer"


def geometry_drawn(shape: str, geometry: Geometry) -> dict[str, Any]:
    """Return what map.js draws of a geometry: as it is in GeoJSON, and but for a circle its outline."""
    written, own = shapes()[shape].write(geometry)
    drawn: dict[str, Any] = {"geometry": written, **own}
    if not isinstance(geometry, Circle):
        drawn["outline"] = shapes()[shape].lonlat_geometry(geometry).__geo_interface__
    return drawn


def drawn(fence: Geofence) -> dict[str, Any]:
    """Return what map.js draws of a fence."""
    return {"id": fence.geofence_id, "name": fence.name, **geometry_drawn(fence.shape, fence.geometry)}


def places_map(
    fences: Sequence[dict[str, Any]], dots: Sequence[Dot], *, nonce: str, locale: str, settings: Settings
) -> MapParts:
    """Return the map of the places; the page loads map.js and places.js before its script, and map.css."""
    made = bare_map("family", settings)
    made.add_child(FamilyDots(dots))
    made.add_child(PlacesLayer(fences))
    return parts(cast(Figure, made.get_root()), nonce=nonce, locale=locale)


def drawing_map(dots: Sequence[Dot], *, nonce: str, locale: str, settings: Settings) -> MapParts:
    """Return the map to draw a place on; the page loads Geoman, map.js and places.js before its script."""
    made = bare_map("family", settings)
    made.add_child(FamilyDots(dots))
    made.add_child(DrawingLayer())
    return parts(cast(Figure, made.get_root()), nonce=nonce, locale=locale)


def bare_map(name: str, settings: Settings) -> FamilyMap:
    """Return a map with nothing but its base; `name` is what scripts and tests know it by."""
    made = FamilyMap(
        location=OPEN_AT, zoom_start=OPEN_ZOOM, tiles=None, zoom_control=False, world_copy_jump=True
    )
    made.options["max_zoom"] = CLOSEST_ZOOM
    made._id = name
    made.add_child(base_map(settings.map_tiles, settings.map_attribution))
    return made
