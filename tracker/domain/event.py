"""An event: something that a rule saw happen, with its reasons; and whether it was told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from tracker.domain.crossing import Evidence, How
from tracker.domain.rule import Urgency


class News(StrEnum):
    """What became of an event as news.

    Told; too old to be news when it became known; muted; raised outside the rule's or fence's
    schedule; of nobody's concern.
    """

    TOLD = "told"
    OLD = "old"
    MUTED = "muted"
    ASLEEP = "asleep"
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why an event is: the positions with distances and probabilities, rule and fence as they were.

    `thresholds` are the engine's numbers in force. `earliest` is the last moment when the opposite was sure:
    the truth lies between it and the event's `at`. `suppressed` are siblings that were not raised, with why.
    `delays` in seconds: at to decided, decided to received.
    """

    evidence: tuple[Evidence | Mapping[str, Any], ...]
    rule: Mapping[str, Any]
    fence: Mapping[str, Any] | None
    how: How | None
    thresholds: Mapping[str, float]
    earliest: datetime | None
    gap_s: float | None
    suppressed: tuple[Mapping[str, Any], ...]
    delays: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a subject.

    `at` and `decided_at` are of the data's time, `recorded_at` of the service's clock. `superseded_by` is the
    event that tells it truly; `retracted_at` says since when history no longer has it, with nothing in its
    place.
    """

    account_id: str
    event_id: str
    rule_id: str | None
    rule_version: int | None
    subject_id: str
    device_id: str | None
    geofence_id: str | None
    type: str
    urgency: Urgency
    at: datetime
    decided_at: datetime
    recorded_at: datetime
    slot: str
    data: Mapping[str, Any]
    explanation: Explanation
    news: News
    superseded_by: str | None = None
    retracted_at: datetime | None = None


def event_id_of(rule_id: str, rule_version: int, subject_id: str, event_type: str, slot: str) -> str:
    """Return the identity of what a rule saw: the same in any process and however often it is seen.

    16 hexadecimal characters, of BLAKE2b over the parts.
    """
    parts = "\0".join((rule_id, str(rule_version), subject_id, event_type, slot))
    return blake2b(parts.encode(), digest_size=8).hexdigest()
