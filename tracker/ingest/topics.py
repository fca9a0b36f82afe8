"""The topics of docs/devices.md: `root/shard/device id/rest`; the shard is the id's first character."""

import msgspec

from tracker.domain.errors import Malformed, Reason
from tracker.domain.ids import is_id, shard_of


class Address(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who published, as the topic says; the broker lets a device publish below its own id only."""

    root: str
    shard: str
    device_id: str
    rest: tuple[str, ...]


def parse(topic: str) -> Address:
    """Return the parts of a topic.

    Raises:
        Malformed: BAD_TOPIC if it has not the form above, WRONG_SHARD if the shard is another device's.
    """
    root, shard, device_id, *rest = topic.split("/") if topic.count("/") >= 2 else ("", "", "")
    if not root or not is_id(device_id):
        raise Malformed(Reason.BAD_TOPIC, "topic")
    if shard != shard_of(device_id):
        raise Malformed(Reason.WRONG_SHARD, "topic")
    return Address(root=root, shard=shard, device_id=device_id, rest=tuple(rest))


def of_device(root: str, device_id: str, *rest: str) -> str:
    """Return a device's topic, with `rest` below it."""
    return "/".join((root, shard_of(device_id), device_id, *rest))
