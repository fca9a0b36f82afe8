"""Remembers fences and rules, so that a batch need not ask for them: most accounts have none, others few.

As `ingest.directory` does: every change moves a version in the database, each batch reads that first, and
what changed is read anew. So it is as fresh as if it were asked.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tracker.domain.geofence import Geofence
from tracker.domain.rule import InputKind, Rule, RuleKind, Setting
from tracker.domain.subject import SubjectKind
from tracker.geofence.engine import Fences, Owner, Term
from tracker.geofence.index import Fence, fence_of
from tracker.geofence.shapes._shape import Shape
from tracker.store import rulebook
from tracker.store.rulebook import Kept
from tracker.store.session import Session

ACCOUNTS_MOST = 20_000
"""So many accounts' fences and rules are kept; those used longest ago are read again when they come."""


class Bound(NamedTuple):
    """A rule as it applies to one subject."""

    rule: Rule
    kind: RuleKind
    fence: Geofence | None
    zone: ZoneInfo

    def setting(self, watched: "Watched", heard_s: Mapping[str, float]) -> Setting:
        """Return what the rule may know besides its input."""
        return Setting(
            rule=self.rule,
            subject_id=watched.subject_id,
            subject_kind=watched.kind,
            fence=self.fence,
            zone=self.zone,
            device_ids=watched.device_ids,
            heard_s=heard_s,
        )


class Watched(NamedTuple):
    """A subject with fences or rules: everything that is folded together.

    `since_s` is when the oldest of them was made: nothing before it is looked at. `apart` holds the fences of
    the devices that came to the subject later than its fences did.
    """

    account_id: str
    subject_id: str
    kind: SubjectKind
    device_ids: tuple[str, ...]
    fences: Fences
    geofences: Mapping[str, Geofence]
    bound: tuple[Bound, ...]
    since_s: float
    apart: Mapping[str, Fences] = {}

    def fences_of(self, device_id: str) -> Fences:
        """Return the fences with the terms in which they are the device's."""
        return self.apart.get(device_id, self.fences)

    def owner(self, device_id: str) -> Owner:
        """Return whose fixes a device's are."""
        return Owner(self.account_id, self.subject_id, device_id)

    @property
    def key(self) -> tuple[str, str]:
        """Account id and subject id."""
        return self.account_id, self.subject_id


class AccountBook:
    """One account's fences and rules by subject; never changed, but for what is made ready at first use."""

    def __init__(self, fences: Sequence[Fence], given: "_Given", kinds: Mapping[str, RuleKind]) -> None:
        self.fences = {fence.geofence_id: fence for fence in fences}
        self._given = given
        self._kinds = kinds
        self._subjects = {kept.subject_id: kept for kept in given.subjects}
        self._subject_of = {
            device_id: kept.subject_id for kept in given.subjects for device_id in kept.device_ids
        }
        self._watched: dict[str, Watched | None] = {}

    @property
    def subject_ids(self) -> Collection[str]:
        """All subjects of the account."""
        return self._subjects.keys()

    def subject_of(self, device_id: str) -> str | None:
        """Return whose device this is; None: of nobody here."""
        return self._subject_of.get(device_id)

    def watched(self, subject_id: str) -> Watched | None:
        """Return what is watched of a subject; None: nothing is."""
        if subject_id not in self._watched:
            kept = self._subjects.get(subject_id)
            # Two threads may make it at once: the same, and one of them stays.
            self._watched[subject_id] = self._make(kept) if kept is not None else None
        return self._watched[subject_id]

    def _make(self, kept: Kept) -> Watched | None:
        geofences = {
            each.geofence_id: each
            for each in self._given.geofences
            if each.all_subjects or kept.subject_id in each.subject_ids
        }
        every = {each.geofence_id: each for each in self._given.geofences}
        bound = [
            _bound(rule, self._kinds[rule.kind], every)
            for rule in self._given.rules
            if rule.kind in self._kinds and self._applies(rule, kept, every)
        ]
        # A rule may name subjects that its fence does not: they are judged by that fence as well.
        geofences |= {one.fence.geofence_id: one.fence for one in bound if one.fence is not None}
        made = [each.created_at for each in geofences.values()] + [one.rule.created_at for one in bound]
        if not made:
            return None
        passed = [
            one.fence.geofence_id
            for one in bound
            if one.fence is not None and InputKind.PASSED in one.kind.inputs
        ]
        terms = {each.geofence_id: _term(each, kept, bound) for each in geofences.values()}
        ready = [self.fences[name] for name in sorted(geofences)]
        fences = Fences(ready, terms, passed)
        apart = {
            device_id: Fences(ready, _not_before(terms, since.timestamp()), passed, fences.index)
            for device_id, since in kept.devices_since.items()
        }
        return Watched(
            self._given.account_id,
            kept.subject_id,
            kept.kind,
            kept.device_ids,
            fences,
            geofences,
            tuple(bound),
            min(made).timestamp(),
            apart,
        )

    def _applies(self, rule: Rule, kept: Kept, every: Mapping[str, Geofence]) -> bool:
        kind = self._kinds[rule.kind]
        fence = every.get(rule.geofence_id) if rule.geofence_id else None
        if rule.geofence_id is not None and fence is None:
            return False
        if kind.fits and kept.kind not in kind.fits:
            return False
        if not rule.all_subjects:
            return kept.subject_id in rule.subject_ids
        return fence is None or fence.all_subjects or kept.subject_id in fence.subject_ids


class Book:
    """Accounts with fences or rules, and which; several threads may use it at once.

    What it hands out is never changed afterwards. An account's contents count as read at the version that
    was seen before they were read: a change between the two makes them be read again.
    """

    def __init__(self, shapes: Mapping[str, Shape], kinds: Mapping[str, RuleKind]) -> None:
        self._shapes = shapes
        self._kinds = kinds
        self._lock = threading.Lock()
        self._seen = 0
        self._changed: dict[str, int] = {}
        self._books: OrderedDict[str, tuple[int, AccountBook]] = OrderedDict()

    def refresh(self, session: Session) -> int:
        """Learn which accounts changed; return the version that the book is at. One query, two if any did."""
        version = rulebook.version(session)
        if version != self._seen:
            with self._lock:
                # A restored backup may have brought an older one: begin anew.
                since = self._seen if version > self._seen else 0
                changed = rulebook.changed_since(session, since)
                if not since:
                    self._changed.clear()
                    self._books.clear()
                self._changed.update(changed)
                self._seen = version
        return version

    def concerns(self, account_id: str) -> bool:
        """Tell whether an account has, or lately had, any fence or rule."""
        return account_id in self._changed

    @property
    def account_ids(self) -> Collection[str]:
        """The accounts that `concerns` is true of."""
        return self._changed.keys()

    def of(self, session: Session, account_ids: Collection[str], version: int) -> dict[str, AccountBook]:
        """Return the books of accounts as of `version`, as `refresh` gave it; three queries for new ones."""
        found: dict[str, AccountBook] = {}
        missing: list[str] = []
        with self._lock:
            for account_id in account_ids:
                known = self._books.get(account_id)
                if known is not None and known[0] >= self._changed.get(account_id, 0):
                    found[account_id] = known[1]
                    self._books.move_to_end(account_id)
                else:
                    missing.append(account_id)
        if missing:
            made = self._read(session, missing)
            with self._lock:
                for account_id, book in made.items():
                    self._books[account_id] = version, book
                    self._books.move_to_end(account_id)
                while len(self._books) > ACCOUNTS_MOST:
                    self._books.popitem(last=False)
            found |= made
        return found

    def forget(self) -> None:
        """Know nothing."""
        with self._lock:
            self._seen = 0
            self._changed.clear()
            self._books.clear()

    def _read(self, session: Session, account_ids: Sequence[str]) -> dict[str, AccountBook]:
        given = {account_id: _Given(account_id, [], [], []) for account_id in account_ids}
        for fence in rulebook.fences_of(session, account_ids):
            given[fence.account_id].geofences.append(fence)
        for rule in rulebook.rules_of(session, account_ids):
            given[rule.account_id].rules.append(rule)
        for kept in rulebook.subjects_of(session, account_ids):
            given[kept.account_id].subjects.append(kept)
        return {
            account_id: AccountBook(self._ready(account_id, one.geofences), one, self._kinds)
            for account_id, one in given.items()
        }

    def _ready(self, account_id: str, geofences: Iterable[Geofence]) -> list[Fence]:
        """Make fences ready, those that did not change from the book before."""
        known = self._books.get(account_id)
        before = known[1].fences if known is not None else {}
        fences = []
        for each in geofences:
            old = before.get(each.geofence_id)
            fences.append(old if old and old.version == each.version else fence_of(each, self._shapes))
        return fences


class _Given(NamedTuple):
    account_id: str
    geofences: list[Geofence]
    rules: list[Rule]
    subjects: list[Kept]


def _term(fence: Geofence, kept: Kept, bound: Iterable[Bound]) -> Term:
    """Return since when a fence is as it is, and the subject's: what was before cannot be told anew."""
    drawn_at = fence.created_at if fence.version == 1 else max(fence.created_at, fence.changed_at)
    given = [
        one.rule.active_from
        for one in bound
        if one.rule.geofence_id == fence.geofence_id and kept.subject_id in one.rule.subject_ids
    ]
    if fence.all_subjects:
        given.append(fence.all_since or fence.created_at)
    elif kept.subject_id in fence.subject_ids:
        given.append(kept.fences_since.get(fence.geofence_id, fence.created_at))
    from_s = max(drawn_at, min(given, default=drawn_at)).timestamp()
    return Term(from_s, math.inf if fence.expires_at is None else fence.expires_at.timestamp())


def _not_before(terms: Mapping[str, Term], since_s: float) -> dict[str, Term]:
    return {name: term._replace(from_s=max(term.from_s, since_s)) for name, term in terms.items()}


def _bound(rule: Rule, kind: RuleKind, every: Mapping[str, Geofence]) -> Bound:
    fence = every.get(rule.geofence_id) if rule.geofence_id else None
    own = rule.schedule.time_zone if rule.schedule else None
    told = rule.args.get("time_zone")
    name = own or (fence.time_zone if fence else None) or (told if isinstance(told, str) else None) or "UTC"
    return Bound(rule, kind, fence, ZoneInfo(name))
