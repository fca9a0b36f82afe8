"""Why an event was told, in words: for its page."""

from datetime import UTC, datetime, tzinfo
from typing import Any

from flask_babel import format_datetime
from flask_babel import gettext as _

from tracker.domain.crossing import Evidence, How, Side
from tracker.domain.errors import NotFound
from tracker.domain.event import Event
from tracker.domain.notification import Delivery
from tracker.domain.rule import InputKind, RuleKind
from tracker.web.context import here
from tracker.web.geojson import rfc3339
from tracker.web.pages import _places
from tracker.web.pages.history import distance_text, duration_text

GAP_LEAST_S = 1_200.0
"""Shorter silences are ordinary and not worth a sentence."""


def moment_text(moment: datetime, at: tzinfo) -> str:
    """Return a moment as a reader of that zone says it, to the minute."""
    return str(format_datetime(moment.astimezone(at), "d MMM y, HH:mm", rebase=False))


def is_crossing(kind: RuleKind | None) -> bool:
    """Tell whether a rule waits for crossings: another has other reasons, even at the same moment."""
    return kind is None or InputKind.CROSSED in kind.inputs


def ordinary() -> str:
    """Return what is said of an event that needs no story."""
    return str(_("What the device reported was what the rule waits for."))


def story(event: Event, lines: list[Evidence], at: tzinfo) -> list[str]:
    """Return in sentences why the event is believed and how well its moment is known."""
    explanation = event.explanation
    told: list[str] = []
    count = len(lines)
    sure = sum(1 for line in lines if line.side is not Side.UNSURE)
    how = {
        How.CONFIRMED: _(
            "%(sure)s of %(count)s positions say it surely; one alone would not have been enough.",
            sure=sure,
            count=count,
        ),
        How.IN_STRIDE: _("One sure position says it, and the way before led there."),
        How.SETTLED: _("One good position says it, and nothing spoke against it for a while."),
        How.WORN: _("Only poor positions came for long, but all on the same side."),
        How.FIRST: _("The first position told where the device is."),
        How.REDRAWN: _("The place was drawn anew."),
    }
    if explanation.how is not None:
        told.append(str(how[explanation.how]))
    if explanation.earliest and explanation.earliest < event.at:
        apart_s = (event.at - explanation.earliest).total_seconds()
        told.append(
            str(
                _(
                    "At %(time)s the opposite was still sure: it happened within %(span)s of that.",
                    time=explanation.earliest.astimezone(at).strftime("%H:%M"),
                    span=duration_text(apart_s),
                )
            )
        )
    if explanation.gap_s and explanation.gap_s >= GAP_LEAST_S:
        told.append(
            str(_("In between nothing was reported for %(span)s.", span=duration_text(explanation.gap_s)))
        )
    decided_s = (event.decided_at - event.at).total_seconds()
    if decided_s >= 30:
        told.append(str(_("It was certain %(span)s later.", span=duration_text(decided_s))))
    if not told:
        told.append(ordinary())
    return told


def line(line: Evidence, at: tzinfo) -> dict[str, Any]:
    """Return one fix as evidence, in words and numbers."""
    moment = datetime.fromtimestamp(line.at_s, UTC)
    verdicts = {Side.IN: _("inside"), Side.OUT: _("outside"), Side.UNSURE: _("unsure")}
    edge = distance_text(abs(line.distance_m))
    inside = str(_("%(distance)s inside", distance=edge))
    return {
        "iso": rfc3339(moment),
        "time": moment.astimezone(at).strftime("%H:%M:%S"),
        "accuracy": "–" if line.accuracy_m is None else f"±{distance_text(line.accuracy_m)}",
        "distance": inside if line.distance_m < 0 else str(_("%(distance)s outside", distance=edge)),
        "probability": f"{100 * line.probability:.0f} %",
        "verdict": str(verdicts[line.side]) + (f" ({_('weak')})" if line.weak else ""),
    }


def suppressed(each: Any, at: tzinfo) -> str:
    """Return what was not raised beside an event, and why."""
    moment = each.get("at")
    when = ""
    if isinstance(moment, str):
        when = moment_text(datetime.fromisoformat(moment), at)
    elif isinstance(moment, int | float):
        when = moment_text(datetime.fromtimestamp(moment, UTC), at)
    why = {
        "sibling": _("another device of the same subject told it already"),
        "still_inside": _("another device of the same subject was still there"),
        "held": _("another device of the same subject was still there"),
    }.get(str(each.get("why")), str(each.get("why", "")).replace("_", " "))
    return ": ".join(part for part in (when, str(why)) if part)


def delivery(each: Delivery, at: tzinfo) -> dict[str, Any]:
    """Return what became of one message."""
    try:
        contact = here().access.alerts.contact(each.contact_id)
        who = str(_("You")) if contact.contact_id == contact.account_id else contact.name
    except NotFound:
        who = str(_("somebody who was removed"))
    states = {
        "waiting": _("waits"),
        "sent": _("sent"),
        "delivered": _("delivered"),
        "refused": _("could not be delivered"),
        "expired": _("not sent in time"),
        "grouped": _("told together with others"),
        "cancelled": _("withdrawn before it was sent"),
    }
    moment = each.delivered_at or each.sent_at
    return {
        "who": who,
        "channel": _places.channel_titles().get(each.channel, each.channel),
        "state": each.state.value,
        "state_text": str(states[each.state.value]),
        "iso": rfc3339(moment) if moment else "",
        "when": moment_text(moment, at) if moment else "",
        "attempts": each.attempts,
    }


def facts(event: Event, at: tzinfo) -> list[tuple[str, str]]:
    """Return the moments, versions and thresholds behind an event, by what they are called."""
    explanation = event.explanation
    facts = [
        (str(_("Happened")), _exact(event.at, at)),
        (str(_("Certain since")), _exact(event.decided_at, at)),
        (str(_("Noted")), _exact(event.recorded_at, at)),
    ]
    if explanation.earliest:
        facts.insert(0, (str(_("Not before")), _exact(explanation.earliest, at)))
    if event.rule_version:
        facts.append((str(_("Version of the rule")), str(event.rule_version)))
    version = ((explanation.fence or {}).get("properties") or {}).get("version")
    if version:
        facts.append((str(_("Version of the place")), str(version)))
    facts += [(name, f"{value:g}") for name, value in sorted(explanation.thresholds.items())]
    return facts


def _exact(moment: datetime, at: tzinfo) -> str:
    return str(format_datetime(moment.astimezone(at), "d MMM y, HH:mm:ss", rebase=False))
