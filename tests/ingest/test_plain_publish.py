"""The short way to read PUBLISH packets."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from tracker.ingest.plain_publish import next_publish


def packet(
    topic: bytes, packet_id: int, payload: bytes, *, qos: int = 1, flags: int = 0, properties: bytes = b"\0"
) -> bytes:
    number = struct.pack("!H", packet_id) if qos else b""
    body = struct.pack("!H", len(topic)) + topic + number + properties + payload
    length, digits = len(body), b""
    while length > 127:
        digits, length = digits + bytes((length & 127 | 128,)), length >> 7
    return bytes((0x30 | qos << 1 | flags,)) + digits + bytes((length,)) + body


@given(
    st.lists(
        st.tuples(st.binary(max_size=70), st.integers(1, 65535), st.binary(max_size=300), st.integers(0, 1)),
        max_size=5,
    ),
    st.binary(max_size=5),
)
def test_packets_are_read_one_after_the_other_as_they_were_written(
    written: list[tuple[bytes, int, bytes, int]], before: bytes
) -> None:
    buffer = before + b"".join(
        packet(topic, number, payload, qos=qos) for topic, number, payload, qos in written
    )
    at, read = len(before), []
    while (found := next_publish(buffer, at)) is not None:
        at, *rest = found
        read.append(tuple(rest))
    assert read == [(topic, number if qos else 0, payload, False) for topic, number, payload, qos in written]
    assert at == len(buffer)


@given(st.binary(max_size=200), st.data())
def test_a_packet_that_is_not_whole_is_left_alone(payload: bytes, data: st.DataObject) -> None:
    whole = packet(b"owntracks/a/b", 7, payload)
    assert next_publish(whole[: data.draw(st.integers(0, len(whole) - 1))], 0) is None


def test_duplicates_and_retained_messages_are_plain() -> None:
    found = next_publish(packet(b"t", 7, b"x", flags=8 | 1), 0)
    assert found == (len(packet(b"t", 7, b"x")), b"t", 7, b"x", True)


def test_what_is_not_plain_is_left_to_paho() -> None:
    assert next_publish(packet(b"t", 7, b"x", properties=b"\x03\x23\x00\x01"), 0) is None
    assert next_publish(packet(b"t", 7, b"x", qos=2), 0) is None
    assert next_publish(packet(b"t", 7, b"x" * 16_384), 0) is None
    assert next_publish(b"\xd0\x00", 0) is None


@given(st.binary(max_size=64), st.integers(0, 70))
def test_any_bytes_are_read_or_left_alone_and_never_beyond_their_end(buffer: bytes, at: int) -> None:
    for head in (0x30, 0x32, 0x3A):
        found = next_publish(bytes((head,)) + buffer, at)
        assert found is None or at < found[0] <= len(buffer) + 1
