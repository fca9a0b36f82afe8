"""The one door to account data: every read is in a viewer's name, and what he may not see does not exist."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on

from tracker.domain.access import Viewer
from tracker.domain.account import Account, SessionKind, SignedSession
from tracker.domain.device import Device
from tracker.domain.errors import Reason
from tracker.domain.gateway import Gateway, Unclaimed
from tracker.domain.position import Placed
from tracker.domain.source import Source
from tracker.domain.subject import Subject
from tracker.store import (
    accounts,
    devices,
    gateways,
    imports,
    positions,
    refusals,
    sessions,
    sources,
    subjects,
    tracks,
    unclaimed,
)
from tracker.store.access_alerts import AccessAlerts
from tracker.store.access_places import AccessPlaces
from tracker.store.imports import Import
from tracker.store.positions import LIVE_CHANNEL
from tracker.store.refusals import Refusal, Tally
from tracker.store.schema import Id
from tracker.store.seal import Sealer
from tracker.store.session import Session
from tracker.store.tracks import CountRow, PositionRow, TrackRow

__all__ = ["LIVE_CHANNEL", "Access", "CountRow", "PositionRow", "TrackRow"]


class Access:
    """Reads of one viewer within one transaction. Lists are in a stable order for keyset pages."""

    def __init__(self, session: Session, viewer: Viewer) -> None:
        self._session = session
        self._viewer = viewer
        self.places = AccessPlaces(session, viewer)
        self.alerts = AccessAlerts(session, viewer)
        # One answer reads several stretches of the same devices.
        self._devices_of: dict[str, list[str]] = {}
        self._seen: set[str] = set()

    @property
    def account_id(self) -> str:
        """The viewer's account."""
        return self._viewer.account_id

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
        found = subjects.get(self._session, self._viewer.account_id, subject_id)
        self._seen.add(subject_id)
        return found

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

    def gateways(self, *, after: str | None = None, limit: int = 1000) -> list[Gateway]:
        """Return up to `limit` gateways in id order, those after the id `after`."""
        table = gateways.gateways
        query = select(table).where(table.c.account_id == self._viewer.account_id)
        if after:
            query = query.where(table.c.gateway_id > after)
        rows = self._session.execute(query.order_by(table.c.gateway_id).limit(limit))
        return [gateways.value(row) for row in rows]

    def gateway(self, gateway_id: str) -> Gateway:
        """Return one gateway.

        Raises:
            NotFound: missing, or not the viewer's to see.
        """
        return gateways.get(self._session, self._viewer.account_id, gateway_id)

    def sources(self, *, after: str | None = None, limit: int = 1000) -> list[Source]:
        """Return up to `limit` sources in id order, those after the id `after`."""
        table = sources.sources
        query = select(table).where(table.c.account_id == self._viewer.account_id)
        if after:
            query = query.where(table.c.source_id > after)
        rows = self._session.execute(query.order_by(table.c.source_id).limit(limit))
        return [sources.value(row) for row in rows]

    def source(self, source_id: str) -> Source:
        """Return one source.

        Raises:
            NotFound: missing, or not the viewer's to see.
        """
        return sources.get(self._session, self._viewer.account_id, source_id).source

    def unclaimed(self, *, origin_id: str | None = None) -> list[Unclaimed]:
        """Return the devices that gateways and sources speak of and nobody has, last heard first.

        At most 200 of each origin.
        """
        table = unclaimed.unclaimed
        query = select(table).where(table.c.account_id == self._viewer.account_id)
        if origin_id:
            query = query.where(table.c.origin_id == origin_id)
        rows = self._session.execute(
            query.order_by(table.c.last_heard_at.desc(), table.c.origin_id, table.c.external_id)
        )
        return [unclaimed.value(row) for row in rows]

    def refusals(
        self,
        *,
        reason: Reason | None = None,
        device_id: str | None = None,
        origin_id: str | None = None,
        external_id: str | None = None,
        after: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> list[Refusal]:
        """Return up to `limit` refused messages that fit what is given, newest first, behind `after`."""
        return refusals.of_account(
            self._session,
            self._viewer.account_id,
            reason=reason,
            device_id=device_id,
            origin_id=origin_id,
            external_id=external_id,
            after=after,
            limit=limit,
        )

    def refusal(self, quarantine_id: str) -> Refusal:
        """Return one refused message, without its content.

        Raises:
            NotFound: missing, or not the viewer's to see.
        """
        return refusals.get(self._session, self._viewer.account_id, quarantine_id)

    def refused_content(self, sealer: Sealer, quarantine_id: str) -> tuple[bytes, str]:
        """Return what was kept of a refused message: the payload, and the query of one that came by HTTP.

        Raises:
            NotFound: missing, or not the viewer's to see.
            Misconfigured: it was sealed with another secret key.
        """
        return refusals.content(self._session, sealer, self._viewer.account_id, quarantine_id)

    def refusal_tally(self) -> list[Tally]:
        """Return how many messages were refused by reason and sender, most recent first."""
        return refusals.tally(self._session, self._viewer.account_id)

    def imports(self, *, after: tuple[datetime, str] | None = None, limit: int = 100) -> list[Import]:
        """Return up to `limit` imports of files, newest first, behind (created_at, id) `after`."""
        return imports.of_account(self._session, self._viewer.account_id, after=after, limit=limit)

    def import_(self, import_id: str) -> Import:
        """Return one import.

        Raises:
            NotFound: missing, or not the viewer's to see.
        """
        return imports.get(self._session, self._viewer.account_id, import_id)

    def database_time(self) -> datetime:
        """Return the database's clock, by which `updated_after` is meant."""
        time: datetime = self._session.execute(select(func.clock_timestamp())).scalar_one()
        return time

    def position_rows(
        self,
        subject_id: str,
        *,
        since: datetime,
        until: datetime,
        after: tuple[datetime, str] | None = None,
        limit: int = 1000,
    ) -> list[PositionRow]:
        """Return what `positions` returns as plain rows, several times faster.

        Raises:
            NotFound: the subject is missing, or not the viewer's to see.
        """
        return tracks.page(
            self._session,
            self._viewer.account_id,
            self._device_ids(subject_id),
            since=since,
            until=until,
            after=after,
            limit=limit,
        )

    def track_rows(self, subject_id: str, *, since: datetime, until: datetime, limit: int) -> list[TrackRow]:
        """Return up to `limit` positions of a subject, the oldest of since <= recorded_at < until, by moment.

        Raises:
            NotFound: the subject is missing, or not the viewer's to see.
        """
        return tracks.track(
            self._session,
            self._viewer.account_id,
            self._device_ids(subject_id),
            since=since,
            until=until,
            limit=limit,
        )

    def neighbour_rows(
        self, subject_id: str, *, first: datetime, last: datetime, within: timedelta, limit: int
    ) -> list[TrackRow]:
        """Return up to `limit` positions next before `first` and as many next behind `last`, in no order.

        None is farther than `within` away.

        Raises:
            NotFound: the subject is missing, or not the viewer's to see.
        """
        return tracks.neighbours(
            self._session,
            self._viewer.account_id,
            self._device_ids(subject_id),
            first=first,
            last=last,
            within=within,
            limit=limit,
        )

    def position_counts(self, subject_id: str, spans: Sequence[tuple[datetime, datetime]]) -> list[CountRow]:
        """Return how many positions each device of a subject has in each span, where it has any, by span.

        Raises:
            NotFound: the subject is missing, or not the viewer's to see.
        """
        return tracks.counts(self._session, self._viewer.account_id, self._device_ids(subject_id), spans)

    def _device_ids(self, subject_id: str) -> list[str]:
        found = self._devices_of.get(subject_id)
        if found is None:
            if subject_id not in self._seen:
                self.subject(subject_id)
            found = [device.device_id for device in self.devices(subject_id=subject_id)]
            self._devices_of[subject_id] = found
        return found
