"""Every error this product raises on purpose, as one tree.

TrackerError
├── Refused              input that will never become right; say why, count it, keep the rest going
│   ├── Malformed        a device's message that cannot be read or cannot be true
│   ├── Invalid          a field of a form or a call is wrong
│   ├── NotFound         missing, or not yours: the two look alike
│   ├── NotSignedIn      no valid session or token
│   ├── StepUpRequired   the session must prove its owner again first
│   └── TooMany          a rate limit; try again after `retry_after_s`
├── Unavailable          a neighbour (database, broker, gateway) does not answer; trying again may help
└── Misconfigured        a setting or the machine is wrong; the text says what to change
"""

from enum import StrEnum


class TrackerError(Exception):
    """Anything this product raises on purpose; `transient` tells whether trying again may help."""

    transient = False


class Refused(TrackerError):
    """The input will never become right as it is."""


class Reason(StrEnum):
    """Why a device's message was refused: the bounded label of counters and quarantine rows."""

    TOO_LARGE = "too_large"
    NOT_TEXT = "not_text"
    NOT_JSON = "not_json"
    NOT_CBOR = "not_cbor"
    WRONG_SHAPE = "wrong_shape"
    OUT_OF_RANGE = "out_of_range"
    NULL_ISLAND = "null_island"
    NO_TIME = "no_time"
    TIME_BEFORE_2000 = "time_before_2000"
    TIME_IN_FUTURE = "time_in_future"
    BAD_TOPIC = "bad_topic"
    WRONG_SHARD = "wrong_shard"
    UNKNOWN_DEVICE = "unknown_device"
    IDENTITY_MISMATCH = "identity_mismatch"
    BAD_CIPHERTEXT = "bad_ciphertext"
    NO_KEY = "no_key"
    BAD_CHECKSUM = "bad_checksum"
    NO_IDENTITY = "no_identity"
    OVER_RATE = "over_rate"
    STORE_REFUSED = "store_refused"


class Malformed(Refused):
    """A device's message cannot be read or cannot be true; it goes to quarantine with `reason`.

    `detail` names the field and the rule, never the value: values are coordinates.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


class Invalid(Refused):
    """One or more fields of a form or call are wrong; `errors` pairs each field with a message."""

    def __init__(self, *errors: tuple[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in errors))
        self.errors = errors


class NotFound(Refused):
    """The thing does not exist, or is not the caller's to know of."""


class NotSignedIn(Refused):
    """The caller has no valid session or token; sign in."""


class StepUpRequired(Refused):
    """The session is valid, but this act needs the owner's code again."""


class TooMany(Refused):
    """A rate limit holds the caller back for `retry_after_s` whole seconds, at least 1."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"try again in {retry_after_s} s")
        self.retry_after_s = max(1, retry_after_s)


class Unavailable(TrackerError):
    """A neighbour does not answer now; the same call may succeed later."""

    transient = True


class Misconfigured(TrackerError):
    """A setting or the machine itself is wrong; the text says in one line what to change."""
