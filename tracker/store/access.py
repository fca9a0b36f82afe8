"""The one door to account data: every read is in a viewer's name, and what he may not see does not exist."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on

from tracker.domain.access import Viewer
from tracker.domain.account import Account, SessionKind, SignedSession
from tracker.domain.device import Device
from tracker.domain.position import Placed
from tracker.domain.subject import Subject
from tracker.store import accounts, devices, positions, sessions, subjects
from tracker.store.positions import LIVE_CHANNEL
from tracker.store.schema import Id
from tracker.store.session import Session

__all__ = ["LIVE_CHANNEL", "Access"]


class Access:
    """Reads of one viewer within one transaction. Lists are in a stable order for keyset pages."""

    def __init__(self, session: Session, viewer: Viewer) -> None:
        self._session = session
        self._viewer = viewer

    def account(self) -> Account:
        """Return the viewer's own account."""
        return accounts.get(self._session, self._viewer.account_id)

    def sessions(self, now: datetime) -> list[SignedSession]:
        """Return the account's browser and bearer sessions, newest first."""
        kinds = (SessionKind.COOKIE, SessionKind.BEARER)
        return sessions.of_account(self._session, self._viewer.account_id, kinds, now)

    def tokens(self, now: datetime) -> list[SignedSession]:
        """Return the account's named tokens, newest first."""
        return sessions.of_account(self._session, self._viewer.account_id, (SessionKind.TOKEN,), now)

    def subjects(self, *, after: str | None = None, limit: int = 1000) -> list[Subject]:
        """Return up to `limit` subjects in id order, those after the id `after`."""
        table = subjects.subjects
        query = select(table).where(table.c.account_id == self._viewer.account_id)
        if after:
            query = query.where(table.c.subject_id > after)
        rows = self._session.execute(query.order_by(table.c.subject_id).limit(limit))
        return [subjects.value(row) for row in rows]

    def subject(self, subject_id: str) -> Subject:
        """Return one subject.

        Raises:
            NotFound: missing, or not the viewer's to see.
        """
        return subjects.get(self._session, self._viewer.account_id, subject_id)

    def devices(
        self, *, subject_id: str | None = None, after: str | None = None, limit: int = 1000
    ) -> list[Device]:
        """Return up to `limit` devices in id order, of one subject if given, those after the id `after`."""
        table = devices.devices
        query = select(table).where(table.c.account_id == self._viewer.account_id)
        if subject_id:
            query = query.where(table.c.subject_id == subject_id)
        if after:
            query = query.where(table.c.device_id > after)
        rows = self._session.execute(query.order_by(table.c.device_id).limit(limit))
        return [devices.value(row) for row in rows]

    def device(self, device_id: str) -> Device:
        """Return one device.

        Raises:
            NotFound: missing, or not the viewer's to see.
        """
        return devices.get(self._session, self._viewer.account_id, device_id)

    def last_positions(
        self, *, subject_ids: Sequence[str] | None = None, updated_after: datetime | None = None
    ) -> list[Placed]:
        """Return the newest position of each subject that has one, at most one a subject.

        With `updated_after`, only those that changed later than that by the database's clock.
        """
        table = positions.last_positions
        query = (
            select(table, positions.LON(table.c.geom).label("lon"), positions.LAT(table.c.geom).label("lat"))
            .where(table.c.account_id == self._viewer.account_id)
            .ext(distinct_on(table.c.subject_id))
            .order_by(table.c.subject_id, table.c.recorded_at.desc(), table.c.device_id)
        )
        if subject_ids is not None:
            query = query.where(table.c.subject_id.in_(subject_ids))
        if updated_after is not None:
            query = query.where(table.c.updated_at > updated_after)
        return [positions.placed(row, row.subject_id) for row in self._session.execute(query)]

    def last_of_device(self, device_id: str) -> Placed | None:
        """Return the newest position of one device, or None."""
        table = positions.last_positions
        row = self._session.execute(
            select(
                table, positions.LON(table.c.geom).label("lon"), positions.LAT(table.c.geom).label("lat")
            ).where(table.c.account_id == self._viewer.account_id, table.c.device_id == device_id)
        ).one_or_none()
        return positions.placed(row, row.subject_id) if row else None

    def positions(
        self,
        subject_id: str,
        *,
        since: datetime,
        until: datetime,
        after: tuple[datetime, str] | None = None,
        limit: int = 1000,
    ) -> list[Placed]:
        """Return a subject's positions, since <= recorded_at < until, oldest first.

        `after` continues behind (recorded_at, device id) of the last one seen.

        Raises:
            NotFound: the subject is missing, or not the viewer's to see.
        """
        self.subject(subject_id)
        table = positions.positions
        mine = select(devices.devices.c.device_id).where(
            devices.devices.c.account_id == self._viewer.account_id,
            devices.devices.c.subject_id == subject_id,
        )
        query = select(
            table, positions.LON(table.c.geom).label("lon"), positions.LAT(table.c.geom).label("lat")
        ).where(
            table.c.account_id == self._viewer.account_id,
            table.c.device_id.in_(mine),
            table.c.recorded_at >= since,
            table.c.recorded_at < until,
        )
        if after:
            query = query.where(
                tuple_(table.c.recorded_at, table.c.device_id) > tuple_(after[0], literal(after[1], Id))
            )
        rows = self._session.execute(query.order_by(table.c.recorded_at, table.c.device_id).limit(limit))
        return [positions.placed(row, subject_id) for row in rows]

    def database_time(self) -> datetime:
        """Return the database's clock, by which `updated_after` is meant."""
        time: datetime = self._session.execute(select(func.clock_timestamp())).scalar_one()
        return time
