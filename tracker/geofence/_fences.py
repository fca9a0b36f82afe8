"""The fences that one device is judged by."""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from zlib import crc32

from tracker.geofence.index import Fence, FenceIndex, index_of


class Owner(NamedTuple):
    """Whose fixes these are."""

    account_id: str
    subject_id: str
    device_id: str


class Term(NamedTuple):
    """When a fence is in force, in its present shape and for this subject: `from_s` <= t < `until_s`."""

    from_s: float = -math.inf
    until_s: float = math.inf


_ALWAYS = Term()


class Fences:
    """The fences that one device is judged by, since when, and which of them are watched for passers-by."""

    __slots__ = ("_changes", "_terms", "index", "stamp", "watched")

    def __init__(
        self,
        fences: Iterable[Fence],
        terms: Mapping[str, Term] | None = None,
        watched: Iterable[str] = (),
        index: FenceIndex | None = None,
    ) -> None:
        """Take fences; one without a term always was. `index` None: one is made of them.

        `watched` are those that a rule of kind `crossed` names.
        """
        found = tuple(fences)
        self._terms = dict(terms or {})
        ids = set(watched)
        self.watched = tuple(fence for fence in found if fence.geofence_id in ids)
        self.index = index_of(found) if index is None else index
        self._changes = tuple(
            sorted({moment for term in self._terms.values() for moment in term if math.isfinite(moment)})
        )
        said = sorted((fence.geofence_id, fence.version, *self.term(fence.geofence_id)) for fence in found)
        self.stamp = crc32(repr(said).encode())

    def term(self, geofence_id: str) -> Term:
        """Return when a fence is in force."""
        return self._terms.get(geofence_id, _ALWAYS)

    def next_change_s(self, at_s: float) -> float:
        """Return the first moment after this one at which a fence begins or ends; infinity: none does."""
        return next((moment for moment in self._changes if moment > at_s), math.inf)
