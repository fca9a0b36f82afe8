"""Whom a rule tells, as the API and the forms write it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from tracker.domain.errors import Invalid
from tracker.domain.rule import Notify, Urgency
from tracker.geofence.field_errors import gather
from tracker.store import rules

ESCALATE_AFTER_S = (60, 86_400)
THROTTLE_S = (0, 86_400)
_FIELDS = ("contact_ids", "channels", "urgency", "all_at_once", "escalate_after_s", "throttle_s")


def read(
    given: Any,
    contact_ids: Callable[[], Collection[str]],
    channels: Collection[str],
    present: Notify | None = None,
) -> Notify:
    """Return whom to tell; what is not given is as in `present`, else as `Notify` says.

    Raises:
        Invalid: (`notify...`, why) for each field that is wrong or unknown.
    """
    if given is not None and not isinstance(given, Mapping):
        raise Invalid(("notify", "must be a JSON object"))
    document = {**rules.notify_json(present or Notify()), **(given or {})}
    unknown = [str(name)[:40] for name in document if name not in _FIELDS]
    if unknown:
        raise Invalid(*((f"notify.{name}", "there is no such field") for name in unknown))
    # Contacts of before may have been removed meanwhile; only new ones must be known.
    known = () if not (given or {}).get("contact_ids") else contact_ids()
    kept = present or Notify()
    values = gather(
        {
            "contact_ids": lambda: _names(
                document["contact_ids"], {*known, *kept.contact_ids}, "notify.contact_ids"
            ),
            "channels": lambda: _names(document["channels"], {*channels, *kept.channels}, "notify.channels"),
            "urgency": lambda: _urgency(document["urgency"]),
            "all_at_once": lambda: _flag(document["all_at_once"]),
            "escalate_after_s": lambda: (
                None
                if document["escalate_after_s"] is None
                else _seconds(document["escalate_after_s"], ESCALATE_AFTER_S, "notify.escalate_after_s")
            ),
            "throttle_s": lambda: _seconds(document["throttle_s"], THROTTLE_S, "notify.throttle_s"),
        }
    )
    return Notify(**values)


def _names(given: Any, known: Collection[str], at: str) -> tuple[str, ...]:
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise Invalid((at, "must be a list"))
    errors = [
        (f"{at}.{number}", "is not known")
        for number, each in enumerate(given)
        if not isinstance(each, str) or each not in known
    ]
    if errors:
        raise Invalid(*errors[:20])
    return tuple(dict.fromkeys(given))


def _urgency(given: Any) -> Urgency | None:
    if given is None:
        return None
    for each in Urgency:
        if given == each.name.lower():
            return each
    raise Invalid(("notify.urgency", "is none of the choices"))


def _flag(given: Any) -> bool:
    if not isinstance(given, bool):
        raise Invalid(("notify.all_at_once", "must be true or false"))
    return given


def _seconds(given: Any, bounds: tuple[int, int], at: str) -> int:
    least, most = bounds
    if isinstance(given, bool) or not isinstance(given, int):
        raise Invalid((at, "must be a whole number"))
    if given < least:
        raise Invalid((at, "is too small"))
    if given > most:
        raise Invalid((at, "is too large"))
    return given
