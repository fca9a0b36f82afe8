"""The shapes that calls give."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from tracker.domain.errors import Reason
from tracker.domain.source import SourceDetail, SourceState
from tracker.web.models import Kind, Unit

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


class TrackFixOut(FixOut):
    """A position of the history; an `outlier` cannot be true (docs/history.md)."""

    outlier: bool


class TrackFeature(BaseModel):
    """A position of the history as GeoJSON."""

    type: Literal["Feature"]
    geometry: Point
    properties: TrackFixOut


class Feature(BaseModel):
    """A position as GeoJSON."""

    type: Literal["Feature"]
    geometry: Point
    properties: FixOut


class FeatureCollection(BaseModel):
    """A page of positions, oldest first."""

    type: Literal["FeatureCollection"]
    features: list[TrackFeature]
    next: str | None


class TripOut(BaseModel):
    """A way between stops or gaps; its device's fixes without outliers tell it.

    `distance_m` does not count what gaps hide; `ends_before` nothing: the positions end there.
    """

    subject_id: str
    device_id: str
    start_at: Moment
    end_at: Moment
    start: Point
    end: Point
    starts_after: Literal["stop", "gap", "nothing"]
    ends_before: Literal["stop", "gap", "nothing"]
    distance_m: float
    distance_source: Literal["positions", "odometer"]
    duration_s: float
    moving_s: float
    avg_speed_mps: float
    max_speed_mps: float | None
    position_count: int


class TripList(BaseModel):
    """A page of trips, oldest first."""

    items: list[TripOut]
    next: str | None


class StopOut(BaseModel):
    """A stay at a place; `unknown_s` of it are silences longer than 20 minutes.

    Without `start_known` it began earlier than what was looked at, without `end_known` it may go on.
    """

    subject_id: str
    device_id: str
    start_at: Moment
    end_at: Moment
    start_known: bool
    end_known: bool
    at: Point
    radius_m: float
    duration_s: float
    unknown_s: float
    ignition_off: bool | None
    position_count: int


class StopList(BaseModel):
    """A page of stops, oldest first."""

    items: list[StopOut]
    next: str | None


class GapOut(BaseModel):
    """An unknown way, at least `direct_m` long: the device was silent, or jumped."""

    subject_id: str
    device_id: str
    start_at: Moment
    end_at: Moment
    start: Point
    end: Point
    duration_s: float
    direct_m: float
    reason: Literal["silence", "jump"]


class GapList(BaseModel):
    """A page of gaps, oldest first."""

    items: list[GapOut]
    next: str | None


class DayOut(BaseModel):
    """One local day of the device that tells most of it.

    `distance_m` is the known way; `unknown_direct_m` the straight lines over the gaps, so the least that is
    missing. `stopped_s` and `moving_s` are known to be so, `unknown_s` is spent in gaps and silences. With
    `detail` coarse, so of a span longer than 31 days, what needs each position read is null.
    """

    detail: Literal["full", "coarse"]
    date: Annotated[str, Field(json_schema_extra={"format": "date"})]
    start_at: Moment
    end_at: Moment
    subject_id: str
    device_id: str
    device_count: int
    first_at: Moment
    last_at: Moment
    distance_m: float | None
    unknown_direct_m: float | None
    moving_s: float | None
    stopped_s: float | None
    unknown_s: float | None
    trip_count: int | None
    stop_count: int | None
    gap_count: int | None
    position_count: int
    outlier_count: int | None


class DayList(BaseModel):
    """Days with positions, oldest first."""

    items: list[DayOut]
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
    """A device of a subject; `online` is what it last said, null if it never did.

    `speed_unit` and `codec` are null where it speaks as its dialect says.
    """

    id: str
    subject_id: str
    name: str
    dialect: str
    external_id: str | None
    created_at: Moment
    provisioned_at: Moment | None
    online: bool | None
    speed_unit: Unit | None
    codec: str | None


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
    """A device with its credentials, shown once; `config_url` configures OwnTracks by a tap.

    `command_key` checks the signatures of commands: an Ed25519 public key of 32 bytes in base64.
    """

    mqtt: MqttOut
    command_key: str
    config_url: str | None = None


class RefusalOut(BaseModel):
    """A message that was refused; `origin_id` sent it: a device, a gateway or a source.

    `replay_asked_at` is set while it waits to be tried again, `replayed_at` is when it last was. Only a
    message that was kept `whole` can be.
    """

    id: str
    reason: Reason
    detail: str
    device_id: str | None
    origin_id: str | None
    external_id: str | None
    dialect: str | None
    topic: str
    size_bytes: int | None
    whole: bool
    received_at: Moment
    replay_asked_at: Moment | None
    replayed_at: Moment | None


class RefusalList(BaseModel):
    """A page of refused messages, newest first."""

    items: list[RefusalOut]
    next: str | None


class RefusedContent(RefusalOut):
    """A refused message with what was kept of it: as text, or as hexadecimal digits where it is none.

    `query` is of a message that came by HTTP.
    """

    encoding: Literal["text", "hex"]
    payload: str
    query: str | None


class ReplayAsked(BaseModel):
    """How many messages will be tried again."""

    asked: int


class GatewayOut(BaseModel):
    """One sender for many devices; `topic_prefix` stands before the topics that they write."""

    id: str
    name: str
    dialect: str
    topic_prefix: str
    created_at: Moment
    provisioned_at: Moment | None


class GatewayList(BaseModel):
    """A page of gateways."""

    items: list[GatewayOut]
    next: str | None


class GatewayCredentials(GatewayOut):
    """A gateway with its credentials, shown once."""

    mqtt: MqttOut


class SourceOut(BaseModel):
    """A broker of somebody else's that the service reads; its sign-in is never shown.

    `state` is how it stands with the connection, `detail` why ("" if there is nothing to say).
    """

    id: str
    name: str
    dialect: str
    url: str
    topics: list[str]
    has_credentials: bool
    paused: bool
    state: SourceState
    detail: SourceDetail
    state_at: Moment
    messages: int
    last_message_at: Moment | None
    created_at: Moment


class SourceList(BaseModel):
    """A page of sources."""

    items: list[SourceOut]
    next: str | None


class UnclaimedOut(BaseModel):
    """A device that a gateway or source (`origin_id`) speaks of and no device is called like."""

    origin_id: str
    external_id: str
    dialect: str
    first_heard_at: Moment
    last_heard_at: Moment
    messages: int


class UnclaimedList(BaseModel):
    """A page of unknown devices, last heard first."""

    items: list[UnclaimedOut]
    next: str | None


class ImportOut(BaseModel):
    """A file on its way into a device's history.

    `positions_new` counts those not known before; `reasons` why records were refused; `ending` why the rest
    of the file could not be read, null if nothing was wrong.
    """

    id: str
    device_id: str
    format: str
    file_name: str
    state: Literal["queued", "reading", "done", "failed", "cancelled"]
    size_bytes: int
    read_bytes: int
    positions_read: int
    positions_new: int
    refused: int
    reasons: dict[str, int]
    ending: str | None
    created_at: Moment
    changed_at: Moment


class ImportList(BaseModel):
    """A page of imports, newest first."""

    items: list[ImportOut]
    next: str | None


class Health(BaseModel):
    """The state of one process or of what it needs."""

    status: Literal["ok"]
