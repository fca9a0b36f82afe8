import pytest

from tracker.domain.errors import Malformed, Reason
from tracker.ingest.topics import Address, of_device, parse

DEVICE = "a123456789abcdef"


def test_a_topic_names_root_shard_device_and_the_rest() -> None:
    assert parse(f"tracker/a/{DEVICE}/position/cbor") == Address(
        root="tracker", shard="a", device_id=DEVICE, rest=("position", "cbor")
    )


def test_a_topic_may_end_at_the_device() -> None:
    assert parse(f"owntracks/a/{DEVICE}").rest == ()


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
    assert (parse(topic).device_id, parse(topic).rest) == (DEVICE, ("ack",))
