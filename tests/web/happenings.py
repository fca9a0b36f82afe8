"""Makes things happen to a family in tests of the web: places, rules, and ways across them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tests.kit.clock import StandingClock
from tests.web.callers import Caller, Household, add_device, add_subject
from tracker.domain.geo import LatLon
from tracker.domain.position import Placed, Position
from tracker.store import positions
from tracker.web.context import Services
from tracker.wiring import watcher

SCHOOL = LatLon(lat=60.1699, lon=24.9384)
HOME = LatLon(lat=60.1765, lon=24.9510)
Json = dict[str, Any]


def circle(name: str = "School", at: LatLon = SCHOOL, radius_m: float = 120, **properties: Any) -> Json:
    """Return the Feature of a round place for everybody."""
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [at.lon, at.lat]},
        "properties": {"name": name, "radius_m": radius_m, "all_subjects": True, **properties},
    }


def add_place(caller: Caller, name: str = "School", at: LatLon = SCHOOL, **properties: Any) -> str:
    """Add a round place by the API and return its id."""
    answer = caller.post("/api/v1/geofences", circle(name, at, **properties))
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.json["id"])


def add_rule(caller: Caller, kind: str, geofence_id: str | None = None, **body: Any) -> str:
    """Add a rule about everybody by the API and return its id."""
    given = {"kind": kind, "all_subjects": True, **({"geofence_id": geofence_id} if geofence_id else {})}
    answer = caller.post("/api/v1/rules", {**given, **body})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.json["id"])


def travel(
    services: Services,
    account_id: str,
    subject_id: str,
    device_id: str,
    way: Sequence[tuple[float, LatLon]],
    accuracy_m: float = 8.0,
) -> None:
    """Take positions (minutes ago, place), oldest first, as ingest does, each in a transaction of its own."""
    now = services.clock()
    watch = watcher()
    for minutes_ago, at in way:
        fix = Position(recorded_at=now - timedelta(minutes=minutes_ago), at=at, accuracy_m=accuracy_m)
        with services.database.begin() as session:
            positions.ensure_partitions(session, {positions.week_of(fix.recorded_at)})
            placed = Placed(
                account_id=account_id,
                subject_id=subject_id,
                device_id=device_id,
                received_at=fix.recorded_at + timedelta(seconds=1),
                position=fix,
            )
            new = positions.append(session, [placed])
            watch.take(session, new, (), fix.recorded_at + timedelta(seconds=1))


def to_school() -> list[tuple[float, LatLon]]:
    """Return a way from home to school: there for sure 20 minutes ago, and still."""
    part = [i / 10 for i in range(11)]
    return [
        *((60.0 - minute, HOME) for minute in range(0, 25, 5)),
        *(
            (
                33.0 - 13 * each,
                LatLon(
                    lat=HOME.lat + (SCHOOL.lat - HOME.lat) * each,
                    lon=HOME.lon + (SCHOOL.lon - HOME.lon) * each,
                ),
            )
            for each in part
        ),
        *((19.0 - minute, SCHOOL) for minute in range(0, 18, 3)),
    ]


class Story:
    """A child that has come to school 20 minutes ago, which a rule tells; ids of everything."""

    def __init__(self, home: Household, services: Services, clock: StandingClock, **rule: Any) -> None:
        self.subject_id = add_subject(home.bearer, "Masha", "child")
        self.device_id = add_device(home.bearer, self.subject_id, "watch")
        now = clock.now
        clock.now = now - timedelta(hours=2)  # what is drawn now tells nothing of before
        self.place_id = add_place(home.bearer)
        self.rule_id = add_rule(home.bearer, "arrived", self.place_id, **rule)
        clock.now = now
        travel(services, home.account_id, self.subject_id, self.device_id, to_school())
        self.event = home.bearer.get("/api/v1/events").json["items"][0]
        self.event_id: str = self.event["id"]
        self.alert_id: str = self.event["alert"]["id"]
