"""The map of one day's track: history.js draws it on the same base map as the family's."""

from typing import cast

from branca.element import Figure, MacroElement
from folium.template import Template

from tracker.settings import Settings
from tracker.web.maps import CLOSEST_ZOOM, OPEN_AT, OPEN_ZOOM, FamilyMap, MapParts, base_map, parts


class DayTrack(MacroElement):
    """The track that the page's JSON block holds."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            ryadom.showTrack({{ this._parent.get_name() }});
        {% endmacro %}
        """
    )

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "DayTrack"


def track_map(*, nonce: str, locale: str, settings: Settings) -> MapParts:
    """Return the map; the page loads text.js, map.js and history.js before its script, and map.css."""
    drawn = FamilyMap(
        location=OPEN_AT, zoom_start=OPEN_ZOOM, tiles=None, zoom_control=False, world_copy_jump=True
    )
    drawn.options["max_zoom"] = CLOSEST_ZOOM
    drawn._id = "track"
    drawn.add_child(base_map(settings.map_tiles, settings.map_attribution))
    drawn.add_child(DayTrack())
    return parts(cast(Figure, drawn.get_root()), nonce=nonce, locale=locale)
