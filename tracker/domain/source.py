"""A source: a broker of others that the service itself reads for an account."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SourceState(StrEnum):
    """How it stands with the connection to a source.

    `waiting`: nobody serves it yet, or it is paused; `refused`: the broker answers and does not let us in or
    subscribe; `unreachable`: nobody answers; `forbidden`: its address is one that the service never calls.
    """

    WAITING = "waiting"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    FORBIDDEN = "forbidden"


class SourceDetail(StrEnum):
    """Why the state is what it is, as far as it is known; a bounded set, so that no secret can be in it."""

    NONE = ""
    PAUSED = "paused"
    PRIVATE_ADDRESS = "private_address"
    NO_SUCH_HOST = "no_such_host"
    NO_ANSWER = "no_answer"
    CONNECTION_REFUSED = "connection_refused"
    CONNECTION_LOST = "connection_lost"
    CERTIFICATE = "certificate"
    TLS = "tls"
    LOGIN_REFUSED = "login_refused"
    TOPICS_REFUSED = "topics_refused"
    REFUSED = "refused"
    MESSAGE_TOO_LARGE = "message_too_large"
    LOGIN_UNREADABLE = "login_unreadable"
    NOT_TAKEN = "not_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A foreign broker at `url` (`mqtt(s)://host:port`, never with a user) of whose `topics` we are sent.

    The sign-in is sealed beside it; `has_credentials` tells whether there is one. `messages` counts what was
    taken from it.
    """

    account_id: str
    source_id: str
    name: str
    dialect: str
    url: str
    topics: tuple[str, ...]
    has_credentials: bool
    paused: bool
    state: SourceState
    detail: SourceDetail
    state_at: datetime
    messages: int
    last_message_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLogin:
    """As whom the service signs in to a source; an empty user name signs in as nobody."""

    username: str
    password: str


TOPIC_LENGTH = 256


def is_topic_filter(text: str) -> bool:
    """Tell whether `text` is an MQTT topic filter of at most 256 characters, MQTT 5 section 4.7.

    Filters that begin with `$` are the broker's own or shared ones and none of ours, but for those of AWS.
    """
    levels = text.split("/")
    return (
        0 < len(text) <= TOPIC_LENGTH
        and text.isprintable()
        and (not text.startswith("$") or text.startswith("$aws/"))
        and all("+" not in level or level == "+" for level in levels)
        and all("#" not in level for level in levels[:-1])
        and ("#" not in levels[-1] or levels[-1] == "#")
    )
