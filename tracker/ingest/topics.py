"""The topics of docs/devices.md: `root/shard/device id/rest`; the shard is the id's first character."""

from collections.abc import Iterable
from functools import lru_cache

import msgspec

from tracker.domain.errors import Malformed, Reason
from tracker.domain.ids import is_id, shard_of

GATEWAY = "gateway"
"""The root below which gateways, and devices of foreign dialects, publish their own topics."""
_BEFORE_INNER = 3
TOPICS_KNOWN = 50_000
SHORT = 48


class Address(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who published, as the topic says; the broker lets a device publish below its own id only."""

    root: str
    shard: str
    device_id: str


def parse(topic: str, *, legible: bool = True) -> Address:
    """Return the parts of a topic.

    Raises:
        Malformed: BAD_TOPIC if it has not the form above or was not `legible` UTF-8, WRONG_SHARD if the shard
            is another device's.
    """
    if not legible:
        raise Malformed(Reason.BAD_TOPIC, "UTF-8")
    # Our own topics are short. Long ones, remembered too, were memory for whoever publishes to fill.
    return _known(topic) if len(topic) <= SHORT else _read(topic)


def _read(topic: str) -> Address:
    root, shard, device_id, *_ = topic.split("/", 3) if topic.count("/") >= 2 else ("", "", "")
    if not root or not is_id(device_id):
        raise Malformed(Reason.BAD_TOPIC, "topic")
    if shard != shard_of(device_id):
        raise Malformed(Reason.WRONG_SHARD, "topic")
    return Address(root=root, shard=shard, device_id=device_id)


# A device writes to few topics, and always the same ones.
_known = lru_cache(maxsize=TOPICS_KNOWN)(_read)


def named_in(topic: str) -> str | None:
    """Return the id of a topic that is otherwise wrong; None if there is none."""
    levels = topic.split("/", 3)
    return levels[2] if len(levels) > 2 and is_id(levels[2]) else None


def of_device(root: str, device_id: str, *rest: str) -> str:
    """Return a device's topic, with `rest` below it."""
    return "/".join((root, shard_of(device_id), device_id, *rest))


def inner_topic(topic: str) -> str:
    """Return what a device wrote behind `gateway/{s}/{id}/`; a topic of another root as it is."""
    root, *behind = topic.split("/", _BEFORE_INNER)
    return behind[-1] if root == GATEWAY and len(behind) == _BEFORE_INNER else topic


def of_shards(topic_filter: str, shards: Iterable[str]) -> list[str]:
    """Return a filter `root/+/...` once for each shard."""
    root, _, rest = topic_filter.partition("/+/")
    return [f"{root}/{shard}/{rest}" for shard in shards]
