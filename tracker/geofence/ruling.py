"""The rules of an account: adding, changing and removing them. Nothing here commits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from tracker.domain import fields
from tracker.domain.access import Viewer
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.fields import FieldKind
from tracker.domain.geofence import Geofence
from tracker.domain.ids import is_id, new_id
from tracker.domain.names import clean_name
from tracker.domain.rule import Rule, RuleKind
from tracker.domain.schedule import Schedule
from tracker.domain.subject import Subject
from tracker.domain.time_zones import zone_names
from tracker.geofence import notify_json, schedule_json, subject_choice, trial
from tracker.geofence.field_errors import gather
from tracker.geofence.places import Places
from tracker.geofence.preview import Preview
from tracker.geofence.subject_choice import SubjectChoice
from tracker.geofence.trial import Apart
from tracker.store import rules
from tracker.store.access import Access
from tracker.store.session import Session

RULES_PER_ACCOUNT = 1_000


class Ruling:
    """Changes of rules, each in a viewer's name.

    `kinds` are those of `geofence.rules` and `watch.rules` by name, `channels` the names of those that carry
    messages. An account has at most `most` rules.
    """

    def __init__(
        self,
        kinds: Mapping[str, RuleKind],
        places: Places,
        channels: Sequence[str],
        *,
        most: int = RULES_PER_ACCOUNT,
    ) -> None:
        self._most = most
        self._kinds = kinds
        self._places = places
        self._channels = tuple(channels)

    def kinds(self) -> Sequence[RuleKind]:
        """Return every kind of rule, by name."""
        return [self._kinds[name] for name in sorted(self._kinds)]

    def kind(self, name: str) -> RuleKind:
        """Return the kind of rule of this name.

        Raises:
            Invalid: ("kind", ...) there is none.
        """
        if name not in self._kinds:
            raise Invalid(("kind", "there is no such kind of rule"))
        return self._kinds[name]

    def draft(
        self,
        access: Access,
        body: Mapping[str, Any],
        now: datetime,
        *,
        zone: str | None = None,
        fence: Geofence | None = None,
    ) -> Rule:
        """Return the rule that `add` would make, saving nothing; `fence`, not saved either, may be its place.

        Raises:
            Invalid: as `add` does.
        """
        name = body.get("kind")
        if not isinstance(name, str):
            raise Invalid(("kind", "this field is required" if name is None else "must be text"))
        reading = _Reading(access, self.kind(name), self._channels, now, zone)
        place = fence or reading.place(body.get("geofence_id"))
        values = gather(
            {
                "name": lambda: _name(body.get("name")),
                "chosen": lambda: reading.subjects(body, None),
                "args": lambda: reading.args(body.get("args"), {}),
                "schedule": lambda: reading.schedule(body.get("schedule"), place),
                "notify": lambda: notify_json.read(body.get("notify"), reading.contact_ids, self._channels),
                "enabled": lambda: _flag(body.get("enabled", True), "enabled"),
            }
        )
        return Rule(
            account_id=access.account_id,
            rule_id=new_id(),
            kind=name,
            geofence_id=place.geofence_id if place else None,
            version=1,
            active_from=now,
            created_at=now,
            **_fields(values),
        )

    def add(
        self,
        session: Session,
        viewer: Viewer,
        body: Mapping[str, Any],
        now: datetime,
        *,
        zone: str | None = None,
    ) -> Rule:
        """Add a rule (contract, section 3); what was before now raises nothing.

        `zone` is its schedule's if that names none and the rule has no fence, which would have one. Without a
        name it is "": it is called as its kind.

        Raises:
            Invalid: (`kind` | `args.by` | `schedule...` | `notify...`, why) for each wrong field, or there
                are too many rules.
        """
        access = Access(session, viewer)
        rule = self.draft(access, body, now, zone=zone)
        if rules.count(session, viewer.account_id) >= self._most:
            raise Invalid(("name", "There are too many already: remove some first."))
        rules.add(session, rule, now, fence=self._document(access, rule))
        return rule

    def change(
        self,
        session: Session,
        viewer: Viewer,
        rule_id: str,
        body: Mapping[str, Any],
        now: datetime,
        *,
        zone: str | None = None,
    ) -> Rule:
        """Change what a body gives of a rule; a null schedule or fence is taken away, `args` are merged.

        Another meaning (fence, subjects, args, schedule), or switching it on, is a new version: what was
        before now raises nothing by it.

        Raises:
            NotFound: missing, or not the viewer's.
            Invalid: as `add` does, or the kind is another one.
        """
        present = rules.hold(session, viewer.account_id, rule_id)
        access = Access(session, viewer)
        rule = self._changed(access, present, body, now, zone)
        if rule == present:
            return present
        if _meaning(rule) != _meaning(present) or rule.enabled > present.enabled:
            rule = replace(rule, version=present.version + 1, active_from=now)
        rules.change(session, rule, now, fence=self._document(access, rule))
        return rule

    def remove(self, session: Session, viewer: Viewer, rule_id: str, now: datetime) -> None:  # noqa: ARG002
        """Remove a rule; what it raised stays known.

        Raises:
            NotFound: missing, or not the viewer's.
        """
        rules.hold(session, viewer.account_id, rule_id)
        rules.remove(session, viewer.account_id, rule_id)

    def preview(
        self,
        access: Access,
        body: Mapping[str, Any],
        since: datetime,
        until: datetime,
        apart: Apart,
        *,
        now: datetime,
        zone: str | None = None,
    ) -> Preview:
        """Return what the rule of a body would have raised of since < t < until, saving nothing.

        `geofence`, a Feature, may stand in place of `geofence_id`. `apart` runs the computation.

        Raises:
            Invalid: as `add` does; `geofence...` of the Feature; "to" if the time is too long.
        """
        trial.check_span(since, until)
        fence = self._drawn(access, body.get("geofence"), now, zone)
        rule = self.draft(access, body, now, zone=zone, fence=fence)
        if fence is None and rule.geofence_id is not None:
            fence = access.places.geofence(rule.geofence_id)
        kind = self.kind(rule.kind)
        shapes = self._places.shapes
        return trial.run(access, rule, kind, fence, shapes, since=since, until=until, apart=apart)

    def _drawn(self, access: Access, given: Any, now: datetime, zone: str | None) -> Geofence | None:
        if given is None:
            return None
        if not isinstance(given, Mapping):
            raise Invalid(("geofence", "must be a JSON object"))
        try:
            return self._places.draft(access, given, now, zone=zone)
        except Invalid as error:
            raise Invalid(*((f"geofence.{field}", why) for field, why in error.errors)) from None

    def _changed(
        self, access: Access, present: Rule, body: Mapping[str, Any], now: datetime, zone: str | None
    ) -> Rule:
        if body.get("kind") not in (None, present.kind):
            raise Invalid(("kind", "cannot be changed: add another rule"))
        reading = _Reading(access, self.kind(present.kind), self._channels, now, zone)
        place = reading.place(body.get("geofence_id", present.geofence_id))
        chosen = SubjectChoice(present.subject_ids, present.all_subjects)
        readers: dict[str, Callable[[], Any]] = {"chosen": lambda: chosen}
        if any(body.get(each) is not None for each in ("subject_ids", "all_subjects")):
            readers["chosen"] = lambda: reading.subjects(body, chosen)
        if "name" in body:
            readers["name"] = lambda: _name(body["name"])
        if body.get("args") is not None:
            readers["args"] = lambda: reading.args(body["args"], present.args)
        if "schedule" in body:
            readers["schedule"] = lambda: reading.schedule(body["schedule"], place)
        else:
            readers["schedule"] = lambda: reading.zoned(present.schedule, place)
        if body.get("notify") is not None:
            given = body["notify"]
            readers["notify"] = lambda: notify_json.read(
                given, reading.contact_ids, self._channels, present.notify
            )
        if body.get("enabled") is not None:
            readers["enabled"] = lambda: _flag(body["enabled"], "enabled")
        changed = _fields(gather(readers))
        return replace(present, geofence_id=place.geofence_id if place else None, **changed)

    def _document(self, access: Access, rule: Rule) -> Mapping[str, Any] | None:
        if rule.geofence_id is None:
            return None
        return self._places.feature(access.places.geofence(rule.geofence_id))


class _Reading:
    """Reads the fields of one kind of rule against what the account has."""

    def __init__(
        self, access: Access, kind: RuleKind, channels: Sequence[str], now: datetime, zone: str | None
    ) -> None:
        self._access = access
        self._kind = kind
        self._channels = channels
        self._now = now
        self._zone = zone
        self._subjects: Sequence[Subject] = access.subjects()

    def place(self, given: Any) -> Geofence | None:
        """Return the fence of a rule."""
        if given is None:
            if self._kind.needs_fence:
                raise Invalid(("geofence_id", "this field is required"))
            return None
        try:
            if isinstance(given, str) and is_id(given):
                return self._access.places.geofence(given)
        except NotFound:
            pass
        raise Invalid(("geofence_id", "is not known"))

    def subjects(self, body: Mapping[str, Any], present: SubjectChoice | None) -> SubjectChoice:
        """Return whom a rule watches: those that its kind fits."""
        chosen = subject_choice.read(body, self._subjects, present=present)
        kinds = {each.subject_id: each.kind for each in self._subjects}
        errors: list[tuple[str, str]] = []
        for number, subject_id in enumerate(chosen.subject_ids):
            if self._kind.fits and kinds[subject_id] not in self._kind.fits:
                unfit = Invalid((f"subject_ids.{number}", "a rule of this kind is not for it"))
                errors += unfit.errors
        if errors:
            raise Invalid(*errors)
        return chosen

    def args(self, given: Any, present: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the arguments of a rule, those of the kind's fields."""
        if given is not None and not isinstance(given, Mapping):
            raise Invalid(("args", "must be a JSON object"))
        found = fields.read(self._kind.fields, {**present, **(given or {})})
        known = {
            FieldKind.SUBJECT: lambda: {each.subject_id for each in self._subjects},
            FieldKind.DEVICE: lambda: {each.device_id for each in self._access.devices()},
        }
        errors = [
            (f"args.{field.name}", "is not known")
            for field in self._kind.fields
            if field.kind in known and found[field.name] not in known[field.kind]()
        ]
        if errors:
            raise Invalid(*errors)
        return found

    def schedule(self, given: Any, place: Geofence | None) -> Schedule | None:
        """Return when a rule applies."""
        return self.zoned(schedule_json.read(given, self._now.date()), place)

    def zoned(self, schedule: Schedule | None, place: Geofence | None) -> Schedule | None:
        """Return a schedule that has a time zone: its own, its fence's or the reader's."""
        if schedule is None or place is not None or schedule.time_zone is not None:
            return schedule
        if self._zone is None or self._zone not in zone_names():
            raise Invalid(("schedule.time_zone", "this field is required without a place"))
        return replace(schedule, time_zone=self._zone)

    def contact_ids(self) -> set[str]:
        """Return the account's contacts."""
        return {each.contact_id for each in self._access.alerts.contacts(self._now)}


def _fields(values: dict[str, Any]) -> dict[str, Any]:
    """Return what was read as a rule's fields."""
    fields_ = {name: each for name, each in values.items() if name != "chosen"}
    fields_["subject_ids"], fields_["all_subjects"] = values["chosen"]
    return fields_


def _meaning(rule: Rule) -> tuple[Any, ...]:
    args = dict(rule.args)
    return rule.geofence_id, rule.subject_ids, rule.all_subjects, args, rule.schedule


def _name(given: Any) -> str:
    if given is None or given == "":
        return ""
    if not isinstance(given, str):
        raise Invalid(("name", "must be text"))
    return clean_name(given)


def _flag(given: Any, at: str) -> bool:
    if not isinstance(given, bool):
        raise Invalid((at, "must be true or false"))
    return given
