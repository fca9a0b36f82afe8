"""The family's map: folium with the product's own assets, in parts that fit the page and its CSP."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlsplit

import folium
from branca.element import Figure, Link, MacroElement
from folium.template import Template
from markupsafe import Markup

from tracker.domain.position import LIVE_FOR, STALE_FOR, Freshness
from tracker.domain.subject import SubjectKind

VENDOR = "/static/vendor"
OFFLINE = "offline"
XYZ = "xyz:"
OPEN_ZOOM = 5
OPEN_AT = (55.75, 37.62)
"""Where an empty map opens: Moscow, with the country around it."""
CLOSEST_ZOOM = 19

OSM = (
    '&copy; <a href="https://www.openstreetmap.org/copyright" rel="noopener" target="_blank">'
    "OpenStreetMap contributors</a>"
)
GEONAMES = '<a href="https://www.geonames.org/" rel="noopener" target="_blank">GeoNames</a>'

OFFLINE_SOURCES: tuple[Mapping[str, Any], ...] = (
    {
        "url": "/static/basemap/world.pmtiles",
        "max_data_zoom": 6,
        "min_zoom": 0,
        "bounds": None,
        "covered_names": ["Helsinki"],
        "attribution": f"Natural Earth, {GEONAMES}",
    },
    {
        "url": "/static/basemap/helsinki.pmtiles",
        "max_data_zoom": 15,
        "min_zoom": 9,
        "bounds": [[60.1541551, 24.9351846], [60.1791074, 24.9534110]],
        "covered_names": [],
        "attribution": OSM,
    },
)
"""The shipped base maps, coarse first; `covered_names` are labels that the finer one brings itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A subject's last position as the map shows it; None is unknown.

    `lat` and `lon` are degrees (WGS 84), `accuracy_m` a radius, `course_deg` true north clockwise.
    """

    subject_id: str
    kind: SubjectKind
    name: str
    lat: float
    lon: float
    accuracy_m: float | None
    recorded_at: datetime
    freshness: Freshness
    speed_mps: float | None
    course_deg: float | None
    battery_pct: float | None

    def document(self) -> dict[str, Any]:
        """Return the JSON object that map.js reads."""
        return {
            "subject_id": self.subject_id,
            "kind": self.kind.value,
            "name": self.name,
            "lat": self.lat,
            "lon": self.lon,
            "accuracy_m": self.accuracy_m,
            "recorded_at": self.recorded_at.isoformat(),
            "freshness": self.freshness.value,
            "speed_mps": self.speed_mps,
            "course_deg": self.course_deg,
            "battery_pct": self.battery_pct,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MapParts:
    """The map's pieces of a page: for the head, for the body, and the script that runs after map.js."""

    head: Markup
    body: Markup
    script: Markup


class FamilyMap(folium.Map):
    """folium's map with vendored Leaflet and nothing of the other hosts' scripts and styles.

    Its own page header is left out: it forbids zooming with two fingers and restyles the whole page.
    """

    default_js = [  # noqa: RUF012 - folium's own type
        ("leaflet", f"{VENDOR}/leaflet/leaflet.js"),
        ("protomaps_leaflet", f"{VENDOR}/protomaps-leaflet/protomaps-leaflet.js"),
    ]
    default_css = [("leaflet_css", f"{VENDOR}/leaflet/leaflet.css")]  # noqa: RUF012


class VectorBase(MacroElement):
    """The shipped vector maps, drawn by map.js in the colours of the system's theme."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            ryadom.baseMap({{ this._parent.get_name() }}, {{ this.sources|tojson }});
        {% endmacro %}
        """
    )

    def __init__(self, sources: Sequence[Mapping[str, Any]]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "VectorBase"
        self.sources = list(sources)


class FamilyDots(MacroElement):
    """The dots with their accuracy circles; map.js draws them, fits the view and keeps them fresh."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            ryadom.showFamily({{ this._parent.get_name() }}, {{ this.dots|tojson }}, {{ this.ages|tojson }});
        {% endmacro %}
        """
    )

    def __init__(self, dots: Sequence[Dot]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "FamilyDots"
        self.dots = [dot.document() for dot in dots]
        self.ages = {
            "live_for_s": LIVE_FOR.total_seconds(),
            "stale_for_s": STALE_FOR.total_seconds(),
        }


class FencesLayer(MacroElement):
    """The fences, drawn under the dots."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            ryadom.fences = ryadom.showFences({{ this._parent.get_name() }}, {{ this.fences|tojson }});
            {% for event_id in this.chases %}
            ryadom.showChase({{ this._parent.get_name() }}, {{ event_id|tojson }});
            {% endfor %}
        {% endmacro %}
        """
    )

    def __init__(self, fences: Sequence[dict[str, Any]], chases: Sequence[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "FencesLayer"
        self.fences, self.chases = list(fences), list(chases)


def tile_origin(tiles: str) -> str | None:
    """Return the origin that a page with these tiles loads images from; None when it is its own.

    A template with `{s}` in the host gives a wildcard origin, as a Content-Security-Policy writes it.

    Raises:
        ValueError: `tiles` is neither `offline` nor `xyz:` with an http(s) template.
    """
    if tiles == OFFLINE:
        return None
    address = urlsplit(tiles.removeprefix(XYZ))
    if not tiles.startswith(XYZ) or address.scheme not in {"http", "https"} or not address.netloc:
        raise ValueError(f"not a map setting: {tiles!r}")
    return f"{address.scheme}://{address.netloc.replace('{s}', '*')}"


def family_map(
    dots: Sequence[Dot],
    *,
    nonce: str,
    locale: str,
    tiles: str = OFFLINE,
    attribution: str = "",
    layers: Sequence[MacroElement] = (),
) -> MapParts:
    """Return the map of these dots, fitted to where most of them are (30 km); with none it shows the
    country.

    `locale` is "ru" or "en". `attribution` is shown with foreign tiles, as plain text. `layers` come
    behind the dots. The page loads text.js
    and map.js before `script`, and map.css.

    Raises:
        ValueError: `tiles` is no map setting.
    """
    family = FamilyMap(
        location=OPEN_AT,
        zoom_start=OPEN_ZOOM,
        tiles=None,
        zoom_control=False,
        world_copy_jump=True,
    )
    family.options["max_zoom"] = CLOSEST_ZOOM  # folium keeps its own `max_zoom` for a tile layer
    family._id = "family"  # one map a page: a name that tests and scripts can rely on
    family.add_child(base_map(tiles, attribution))
    family.add_child(FamilyDots(dots))
    for layer in layers:
        family.add_child(layer)
    return parts(cast(Figure, family.get_root()), nonce=nonce, locale=locale)


def base_map(tiles: str, attribution: str) -> MacroElement:
    """Return what lies below everything: the shipped map, or foreign tiles with their attribution.

    Raises:
        ValueError: `tiles` is no map setting.
    """
    if tile_origin(tiles) is None:
        return VectorBase(OFFLINE_SOURCES)
    return folium.TileLayer(tiles.removeprefix(XYZ), attr=str(Markup.escape(attribution)) or " ")


def parts(figure: Figure, *, nonce: str, locale: str) -> MapParts:
    """Return a map's pieces, every script of it with the page's nonce."""
    figure.render()  # folium fills header, html and script only now
    links = "\n".join(
        element.render() for element in figure.header._children.values() if isinstance(element, Link)
    )
    head = re.sub(r"<script\b", lambda _: f'<script nonce="{Markup.escape(nonce)}"', links)
    script = f'<script nonce="{Markup.escape(nonce)}">\n{figure.script.render()}\n</script>'
    body = f'<div lang="{Markup.escape(locale)}">{figure.html.render()}</div>'
    return MapParts(head=Markup(head), body=Markup(body), script=Markup(script))  # noqa: S704 - escaped above
