"""Publishes prepared messages at QoS 1 as fast as the broker takes them, over one plain socket.

Paho would be the slowest part of the measurement. Run in a process of its own.
"""

import select
import socket
import struct
import time
from collections.abc import Sequence


def publish_all(
    host: str, port: int, user: str, password: str, messages: Sequence[tuple[str, bytes]]
) -> tuple[float, float]:
    """Publish the messages and return the Unix times of the first one's sending and the last one's PUBACK.

    Raises:
        ConnectionError: the broker refused us or broke off.
    """
    packets = b"".join(
        _publish(topic, payload, 1 + number % 65535) for number, (topic, payload) in enumerate(messages)
    )
    with socket.create_connection((host, port)) as link:
        link.sendall(_connect(user, password))
        if link.recv(4) != b"\x20\x02\x00\x00":
            raise ConnectionError("the broker refused the publisher")
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.setblocking(False)
        began = time.time()
        _exchange(link, packets, 4 * len(messages))
        return began, time.time()


def publish_paced(
    host: str, port: int, user: str, password: str, messages: Sequence[tuple[str, bytes]], per_s: int
) -> float:
    """Publish `per_s` messages a second, each with the moment in the place of `@`; return how late it fell.

    The lateness is that of the last message behind its time, in seconds: above zero the rate was not reached.

    Raises:
        ConnectionError: the broker refused us or broke off.
    """
    with socket.create_connection((host, port)) as link:
        link.sendall(_connect(user, password))
        if link.recv(4) != b"\x20\x02\x00\x00":
            raise ConnectionError("the broker refused the publisher")
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        began_s, sent, answers = time.monotonic(), 0, 4 * len(messages)
        while sent < len(messages):
            due = min(len(messages), int((time.monotonic() - began_s) * per_s) + 1)
            packets = [
                _publish(topic, payload.replace(b"@", b"%.6f" % time.time()), 1 + (sent + number) % 65535)
                for number, (topic, payload) in enumerate(messages[sent:due])
            ]
            link.sendall(b"".join(packets))
            sent = due
            answers -= len(_answers(link))
            time.sleep(0.001)
        late_s = time.monotonic() - began_s - len(messages) / per_s
        while answers > 0:
            select.select([link], [], [], 30)
            answers -= len(_answers(link))
        return late_s


def _answers(link: socket.socket) -> bytes:
    try:
        answer = link.recv(65536, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return b""
    if not answer:
        raise ConnectionError("the broker broke off")
    return answer


def _exchange(link: socket.socket, packets: bytes, answer_bytes: int) -> None:
    unsent = memoryview(packets)
    while answer_bytes > 0:
        readable, writable, _ = select.select([link], [link] if unsent else [], [], 30)
        if not readable and not writable:
            raise ConnectionError("the broker takes nothing")
        if writable:
            unsent = unsent[link.send(unsent[:65536]) :]
        if readable:
            answer = link.recv(65536)
            if not answer:
                raise ConnectionError("the broker broke off")
            answer_bytes -= len(answer)


def _text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack("!H", len(encoded)) + encoded


def _packet(head: int, body: bytes) -> bytes:
    length, digits = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | 0x80 if length else digit)
        if not length:
            return bytes((head,)) + bytes(digits) + body


def _connect(user: str, password: str) -> bytes:
    head = _text("MQTT") + bytes((4, 0b11000010)) + struct.pack("!H", 0)
    return _packet(0x10, head + _text(user) + _text(user) + _text(password))


def _publish(topic: str, payload: bytes, packet_id: int) -> bytes:
    return _packet(0x32, _text(topic) + struct.pack("!H", packet_id) + payload)
