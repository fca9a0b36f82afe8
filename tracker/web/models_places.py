"""The shapes of calls about fences and rules."""

from typing import Annotated, Any, Literal

from pydantic import Field

from tracker.domain.rule import Urgency
from tracker.web.models import Body, Identity, Line, MomentIn, Name, PageQuery

Zone = Annotated[Line, Field(min_length=1, max_length=64, examples=["Europe/Moscow"])]
TimeOfDay = Annotated[Line, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["08:30"])]
Day = Annotated[Line, Field(pattern=r"^\d{4}-\d\d-\d\d$", examples=["2026-09-01"])]
LocalMoment = Annotated[Line, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$")]
Subjects = Annotated[list[Identity], Field(max_length=1000)]
UrgencyName = Literal["quiet", "normal", "urgent", "alarm"]

if [each.name.lower() for each in Urgency] != list(UrgencyName.__args__):  # type: ignore[attr-defined]
    raise AssertionError("the urgencies of the API are not the urgencies of the domain")


class SpanIn(Body):
    """Local times; an end not after the start is on the next day, equal ones are a whole day."""

    start: TimeOfDay
    end: TimeOfDay


class WeeklyIn(Body):
    """Spans on days of the week; 0 is Monday."""

    days: Annotated[list[Annotated[int, Field(ge=0, le=6)]], Field(min_length=1, max_length=7)]
    spans: Annotated[list[SpanIn], Field(min_length=1, max_length=20)]


class RecurringIn(Body):
    """An RRULE (RFC 5545) from the local moment `first` on, each time for `lasts_s` seconds."""

    rrule: Annotated[Line, Field(min_length=1, max_length=400, examples=["FREQ=WEEKLY;BYDAY=MO,WE"])]
    first: LocalMoment
    lasts_s: Annotated[int, Field(ge=60, le=31 * 86_400)]


class TermIn(Body):
    """A school term and its holidays, each [first, last], all days included."""

    first: Day
    last: Day
    holidays: Annotated[
        list[Annotated[list[Day], Field(min_length=2, max_length=2)]], Field(max_length=60)
    ] = Field(default_factory=list)


class RotaIn(Body):
    """Turns of weeks, as between two homes: `weeks[n]` for the nth week from `first` on, again and again."""

    first: Day
    weeks: Annotated[list[bool], Field(min_length=1, max_length=52)]


class ScheduleIn(Body):
    """When something is in force: see docs/geofences.md."""

    weekly: Annotated[list[WeeklyIn], Field(max_length=50)] = Field(default_factory=list)
    recurring: Annotated[list[RecurringIn], Field(max_length=20)] = Field(default_factory=list)
    terms: Annotated[list[TermIn], Field(max_length=20)] = Field(default_factory=list)
    rota: RotaIn | None = None
    holidays: Annotated[list[Day], Field(max_length=400)] = Field(default_factory=list)
    time_zone: Zone | None = None


class FenceProperties(Body):
    """What a new fence is besides its geometry.

    `radius_m` belongs to a Point, `width_m` to a LineString. Without `time_zone` it is that of the place.
    """

    name: Name
    radius_m: float | None = None
    width_m: float | None = None
    subject_ids: Subjects = Field(default_factory=list)
    all_subjects: bool = False
    time_zone: Zone | None = None
    template: Literal["home", "school", "yard"] | None = None
    schedule: ScheduleIn | None = None


class FenceChanges(Body):
    """What to change of a fence; what is left out stays, a null schedule is taken away."""

    name: Name | None = None
    radius_m: float | None = None
    width_m: float | None = None
    subject_ids: Subjects | None = None
    all_subjects: bool | None = None
    time_zone: Zone | None = None
    template: Literal["home", "school", "yard"] | None = None
    schedule: ScheduleIn | None = None


Geometry = Annotated[
    dict[str, Any],
    Field(
        description="GeoJSON: Point with `radius_m`, Polygon, MultiPolygon, or LineString with `width_m`",
        examples=[{"type": "Point", "coordinates": [37.62, 55.75]}],
    ),
]


class NewGeofence(Body):
    """A fence as a GeoJSON Feature (RFC 7946)."""

    type: Literal["Feature"]
    geometry: Geometry
    properties: FenceProperties


class GeofenceChange(Body):
    """A Feature with what changes; another geometry is a new version of the fence."""

    type: Literal["Feature"] = "Feature"
    geometry: Geometry | None = None
    properties: FenceChanges = FenceChanges()


class GeofenceQuery(PageQuery):
    """Which fences: those that are for a subject, or all."""

    subject_id: Identity | None = None


class NotifyIn(Body):
    """Whom a rule tells, and how; without contacts the owner, without channels each contact's own."""

    contact_ids: Annotated[list[Identity], Field(max_length=20)] = Field(default_factory=list)
    channels: Annotated[list[Annotated[Line, Field(min_length=1, max_length=40)]], Field(max_length=10)] = (
        Field(default_factory=list)
    )
    urgency: UrgencyName | None = None
    all_at_once: bool = True
    escalate_after_s: Annotated[int, Field(ge=60, le=86_400)] | None = None
    throttle_s: Annotated[int, Field(ge=0, le=86_400)] = 300


class RuleBody(Body):
    """What a rule says; `args` are as `GET /rules/kinds` describes them for its kind."""

    kind: Annotated[Line, Field(min_length=1, max_length=40, examples=["not_arrived"])]
    name: Name | None = None
    subject_ids: Subjects = Field(default_factory=list)
    all_subjects: bool = False
    geofence_id: Identity | None = None
    args: Annotated[dict[str, Any], Field(examples=[{"by": "08:30"}])] = Field(default_factory=dict)
    schedule: ScheduleIn | None = None
    notify: NotifyIn = NotifyIn()
    enabled: bool = True


class NewRule(RuleBody):
    """A rule."""


class RuleChange(Body):
    """What to change of a rule; what is left out stays, what is null is taken away."""

    name: Name | None = None
    subject_ids: Subjects | None = None
    all_subjects: bool | None = None
    geofence_id: Identity | None = None
    args: dict[str, Any] | None = None
    schedule: ScheduleIn | None = None
    notify: NotifyIn | None = None
    enabled: bool | None = None


class RulePreview(RuleBody):
    """A rule, and the stretch of history to try it on: from <= t < to, at most 31 days.

    `geofence` may stand in place of `geofence_id`: a fence that is not saved yet.
    """

    geofence: NewGeofence | None = None
    since: Annotated[MomentIn, Field(alias="from")]
    until: Annotated[MomentIn, Field(alias="to")]


class RuleQuery(PageQuery):
    """Which rules: of a fence, of a subject, or all."""

    geofence_id: Identity | None = None
    subject_id: Identity | None = None
