"""What a viewer may see of fences and rules; reached as `Access.places`."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text

from tracker.domain.access import Viewer
from tracker.domain.geofence import Geofence
from tracker.domain.rule import Rule
from tracker.store import geofences, positions_since, rules
from tracker.store.positions_since import Span, Told
from tracker.store.rules import RuleVersion
from tracker.store.schema import id_from_int, id_to_int
from tracker.store.session import Session


class Inside(NamedTuple):
    """A subject is inside a fence, as far as is known, since then."""

    geofence_id: str
    subject_id: str
    since: datetime


# Of a subject's devices those count that were heard within half an hour of the one heard last: a telephone
# left at home keeps nobody there.
_INSIDE = text("""
WITH heard AS (
  SELECT device.device_id, device.subject_id, state.frontier,
         max(state.frontier) OVER (PARTITION BY device.subject_id) AS newest
  FROM devices AS device JOIN fence_states AS state USING (account_id, device_id)
  WHERE device.account_id = :account AND device.revoked_at IS NULL
)
SELECT fence.geofence_id, heard.subject_id, min(crossing.at)
FROM geofences AS fence CROSS JOIN heard CROSS JOIN LATERAL (
  SELECT at, into_phase FROM crossings WHERE account_id = :account AND device_id = heard.device_id
    AND geofence_id = fence.geofence_id AND fence_version = fence.version ORDER BY at DESC LIMIT 1
) AS crossing
WHERE fence.account_id = :account AND fence.geofence_id = ANY(:fences) AND crossing.into_phase = 'in'
  AND heard.frontier >= heard.newest - interval '30 minutes'
  AND (fence.all_subjects OR EXISTS (SELECT FROM geofence_subjects AS named
    WHERE named.account_id = :account AND named.geofence_id = fence.geofence_id
      AND named.subject_id = heard.subject_id))
GROUP BY fence.geofence_id, heard.subject_id ORDER BY 1, 3, 2
""")


class AccessPlaces:
    """Reads of one viewer within one transaction. Lists are in a stable order for keyset pages."""

    def __init__(self, session: Session, viewer: Viewer) -> None:
        self._session = session
        self._account_id = viewer.account_id

    def geofences(
        self, *, subject_id: str | None = None, after: str | None = None, limit: int = 1000
    ) -> list[Geofence]:
        """Return up to `limit` fences in id order, behind `after`; of a subject, if given, its own."""
        return geofences.of_account(
            self._session, self._account_id, subject_id=subject_id, after=after, limit=limit
        )

    def geofence(self, geofence_id: str) -> Geofence:
        """Return one fence.

        Raises:
            NotFound: missing, or not the viewer's to see.
        """
        return geofences.get(self._session, self._account_id, geofence_id)

    def inside(self, geofence_ids: Sequence[str]) -> list[Inside]:
        """Return which subjects are inside which of these fences, by fence, longest inside first."""
        given = {"account": id_to_int(self._account_id), "fences": [id_to_int(each) for each in geofence_ids]}
        return [
            Inside(id_from_int(fence), id_from_int(subject), since)
            for fence, subject, since in self._session.execute(_INSIDE, given)
        ]

    def rules(
        self,
        *,
        geofence_id: str | None = None,
        subject_id: str | None = None,
        after: str | None = None,
        limit: int = 1000,
    ) -> list[Rule]:
        """Return up to `limit` rules in id order, behind `after`: of a fence, or that watch a subject."""
        return rules.of_account(
            self._session,
            self._account_id,
            geofence_id=geofence_id,
            subject_id=subject_id,
            after=after,
            limit=limit,
        )

    def rule(self, rule_id: str) -> Rule:
        """Return one rule.

        Raises:
            NotFound: missing, or not the viewer's to see.
        """
        return rules.get(self._session, self._account_id, rule_id)

    def rule_version(self, rule_id: str, version: int) -> RuleVersion:
        """Return what a version of a rule said, of a removed rule too.

        Raises:
            NotFound: missing, or not the viewer's to see.
        """
        return rules.version(self._session, self._account_id, rule_id, version)

    def told(
        self, device_ids: Sequence[str], *, since: datetime, until: datetime, limit: int
    ) -> dict[str, Told]:
        """Return what each of the viewer's devices told in since < t < until, `limit` positions at most.

        Of what is not his there is nothing.
        """
        spans = [Span(self._account_id, device_id, since) for device_id in device_ids]
        return positions_since.told_since(self._session, spans, limit, until=until)
