"""The shapes that calls give."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from tracker.web.models import Kind

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class CodeAskedOut(BaseModel):
    """A code is on its way, if the number may get one."""

    login_id: str
    sender: str
    expires_in: int
    resend_in: int


class AccountOut(BaseModel):
    """The account of one family."""

    id: str
    phone: str
    locale: str
    region: str | None
    created_at: Moment
    has_own_code: bool
    terms_version: str | None
    terms_accepted_at: Moment | None


class LoginOut(BaseModel):
    """The way in: a bearer token, shown once."""

    token: str
    account: AccountOut


class SessionOut(BaseModel):
    """A live way into the account."""

    id: str
    kind: Literal["cookie", "bearer", "token"]
    level: Literal["sms", "own_code", "token"]
    name: str
    created_at: Moment
    last_seen_at: Moment
    expires_at: Moment
    current: bool


class SessionList(BaseModel):
    """A page of sessions or tokens."""

    items: list[SessionOut]
    next: str | None


class NewTokenOut(SessionOut):
    """A new token; `token` is shown only now."""

    token: str


class Point(BaseModel):
    """A place: longitude, latitude."""

    type: Literal["Point"]
    coordinates: tuple[float, float]


class FixOut(BaseModel):
    """What is known of a position; null is unknown."""

    subject_id: str
    device_id: str
    recorded_at: Moment
    received_at: Moment | None
    freshness: Literal["live", "stale", "silent"]
    accuracy_m: float | None
    altitude_m: float | None
    speed_mps: float | None
    course_deg: float | None
    battery_pct: float | None
    charging: bool | None
    ignition: bool | None
    trigger: str | None
    satellites: int | None
    hdop: float | None
    odometer_m: float | None


class Feature(BaseModel):
    """A position as GeoJSON."""

    type: Literal["Feature"]
    geometry: Point
    properties: FixOut


class FeatureCollection(BaseModel):
    """A page of positions, oldest first."""

    type: Literal["FeatureCollection"]
    features: list[Feature]
    next: str | None


class SubjectOut(BaseModel):
    """A subject with its last position."""

    id: str
    kind: Kind
    name: str
    created_at: Moment
    freshness: Literal["live", "stale", "silent", "never"]
    last_position: Feature | None


class SubjectList(BaseModel):
    """A page of subjects."""

    items: list[SubjectOut]
    next: str | None


class DeviceOut(BaseModel):
    """A device of a subject; `online` is what it last said, null if it never did."""

    id: str
    subject_id: str
    name: str
    dialect: str
    external_id: str | None
    created_at: Moment
    provisioned_at: Moment | None
    online: bool | None


class DeviceList(BaseModel):
    """A page of devices."""

    items: list[DeviceOut]
    next: str | None


class MqttOut(BaseModel):
    """How a device signs in to the broker; the password is shown only now."""

    host: str
    port: int
    tls: bool
    username: str
    password: str
    client_id: str
    topics: list[str]


class DeviceCredentials(DeviceOut):
    """A device with its credentials, shown once; `config_url` configures OwnTracks by a tap."""

    mqtt: MqttOut
    config_url: str | None = None


class Health(BaseModel):
    """The state of one process or of what it needs."""

    status: Literal["ok"]
