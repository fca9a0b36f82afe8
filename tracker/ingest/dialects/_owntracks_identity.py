"""Whose an OwnTracks message claims to be: `user/device`, from wherever the app or its server wrote it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from tracker.ingest.dialects._fields import ID_LENGTH, identity
from tracker.ingest.dialects._message import Message

ROOT = "owntracks/"
SUFFIXES = frozenset(
    (
        *("event", "waypoint", "waypoints", "step", "steps", "status", "info", "beacon", "dump"),
        *("request", "lwt", "cmd"),
    )
)
"""The levels that apps write behind their own topic."""


def claimed(message: Message, body: Mapping[str, Any]) -> str | None:
    """Return `user/device` of a message; None if it does not tell.

    It is in the topic. Over HTTP it is in the headers X-Limit-U and X-Limit-D, else in the query as u and
    d, else in the topic that the body names (booklet, tech/http).
    """
    topic = message.topic
    if topic:
        # Most topics, without a list of their levels.
        if topic.startswith(ROOT) and topic.isprintable() and len(topic) < ID_LENGTH:
            levels = topic[len(ROOT) :].split("/")
            if len(levels) == 2 and all(levels):
                return topic[len(ROOT) :]
        return of_topic(topic)
    user, device = message.headers.get("x-limit-u"), message.headers.get("x-limit-d")
    if not (user and device):
        # keep_blank_values is off: an empty u is no user.
        query = parse_qs(message.query[:1024])
        user, device = query.get("u", [""])[0], query.get("d", [""])[0]
    if user and device:
        return identity(f"{user}/{device}")
    told = body.get("topic")
    return of_topic(told) if isinstance(told, str) else None


def of_topic(topic: str) -> str | None:
    """Return `user/device` of a topic: the last two levels, or those before a suffix of the apps.

    A slash may lead, and the base may have more levels than one; None if there are not two levels.
    """
    levels = topic.strip("/").split("/")
    if len(levels) > 3 and levels[-1] in SUFFIXES:
        levels.pop()
    return identity("/".join(levels[-2:])) if len(levels) > 1 and all(levels[-2:]) else None


def is_command(topic: str) -> bool:
    """Tell whether a topic is where an app is told something, and not what it says."""
    return topic.endswith("/cmd") and topic.strip("/").count("/") > 2
