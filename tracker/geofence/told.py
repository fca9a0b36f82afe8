"""What the devices of a subject told in one batch. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tracker.domain.fold import Timed
from tracker.domain.observation import Observation, observed
from tracker.domain.position import HeardFact, Placed
from tracker.geofence import folding
from tracker.geofence.book import AccountBook, Watched


@dataclass(slots=True)
class Told:
    """What the devices of one subject told in a batch: fixes by device and moment, facts."""

    watched: Watched
    fixes: dict[str, list[Observation]] = field(default_factory=dict)
    facts: list[Timed] = field(default_factory=list)

    def moments(self) -> Iterable[tuple[str, float, bool]]:
        """Yield device, moment and whether it is a fact, of everything."""
        for device_id, fixes in self.fixes.items():
            for fix in fixes:
                yield device_id, fix.at_s, False
        for timed in self.facts:
            yield timed.device_id, timed.at_s, True

    def after(self, cut_s: float) -> "Told":
        """Return what is later than a moment."""
        fixes = {name: [fix for fix in given if fix.at_s > cut_s] for name, given in self.fixes.items()}
        facts = [timed for timed in self.facts if timed.at_s > cut_s]
        return Told(self.watched, {name: given for name, given in fixes.items() if given}, facts)

    def ahead_of(self, live: folding.Subject) -> "Told":
        """Return what moves its device's newest moment, though it may be late for the subject."""
        fixes = {
            name: [
                fix
                for fix in given
                if fix.at_s > live.points[name].state.frontier_s
                and fix.at_s >= live.points[name].state.until_s
            ]
            for name, given in self.fixes.items()
        }
        facts = [timed for timed in self.facts if timed.at_s >= live.points[timed.device_id].heard_s]
        return Told(self.watched, {name: given for name, given in fixes.items() if given}, facts)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing."""
        return not self.fixes and not self.facts


def gather(
    books: Mapping[str, AccountBook], placed: Iterable[Placed], heard: Iterable[HeardFact]
) -> dict[tuple[str, str], Told]:
    """Return by account and subject what was told, of the subjects with fences or rules; fixes by moment."""
    found: dict[tuple[str, str], Told] = {}

    def told_of(account_id: str, device_id: str) -> Told | None:
        book = books[account_id]
        # Whose a device is says the book: the batch may remember what it was a moment ago.
        subject_id = book.subject_of(device_id)
        watched = book.watched(subject_id) if subject_id is not None else None
        return found.setdefault(watched.key, Told(watched)) if watched is not None else None

    for each in placed:
        told = told_of(each.account_id, each.device_id)
        if told is not None:
            fix = observed(each.position)
            if fix.at_s > told.watched.since_s:
                told.fixes.setdefault(each.device_id, []).append(fix)
    for one in heard:
        told = told_of(one.account_id, one.device_id)
        if told is not None:
            at_s = one.fact.recorded_at.timestamp()
            if at_s > told.watched.since_s:
                told.facts.append(folding.heard_input(one.device_id, at_s, one.fact.kind, one.fact.data))
    for told in found.values():
        for fixes in told.fixes.values():
            fixes.sort(key=lambda fix: fix.at_s)
    return {key: told for key, told in found.items() if not told.is_empty}
