import pytest

from tracker.domain.errors import Malformed, Reason
from tracker.ingest import topics
from tracker.ingest.topics import Address, of_device, parse

DEVICE = "a123456789abcdef"


def test_a_topic_names_root_shard_and_device() -> None:
    assert parse(f"tracker/a/{DEVICE}/position/cbor") == Address(root="tracker", shard="a", device_id=DEVICE)


def test_a_topic_may_end_at_the_device() -> None:
    assert parse(f"owntracks/a/{DEVICE}").root == "owntracks"


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "tracker",
        f"tracker/{DEVICE}",
        f"/a/{DEVICE}/position",
        "tracker/a/a123/position",
        f"tracker/A/{DEVICE.upper()}/position",
        f"tracker/a/{DEVICE}0/position",
        "tracker/a/+/position",
        "tracker/s/svc-ingest-0/position",
    ],
)
def test_what_names_no_device_is_refused(topic: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse(topic)
    assert refused.value.reason is Reason.BAD_TOPIC


def test_another_devices_shard_is_refused() -> None:
    with pytest.raises(Malformed) as refused:
        parse(f"tracker/b/{DEVICE}/position")
    assert refused.value.reason is Reason.WRONG_SHARD


def test_a_devices_topic_is_parsed_back() -> None:
    topic = of_device("tracker", DEVICE, "ack")
    assert parse(topic).device_id == DEVICE


def test_long_topics_of_whoever_publishes_are_not_remembered() -> None:
    before = topics._known.cache_info().currsize
    for number in range(100):
        topics.parse(f"gateway/a/a123456789abcdef/{number}{'x' * 1000}")
    assert topics._known.cache_info().currsize == before
    topics.parse("tracker/a/a123456789abcdee/position")
    assert topics._known.cache_info().currsize >= before
