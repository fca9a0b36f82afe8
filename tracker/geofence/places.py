"""The fences of an account: adding, changing and removing them. Nothing here commits."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from tracker.domain.access import Viewer
from tracker.domain.errors import Invalid
from tracker.domain.geo import LatLon
from tracker.domain.geofence import FENCES_PER_ACCOUNT, Circle, Corridor, FenceOrigin, Geofence, Geometry
from tracker.domain.ids import new_id
from tracker.domain.names import clean_name
from tracker.domain.time_zones import zone_names
from tracker.geofence import schedule_json, subject_choice
from tracker.geofence.field_errors import gather
from tracker.geofence.shapes._shape import Shape
from tracker.geofence.subject_choice import SubjectChoice
from tracker.geofence.zone_of_place import nearest_zone
from tracker.store import geofences, rules
from tracker.store.access import Access
from tracker.store.session import Session

TEMPLATES = ("home", "school", "yard")
_MEASURES = ("radius_m", "width_m")


class Places:
    """Changes of fences, each in a viewer's name; `shapes` are those of `geofence.shapes` by name.

    An account has at most `most` fences.
    """

    def __init__(self, shapes: Mapping[str, Shape], *, most: int = FENCES_PER_ACCOUNT) -> None:
        self.shapes = shapes
        self._most = most

    def feature(self, fence: Geofence) -> dict[str, Any]:
        """Return a fence as a GeoJSON Feature: name, version, time zone and what its geometry needs."""
        geometry, measures = self.shapes[fence.shape].write(fence.geometry)
        properties = {"name": fence.name, "version": fence.version, "time_zone": fence.time_zone, **measures}
        return {"type": "Feature", "id": fence.geofence_id, "geometry": geometry, "properties": properties}

    def draft(
        self, access: Access, given: Mapping[str, Any], now: datetime, *, zone: str | None = None
    ) -> Geofence:
        """Return the fence that `add` would make of a Feature, saving nothing.

        Raises:
            Invalid: as `add` does.
        """
        properties = _properties(given)
        values = gather(
            {
                "shaped": lambda: self._shaped(given.get("geometry"), properties),
                "name": lambda: _name(properties.get("name")),
                "chosen": lambda: subject_choice.read(properties, access.subjects(), at="properties."),
                "time_zone": lambda: _zone(properties.get("time_zone")),
                "schedule": lambda: _schedule(properties.get("schedule"), now),
                "template": lambda: _template(properties.get("template")),
            }
        )
        if values["time_zone"] is None:
            country = (access.account().region or "").partition("-")[0].upper()
            values["time_zone"] = nearest_zone(
                _somewhere(values["shaped"][1]), country=country or None, known=zone
            )
        return Geofence(
            account_id=access.account_id,
            geofence_id=new_id(),
            origin=FenceOrigin.DRAWN,
            version=1,
            created_at=now,
            changed_at=now,
            **_fields(values),
        )

    def add(
        self,
        session: Session,
        viewer: Viewer,
        given: Mapping[str, Any],
        now: datetime,
        *,
        zone: str | None = None,
        origin: FenceOrigin = FenceOrigin.DRAWN,
        expires_at: datetime | None = None,
    ) -> Geofence:
        """Add the fence of a GeoJSON Feature (contract, section 3); `zone` is where the viewer is.

        A fence that names no time zone gets the likeliest one of its place.

        Raises:
            Invalid: (`geometry` | `properties...`, why) for each wrong field, or there are too many.
        """
        drafted = self.draft(Access(session, viewer), given, now, zone=zone)
        if geofences.count(session, viewer.account_id) >= self._most:
            raise Invalid(("properties.name", "There are too many already: remove some first."))
        fence = replace(drafted, origin=origin, expires_at=expires_at)
        geofences.add(session, fence, cover_wkb=self._cover(fence))
        return fence

    def change(
        self, session: Session, viewer: Viewer, geofence_id: str, given: Mapping[str, Any], now: datetime
    ) -> Geofence:
        """Change what a Feature gives of a fence; a null schedule or template is taken away.

        Another geometry, time zone or schedule makes new versions of the fence's rules: what was before
        raises nothing by them.

        Raises:
            NotFound: missing, or not the viewer's.
            Invalid: as `add` does.
        """
        present = geofences.hold(session, viewer.account_id, geofence_id)
        fence = self._changed(Access(session, viewer), present, given, now)
        if fence == present:
            return present
        redrawn = fence.geometry != present.geometry
        if redrawn:
            # By it a replay knows from when on this geometry was judged by: a new name leaves it.
            fence = replace(fence, version=present.version + 1, changed_at=now)
        if fence.all_subjects and not present.all_subjects:
            fence = replace(fence, all_since=now)
        geofences.change(session, fence, now, cover_wkb=self._cover(fence) if redrawn else None)
        if redrawn or (fence.time_zone, fence.schedule) != (present.time_zone, present.schedule):
            self._renew_rules(session, fence, now)
        return fence

    def remove(self, session: Session, viewer: Viewer, geofence_id: str, now: datetime) -> None:  # noqa: ARG002
        """Remove a fence with its rules; what they raised stays known.

        Raises:
            NotFound: missing, or not the viewer's.
        """
        geofences.hold(session, viewer.account_id, geofence_id)
        geofences.remove(session, viewer.account_id, geofence_id)

    def _changed(
        self, access: Access, present: Geofence, given: Mapping[str, Any], now: datetime
    ) -> Geofence:
        properties = _properties(given)
        chosen = SubjectChoice(present.subject_ids, present.all_subjects)
        readers: dict[str, Callable[[], Any]] = {
            "chosen": lambda: subject_choice.read(
                properties, access.subjects(), at="properties.", present=chosen
            )
        }
        if given.get("geometry") is not None or any(properties.get(each) is not None for each in _MEASURES):
            geometry = given.get("geometry") or _drawn(present.geometry)
            same = isinstance(geometry, Mapping) and self.shapes[present.shape].matches(geometry)
            measures = {**(_measures(present.geometry) if same else {}), **_present(properties)}
            readers["shaped"] = lambda: self._shaped(geometry, measures)
        if properties.get("name") is not None:
            readers["name"] = lambda: _name(properties["name"])
        if properties.get("time_zone") is not None:
            readers["time_zone"] = lambda: _zone(properties["time_zone"])
        if "schedule" in properties:
            readers["schedule"] = lambda: _schedule(properties["schedule"], now)
        if "template" in properties:
            readers["template"] = lambda: _template(properties["template"])
        return replace(present, **_fields(gather(readers)))

    def _shaped(self, geometry: Any, properties: Mapping[str, Any]) -> tuple[str, Geometry]:
        if geometry is None:
            raise Invalid(("geometry", "this field is required"))
        if not isinstance(geometry, Mapping):
            raise Invalid(("geometry", "must be a JSON object"))
        for name, shape in self.shapes.items():
            if shape.matches(geometry):
                return name, shape.read(geometry, properties)
        raise Invalid(("geometry", "must be a Point, Polygon, MultiPolygon or LineString"))

    def _cover(self, fence: Geofence) -> bytes:
        return bytes(self.shapes[fence.shape].lonlat_geometry(fence.geometry).wkb)

    def _renew_rules(self, session: Session, fence: Geofence, now: datetime) -> None:
        document = self.feature(fence)
        for rule in rules.of_account(session, fence.account_id, geofence_id=fence.geofence_id, limit=10_000):
            renewed = replace(rule, version=rule.version + 1, active_from=now)
            rules.change(session, renewed, now, fence=document)


def _fields(values: dict[str, Any]) -> dict[str, Any]:
    """Return what was read as a fence's fields."""
    fields = {name: each for name, each in values.items() if name not in {"shaped", "chosen"}}
    if "shaped" in values:
        fields["shape"], fields["geometry"] = values["shaped"]
    fields["subject_ids"], fields["all_subjects"] = values["chosen"]
    return fields


def _properties(given: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = given.get("properties")
    if properties is None:
        return {}
    if not isinstance(properties, Mapping):
        raise Invalid(("properties", "must be a JSON object"))
    return properties


def _present(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in properties.items() if each is not None}


def _drawn(geometry: Geometry) -> dict[str, Any] | None:
    """Return as GeoJSON what a new radius or width is for; polygons have neither."""
    if isinstance(geometry, Circle):
        return {"type": "Point", "coordinates": [geometry.center.lon, geometry.center.lat]}
    if isinstance(geometry, Corridor):
        return {"type": "LineString", "coordinates": [[each.lon, each.lat] for each in geometry.line]}
    raise Invalid(("properties", "a polygon has neither radius nor width"))


def _measures(geometry: Geometry) -> dict[str, float]:
    if isinstance(geometry, Circle):
        return {"radius_m": geometry.radius_m}
    return {"width_m": geometry.width_m} if isinstance(geometry, Corridor) else {}


def _name(given: Any) -> str:
    if not isinstance(given, str):
        raise Invalid(("properties.name", "this field is required" if given is None else "must be text"))
    try:
        return clean_name(given)
    except Invalid as error:
        raise Invalid(*((f"properties.{field}", why) for field, why in error.errors)) from None


def _somewhere(geometry: Geometry) -> LatLon:
    if isinstance(geometry, Circle):
        return geometry.center
    return geometry.line[0] if isinstance(geometry, Corridor) else geometry.parts[0][0][0]


def _zone(given: Any) -> str | None:
    if given is None:
        return None
    if not isinstance(given, str) or given not in zone_names():
        raise Invalid(("properties.time_zone", "is no time zone of the IANA database"))
    return given


def _schedule(given: Any, now: datetime) -> Any:
    return schedule_json.read(given, now.date(), at="properties.schedule")


def _template(given: Any) -> str | None:
    if given is None:
        return None
    if isinstance(given, str) and given in TEMPLATES:
        return given
    raise Invalid(("properties.template", "is none of the choices"))
