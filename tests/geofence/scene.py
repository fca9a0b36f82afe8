"""A family with a cat, its devices, fences and rules on a real database, and the watcher that folds them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from tests.store.family import NOW as FAMILY_NOW
from tests.store.family import House, add_device, add_house
from tracker import registry
from tracker.domain.access import Viewer
from tracker.domain.account import SessionLevel
from tracker.domain.device import Device
from tracker.domain.fields import read
from tracker.domain.geo import LatLon
from tracker.domain.geofence import Circle, FenceOrigin, Geofence
from tracker.domain.ids import new_id
from tracker.domain.position import Fact, HeardFact, Placed, Position
from tracker.domain.rule import Notify, Rule, RuleKind
from tracker.domain.schedule import Schedule
from tracker.domain.subject import Subject, SubjectKind
from tracker.geofence.service import Watcher
from tracker.geofence.shapes._shape import Shape
from tracker.store import facts, geofences, heartbeats, positions, rules
from tracker.store.schema import id_to_int
from tracker.store.session import Database, Session

MADE_AT = FAMILY_NOW - timedelta(days=2)
"""When fences and rules were made, unless said."""
START = FAMILY_NOW
HOME = LatLon(lat=60.17, lon=24.94)
FAR = LatLon(lat=60.30, lon=24.94)
DEGREE_M = 111_195.0


def shapes() -> Mapping[str, Shape]:
    return registry.load("tracker.geofence.shapes", "SHAPE")


def kinds() -> Mapping[str, RuleKind]:
    found = dict(registry.load("tracker.geofence.rules", "RULE"))
    return found | dict(registry.load("tracker.watch.rules", "RULE"))


def new_watcher(**given: Any) -> Watcher:
    return Watcher(shapes(), kinds(), **given)


def place(north_m: float) -> LatLon:
    """So many metres north of the middle of home."""
    return LatLon(lat=HOME.lat + north_m / DEGREE_M, lon=HOME.lon)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@dataclass
class Scene:
    """One family; `tell` is what ingest does: one transaction that stores a batch and tells the watcher."""

    database: Database
    phone: str = "+79161234567"
    watcher: Watcher = field(default_factory=new_watcher)

    def __post_init__(self) -> None:
        with self.database.begin() as session:
            self.house: House = add_house(session, self.phone)
        self.account_id = self.house.viewer.account_id
        self.device = self.house.device

    @classmethod
    def of(cls, database: Database, account_id: str, subject_id: str, device_id: str) -> "Scene":
        """Return a family that is there already."""
        scene = cls.__new__(cls)
        scene.database, scene.watcher, scene.account_id = database, new_watcher(), account_id
        viewer = Viewer(account_id=account_id, session_id=new_id(), level=SessionLevel.SMS, proved_at=START)
        subject = Subject(
            account_id=account_id, subject_id=subject_id, kind=SubjectKind.PET, name="cat", created_at=START
        )
        scene.device = Device(
            account_id=account_id,
            device_id=device_id,
            subject_id=subject_id,
            name="collar",
            dialect="native",
            external_id=None,
            created_at=START,
        )
        scene.house = House(viewer, subject, scene.device)
        return scene

    @property
    def account(self) -> int:
        """The account's id as the database keeps it."""
        return id_to_int(self.account_id)

    def one_more_device(self) -> Device:
        with self.database.begin() as session:
            return add_device(session, self.house.viewer, self.house.subject)

    def fence(self, *, radius_m: float = 150.0, made_at: datetime = MADE_AT, **given: Any) -> Geofence:
        fence = Geofence(
            account_id=self.account_id,
            geofence_id=new_id(),
            name="Home",
            shape="circle",
            geometry=Circle(center=HOME, radius_m=radius_m),
            subject_ids=(),
            all_subjects=True,
            time_zone="Europe/Helsinki",
            schedule=None,
            template=None,
            origin=FenceOrigin.DRAWN,
            version=1,
            created_at=made_at,
            changed_at=made_at,
        )
        fence = replace(fence, **given)
        with self.database.begin() as session:
            geofences.add(session, fence, cover_wkb=cover(fence))
        return fence

    def rule(
        self,
        kind: str,
        fence: Geofence | None = None,
        *,
        made_at: datetime = MADE_AT,
        schedule: Schedule | None = None,
        notify: Notify | None = None,
        **args: Any,
    ) -> Rule:
        rule = Rule(
            account_id=self.account_id,
            rule_id=new_id(),
            kind=kind,
            name=kind,
            subject_ids=(),
            all_subjects=True,
            geofence_id=fence.geofence_id if fence else None,
            args=read(kinds()[kind].fields, args),
            schedule=schedule,
            notify=notify or Notify(),
            enabled=True,
            version=1,
            active_from=made_at,
            created_at=made_at,
        )
        with self.database.begin() as session:
            rules.add(session, rule, made_at, fence=None)
        return rule

    def fix(self, seconds: float, north_m: float, device: Device | None = None, **given: Any) -> Placed:
        """A fix at START + seconds, received two seconds later; exact to 5 m unless said."""
        given.setdefault("accuracy_m", 5.0)
        position = Position(recorded_at=at(seconds), at=place(north_m), **given)
        return Placed(
            self.account_id,
            self.house.subject.subject_id,
            (device or self.device).device_id,
            at(seconds + 2),
            position,
        )

    def fact(self, seconds: float, kind: str, device: Device | None = None, **data: Any) -> HeardFact:
        return HeardFact(
            self.account_id,
            self.house.subject.subject_id,
            (device or self.device).device_id,
            at(seconds + 2),
            Fact(kind, at(seconds), data),
        )

    def restart(self) -> None:
        """Let another process take over: nothing is remembered."""
        self.watcher = new_watcher()

    def tell(self, *batch: Placed | HeardFact, now: datetime | None = None) -> None:
        """Store a batch and tell the watcher, in one transaction; `now` is 2 s after the newest of it."""
        with self.database.begin() as session:
            self.tell_in(session, *batch, now=now)

    def tell_in(self, session: Session, *batch: Placed | HeardFact, now: datetime | None = None) -> None:
        placed = [each for each in batch if isinstance(each, Placed)]
        heard = [each for each in batch if isinstance(each, HeardFact)]
        new = store(session, placed)
        told = facts.add_many(session, heard)
        newest = max([each.received_at for each in batch])
        self.watcher.take(session, new, told, now or newest)

    def rows(self, query: str) -> Sequence[Any]:
        with self.database.begin() as session:
            return session.execute(text(query)).all()

    def one(self, query: str) -> Any:
        with self.database.begin() as session:
            return session.execute(text(query)).scalar()

    def events(self) -> list[tuple[str, float, str]]:
        """Type, seconds after START and news of the events that stand, by moment."""
        rows = self.rows(
            "SELECT type, at, news FROM events WHERE superseded_by IS NULL AND retracted_at IS NULL"  # noqa: S608
            f" AND account_id = {self.account} ORDER BY at, type"
        )
        return [(row.type, (row.at - START).total_seconds(), row.news) for row in rows]

    def crossings(self) -> list[tuple[str, float, str]]:
        rows = self.rows(
            f"SELECT into_phase, at, how FROM crossings WHERE account_id = {self.account} ORDER BY at"  # noqa: S608 - a number
        )
        return [(row.into_phase, (row.at - START).total_seconds(), row.how) for row in rows]

    def alerts(self) -> list[str]:
        """Types of the events of all alerts, by moment."""
        rows = self.rows("SELECT type FROM alerts JOIN events USING (account_id, event_id) ORDER BY at, type")
        return [row.type for row in rows]

    def beat(self, now: datetime) -> None:
        with self.database.begin() as session:
            heartbeats.beat(session, "ingest", now)


def store(session: Session, placed: Sequence[Placed]) -> list[Placed]:
    if not placed:
        return []
    positions.ensure_partitions(session, {positions.week_of(each.position.recorded_at) for each in placed})
    return positions.append(session, placed)


def cover(fence: Geofence) -> bytes:
    return bytes(shapes()[fence.shape].lonlat_geometry(fence.geometry).wkb)


def walk(scene: Scene, begin_s: float, *north_m: float, every_s: float = 30.0) -> list[Placed]:
    """Fixes `every_s` apart, each so far north of home."""
    return [scene.fix(begin_s + number * every_s, metres) for number, metres in enumerate(north_m)]


class Counted:
    """Collects the statements of a session while the block lasts, SQLAlchemy's and psycopg's own."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.statements: list[str] = []

    def __enter__(self) -> "Counted":
        connection: Any = self._session.connection().connection.dbapi_connection
        self._connection, self._factory = connection, connection.cursor_factory
        statements = self.statements

        class Counting(self._factory):  # type: ignore[misc, name-defined]
            def execute(self, query: Any, *given: Any, **named: Any) -> Any:
                statements.append(str(query))
                return super().execute(query, *given, **named)

        connection.cursor_factory = Counting
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.cursor_factory = self._factory


__all__ = ["FAR", "HOME", "START", "UTC", "Counted", "Scene", "at", "new_watcher", "place", "walk"]
