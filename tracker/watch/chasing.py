"""Runs chases: begins one for each escape that was told, asks the device to report often, and ends it.

OwnTracks is set to its move mode with the wanted interval (booklet, "Remote configuration"), a native device
gets a signed command of kind "live". Both are asked again now and then, since a device may be out of reach.
"""

import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from tracker.domain.clock import Clock
from tracker.domain.command import Command, envelope
from tracker.domain.errors import Unavailable
from tracker.domain.ids import new_id, shard_of
from tracker.store import chasing
from tracker.store.chases import Chase
from tracker.store.session import Database
from tracker.watch.chase import ending, interval_s

EVERY_S = 5.0
AGAIN = timedelta(minutes=2)
"""A device that was out of reach hears of it at the next asking."""
CHANGE = 0.25
"""A lesser change of the interval waits: a draining battery changes it with each look."""
EXPIRES = timedelta(minutes=10)
USUAL_INTERVAL_S, USUAL_MODE, MOVE_MODE = 60, 1, 2
"""OwnTracks' own defaults: significant changes, and the interval of its move mode is not used in it."""

Publish = Callable[[tuple[str, bytes]], object]

log = structlog.get_logger()


class Chases:
    """`publish` hands a message (topic, payload) to the broker, `sign` signs a command."""

    def __init__(
        self, database: Database, publish: Publish, sign: Callable[[bytes], str], clock: Clock
    ) -> None:
        self._database = database
        self._publish = publish
        self._sign = sign
        self._clock = clock
        self._asked: dict[str, tuple[int, datetime]] = {}

    def run(self, stop: threading.Event) -> None:
        """Look every five seconds until `stop` is set; outages of neighbours are waited out."""
        while not stop.wait(EVERY_S):
            try:
                self.step(self._clock())
            except Unavailable as error:
                log.warning("chases wait for a neighbour", why=str(error))
        self._database.close()

    def step(self, now: datetime) -> int:
        """Begin, steer and end chases; return how many run.

        Raises:
            Unavailable: the database or the broker is away; what was not asked is asked the next time.
        """
        with self._database.begin() as session:
            chasing.begin_due(session, now)
        count = 0
        with self._database.begin() as session:
            for standing in chasing.running(session):
                chase, dialect, battery_pct = standing.chase, standing.dialect, standing.battery_pct
                reason = ending(
                    chase,
                    caught=standing.caught,
                    called_off=standing.called_off,
                    battery_pct=battery_pct,
                    now=now,
                )
                if reason is None and dialect is not None:
                    count += 1
                    self._ask(chase, dialect, round(interval_s(chase, battery_pct, now)), now)
                elif reason is not None:
                    if dialect is not None:
                        self._publish(_message(chase, dialect, None, self._sign, now))
                    self._asked.pop(chase.chase_id, None)
                    chasing.end(session, chase, reason.value, now)
                    log.info("a chase ended", chase=chase.chase_id, reason=reason.value)
        return count

    def _ask(self, chase: Chase, dialect: str, every_s: int, now: datetime) -> None:
        before = self._asked.get(chase.chase_id)
        if before is not None and abs(every_s - before[0]) < CHANGE * before[0] and now - before[1] < AGAIN:
            return
        self._publish(_message(chase, dialect, every_s, self._sign, now))
        self._asked[chase.chase_id] = every_s, now


def _message(
    chase: Chase, dialect: str, every_s: int | None, sign: Callable[[bytes], str], now: datetime
) -> tuple[str, bytes]:
    """Return topic and payload that ask a device to report every so many seconds; None: as usual again."""
    place = f"{shard_of(chase.device_id)}/{chase.device_id}"
    if dialect == "owntracks":
        settings = {
            "_type": "configuration",
            "monitoring": USUAL_MODE if every_s is None else MOVE_MODE,
            "moveModeLocatorInterval": every_s or USUAL_INTERVAL_S,
        }
        body = {"_type": "cmd", "action": "setConfiguration", "configuration": settings}
        return f"owntracks/{place}/cmd", json.dumps(body, separators=(",", ":")).encode()
    command = Command(
        command_id=new_id(),
        device_id=chase.device_id,
        kind="live",
        args={"every_s": every_s, "until": chase.ends_at.isoformat()} if every_s else {"every_s": None},
        issued_at=now,
        expires_at=now + EXPIRES,
    )
    return f"tracker/{place}/command", envelope(command, sign)
