"""A household whose device gets a history."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select

from tests.history.fixes import READERS
from tests.store.family import NOW, House, add_house
from tracker.domain.ids import new_id
from tracker.history.importing import WEEKS, Reading
from tracker.history.imports import _open
from tracker.store import imports, positions
from tracker.store.imports import Import, ImportState
from tracker.store.session import Database

HOLDER = "a reader"


@dataclass(frozen=True)
class Home:
    """An account with one device, in a database of its own."""

    database: Database
    house: House

    def ask(self, data: bytes, *, holder: str = HOLDER) -> Import:
        """Store an import of a file as being read by `holder`."""
        stream = io.BytesIO(data)
        new = Import(
            account_id=self.house.viewer.account_id,
            import_id=new_id(),
            device_id=self.house.device.device_id,
            format=_open.sniff(stream, READERS),
            file_name="track",
            digest="0" * 64,
            size_bytes=len(data),
            state=ImportState.READING,
            created_at=NOW,
            changed_at=NOW,
        )
        with self.database.begin() as session:
            imports.add(session, new, holder=holder)
        return new

    def reading(
        self,
        asked: Import,
        data: bytes,
        *,
        holder: str = HOLDER,
        heard: Callable[[Import], None] = lambda _: None,
        most_weeks: int = WEEKS,
    ) -> Reading:
        """Return a run over the file."""
        return Reading(
            self.database,
            asked,
            self.house.subject.subject_id,
            io.BytesIO(data),
            READERS,
            holder=holder,
            clock=lambda: NOW,
            heard=heard,
            most_weeks=most_weeks,
        )

    def bring_in(self, data: bytes) -> Import:
        """Import a file whole."""
        return self.reading(self.ask(data), data).run()

    def row(self, asked: Import) -> Import:
        """Return what is stored of an import."""
        with self.database.begin() as session:
            return imports.get(session, asked.account_id, asked.import_id)

    def moments(self) -> list[datetime]:
        """Return when each stored position was recorded, oldest first."""
        table = positions.positions
        with self.database.begin() as session:
            return list(session.execute(select(table.c.recorded_at).order_by(table.c.recorded_at)).scalars())

    def last(self) -> datetime | None:
        """Return when the device's last position was recorded."""
        with self.database.begin() as session:
            found: datetime | None = session.execute(
                select(func.max(positions.last_positions.c.recorded_at))
            ).scalar_one()
        return found


def settle(database: Database) -> Home:
    """Make a household in an empty database."""
    with database.begin() as session:
        return Home(database, add_house(session, "+79161234567"))


def at(text: str) -> datetime:
    """Return a moment."""
    return datetime.fromisoformat(text).astimezone(UTC)
