"""The shapes that calls take; strict, so that nothing is guessed."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from tracker.domain.device import SpeedUnit
from tracker.domain.errors import Reason
from tracker.domain.ids import is_id
from tracker.domain.subject import NAME_LENGTH, SubjectKind


def _clean(value: Any) -> Any:
    """Refuse characters that no line of text holds; PostgreSQL takes no NUL at all."""
    if isinstance(value, str) and any(ord(each) < 0x20 or ord(each) == 0x7F for each in value):
        raise ValueError("must be one line without control characters")
    return value


def _named(value: Any) -> Any:
    value = _clean(value)
    return value.strip() if isinstance(value, str) else value


def _identity(value: str) -> str:
    if isinstance(value, str) and not is_id(value):
        raise ValueError("is no id")
    return value


def _moment(value: Any) -> Any:
    """Let only RFC 3339 text pass to the date parser, which would take bare numbers too."""
    if not isinstance(value, str) or "T" not in value.upper():
        raise ValueError("must be a moment by RFC 3339")
    return value


Line = Annotated[str, BeforeValidator(_clean)]
Name = Annotated[str, BeforeValidator(_named), Field(min_length=1, max_length=NAME_LENGTH)]
Identity = Annotated[str, BeforeValidator(_identity), Field(json_schema_extra={"pattern": "^[0-9a-f]{16}$"})]
Phone = Annotated[Line, Field(min_length=1, max_length=40, examples=["+79990000001"])]
Region = Annotated[
    Line,
    Field(pattern="^[A-Z]{2}(-[A-Z0-9]{1,3})?$", description="ISO 3166-1 alpha-2 or ISO 3166-2, as RU-MOW"),
]
Code = Annotated[str, Field(min_length=1, max_length=256)]
Locale = Literal["ru", "en"]
ReasonIn = Annotated[Reason, Field(strict=False)]
ExternalId = Annotated[Line, Field(min_length=1, max_length=128)]
Unit = Literal["mps", "kmh", "knots", "mph"]
Kind = Literal["child", "relative", "pet", "vehicle", "phone"]
MomentIn = Annotated[AwareDatetime, BeforeValidator(_moment), Field(strict=False)]

if {kind.value for kind in SubjectKind} != set(Kind.__args__):  # type: ignore[attr-defined]
    raise AssertionError("the kinds of the API are not the kinds of the domain")
if {unit.value for unit in SpeedUnit} != set(Unit.__args__):  # type: ignore[attr-defined]
    raise AssertionError("the units of the API are not the units of the domain")


class Body(BaseModel):
    """What a call takes: exactly these fields, of exactly these types."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Query(BaseModel):
    """What a call takes from its address, where everything is text."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)


class PageQuery(Query):
    """Which part of a list."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    after: Annotated[str, Field(max_length=200)] | None = None


class DeviceQuery(PageQuery):
    """Which devices."""

    subject_id: Identity | None = None


class PositionQuery(PageQuery):
    """Which positions: from <= recorded_at < to; the last 24 hours if unsaid."""

    subject_id: Identity
    since: MomentIn | None = Field(None, alias="from")
    until: MomentIn | None = Field(None, alias="to")
    format: Literal["geojson", "gpx", "kml", "csv"] = "geojson"
    limit: Annotated[int, Field(ge=1, le=10_000)] = 100
    simplify_m: Annotated[float, Field(ge=0, le=100_000)] = 0.0


class HistoryQuery(PageQuery):
    """Whose history: what overlaps from <= t < to, at most 31 days; the last 24 hours if unsaid."""

    subject_id: Identity
    device_id: Identity | None = None
    since: MomentIn | None = Field(None, alias="from")
    until: MomentIn | None = Field(None, alias="to")


class DayQuery(PageQuery):
    """Whose days: the local days that from <= t < to touches; the last 7 days if unsaid.

    Of at most 31 days in full, of at most 370 coarsely.
    """

    subject_id: Identity
    since: MomentIn | None = Field(None, alias="from")
    until: MomentIn | None = Field(None, alias="to")
    tz: Annotated[Line, Field(min_length=1, max_length=64, examples=["Europe/Moscow"])] = "UTC"


class ImportQuery(Query):
    """Whose history a file goes into, and what it is called."""

    device_id: Identity
    name: Annotated[Line, Field(max_length=200)] = ""


class RefusalQuery(PageQuery):
    """Which refused messages."""

    reason: ReasonIn | None = None
    device_id: Identity | None = None


class ReplayRequest(Body):
    """Which refused messages to try again: these, or all that fit every condition given."""

    ids: Annotated[list[Identity], Field(min_length=1, max_length=1000)] | None = None
    reason: ReasonIn | None = None
    device_id: Identity | None = None


class CodeRequest(Body):
    """Ask for a code by SMS."""

    phone: Phone
    region: Region | None = None
    locale: Locale | None = None


class Login(Body):
    """Sign in by a code; one that came by SMS needs the `login_id` that asked for it."""

    phone: Phone
    code: Code
    login_id: Identity | None = None
    accept_terms: bool = False


class OwnCode(Body):
    """The owner's own code."""

    code: Code
    sign_out_others: bool = False


class StepUp(Body):
    """Prove oneself again by the own code, or by one that came by SMS with its `login_id`."""

    code: Code
    login_id: Identity | None = None


class AccountChange(Body):
    """What the owner may change of the account."""

    locale: Locale


class NewToken(Body):
    """A named token for a program."""

    name: Name
    expires_at: MomentIn | None = None


class NewSubject(Body):
    """Whom or what to keep in sight."""

    kind: Kind
    name: Name


class SubjectChange(Body):
    """What to change of a subject; what is left out stays."""

    kind: Kind | None = None
    name: Name | None = None


class NewDevice(Body):
    """What will report a subject's positions; `payload_key` is OwnTracks' encryption key."""

    subject_id: Identity
    name: Name
    dialect: Annotated[Line, Field(max_length=40)]
    external_id: ExternalId | None = None
    payload_key: Annotated[Line, Field(min_length=1, max_length=32)] | None = None
    speed_unit: Unit | None = None
    codec: Annotated[Line, Field(max_length=40)] | None = None


class DeviceChange(Body):
    """What to change of a device; what is left out stays, what is null is taken away.

    Without `speed_unit` and `codec` it speaks as its dialect says.
    """

    name: Name | None = None
    subject_id: Identity | None = None
    external_id: ExternalId | None = None
    speed_unit: Unit | None = None
    codec: Annotated[Line, Field(max_length=40)] | None = None


class NewGateway(Body):
    """One sender for many devices, told apart by their `external_id`."""

    name: Name
    dialect: Annotated[Line, Field(max_length=40)]


class GatewayChange(Body):
    """What to change of a gateway."""

    name: Name


class NewSource(Body):
    """A broker of somebody else's that the service reads; without `topics`, those of the dialect.

    `url` is `mqtt(s)://host:port`, without a user.
    """

    name: Name
    dialect: Annotated[Line, Field(max_length=40)]
    url: Annotated[Line, Field(min_length=1, max_length=300, examples=["mqtts://broker.example:8883"])]
    username: Annotated[Line, Field(max_length=1024)] = ""
    password: Annotated[Line, Field(max_length=1024)] = ""
    topics: Annotated[list[Annotated[Line, Field(min_length=1, max_length=256)]], Field(max_length=30)] = []


class SourceChange(Body):
    """What to change of a source; what is left out stays, no topics are those of its dialect.

    User name and password are changed together, and must be given again with another `url`.
    """

    name: Name | None = None
    url: Annotated[Line, Field(min_length=1, max_length=300)] | None = None
    username: Annotated[Line, Field(max_length=1024)] | None = None
    password: Annotated[Line, Field(max_length=1024)] | None = None
    topics: (
        Annotated[list[Annotated[Line, Field(min_length=1, max_length=256)]], Field(max_length=30)] | None
    ) = None
    paused: bool | None = None


class UnclaimedQuery(PageQuery):
    """Which unknown devices."""

    origin_id: Identity | None = None


class Adoption(Body):
    """Make a device of what a gateway or source speaks of; without `name` it is called `external_id`."""

    origin_id: Identity
    external_id: ExternalId
    subject_id: Identity
    name: Name | None = None
