"""The one loop that drives all devices of a process: waits on their sockets, passes what is ready, lets
them act."""

import select
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from devices.simulator.link import Link

TICK_S = 0.05
CLOSE_PATIENCE_S = 3.0


class Device(Protocol):
    """What can be driven: it has a link, does what is due in `tick` and signs off in `close`."""

    @property
    def link(self) -> Link:
        """The device's connection."""
        ...

    def tick(self, now_s: float) -> None:
        """Do what is due at this monotonic second."""
        ...

    def sign_off(self) -> None:
        """Say goodbye; the link is closed afterwards."""
        ...


def drive(devices: Sequence[Device], *, done: Callable[[float], bool]) -> None:
    """Drive the devices until `done(monotonic seconds)` says so, then sign them off in order."""
    while not done(now_s := time.monotonic()):
        _turn(devices, now_s)
    for device in devices:
        device.sign_off()
    give_up_s = time.monotonic() + CLOSE_PATIENCE_S
    while any(device.link.wants_write for device in devices) and (now_s := time.monotonic()) < give_up_s:
        _wait(devices)
    for device in devices:
        device.link.close()


def _turn(devices: Sequence[Device], now_s: float) -> None:
    for device in devices:
        device.link.tick(now_s)
        device.tick(now_s)
    _wait(devices)


def _wait(devices: Sequence[Device]) -> None:
    """Wait for at most one tick until a socket is ready, and serve those that are."""
    poll = select.poll()
    links: dict[int, Link] = {}
    for device in devices:
        found = device.link.socket
        if found is not None:
            links[found.fileno()] = device.link
            poll.register(found, select.POLLIN | (select.POLLOUT if device.link.wants_write else 0))
    for descriptor, events in poll.poll(TICK_S * 1000):
        link = links[descriptor]
        if events & select.POLLOUT:
            link.writable()
        if events & ~select.POLLOUT:
            link.readable()
