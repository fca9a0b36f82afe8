"""The words of every notification, in Russian and English. Pure.

An SMS in Cyrillic holds 70 characters, two joined ones 134: the texts stay within two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType
from typing import Any

from tracker import registry
from tracker.domain.errors import Refused
from tracker.domain.notification import Notification
from tracker.notify._event_words import EventWords
from tracker.notify.texts._text import EventText

EVENT = "event"
"""The kind of a notification of one event; its arguments are `event_args`."""
EVENTS = "events"
"""The kind of one of several events: `{"items": [arguments of each], "link"}`."""
LISTED = 5
"""How many events one message names; of the others it tells the number."""

_TEXTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "login_code": {
            "ru": "Рядом: код {code}, действует {minutes} мин. Никому его не говорите, мы его не спрашиваем.",
            "en": "Ryadom: code {code}, valid for {minutes} min. Tell nobody: we never ask for it.",
        },
        "own_code_changed": {
            "ru": "Рядом: ваш личный код изменён. Если это не вы, войдите по SMS и смените его.",
            "en": "Ryadom: your own code was changed. If it was not you, sign in by SMS and change it.",
        },
        "new_sign_in": {
            "ru": "Рядом: вход по личному коду ({device}). Если это не вы, войдите по SMS и смените код.",
            "en": "Ryadom: sign-in with your own code ({device}). Not you? Sign in by SMS and change it.",
        },
        "contact_code": {
            "ru": "Рядом: вас просят принимать тревоги семьи. Если согласны, передайте ей код {code}, "
            "он действует сутки.",
            "en": "Ryadom: a family asks you to take its alerts. If you agree, give it code {code}, "
            "valid for a day.",
        },
    }
)

_SUBJECTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "contact_code": {"ru": "Рядом: код согласия", "en": "Ryadom: a code to agree by"},
    }
)

KINDS = tuple(_TEXTS)
"""The kinds of notifications that are no events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What a person reads; `subject` only where the channel has one, `link` opens what it tells of.

    The body is without the link: where a link cannot be shown apart, `plain` has both.
    """

    body: str
    subject: str | None = None
    link: str | None = None

    @property
    def plain(self) -> str:
        """The body, and the link in a line of its own."""
        return f"{self.body}\n{self.link}" if self.link else self.body


def event_args(
    *,
    event_type: str,
    subject: str,
    place: str | None,
    rule: str | None,
    at: str,
    earliest: str | None,
    told_at: str,
    time_zone: str,
    data: Mapping[str, Any],
    link: str,
    step: int,
    list_link: str | None = None,
) -> dict[str, Any]:
    """Return the arguments of a notification of one event, as JSON.

    Moments are ISO 8601 with a zone; `earliest` is given only if so long lies between it and `at` that both
    must be told. `step` above 0: somebody before did not answer. `list_link` is given to who can sign in.
    """
    return {
        "type": event_type,
        "subject": subject,
        "place": place,
        "rule": rule,
        "at": at,
        "earliest": earliest,
        "told_at": told_at,
        "time_zone": time_zone,
        "data": dict(data),
        "link": link,
        "list_link": list_link,
        "step": step,
    }


def together(told: Sequence[Notification]) -> Notification:
    """Return the one notification that tells of all of a group, in the order in which it happened.

    A single one is as it was. Address and language are those of the last one made. The link is to the list of
    alerts for who can sign in, else to the alert of what happened last.
    """
    newest = told[-1]
    if len(told) == 1:
        return newest
    items = [dict(each.args) for each in sorted(told, key=happened_at)]
    args = {"items": items, "link": items[-1].get("list_link") or items[-1].get("link")}
    return replace(newest, kind=EVENTS, args=args, expires_at=max(each.expires_at for each in told))


def happened_at(notification: Notification) -> datetime:
    """Return the moment of a notification's event; of what is no event, one before all."""
    at = notification.args.get("at")
    return datetime.fromisoformat(at) if at else datetime.min.replace(tzinfo=UTC)


def compose(notification: Notification) -> Text:
    """Return the text of a notification in its locale ("en", else Russian).

    A code's last line is what browsers read codes by: `@host #code` (WICG, "Origin-bound one-time codes").

    Raises:
        Refused: there are no words for its kind, or an argument that they need is missing.
    """
    locale = "en" if notification.locale == "en" else "ru"
    if notification.kind == EVENT:
        return event_text(notification.args, locale, dated=True)
    if notification.kind == EVENTS:
        return _several(notification.args, locale)
    texts = _TEXTS.get(notification.kind)
    if texts is None:
        raise Refused(f"no words for {notification.kind}")
    args = notification.args
    try:
        body = texts[locale].format_map(args)
    except KeyError as error:
        raise Refused(f"{notification.kind} lacks {error.args[0]}") from None
    if notification.kind == "login_code" and args.get("host"):
        body += f"\n\n@{args['host']} #{args['code']}"
    return Text(body=body, subject=_SUBJECTS.get(notification.kind, {}).get(locale))


def event_text(args: Mapping[str, Any], locale: str, *, dated: bool = False) -> Text:
    """Return the text of one event, whose arguments are those of `event_args`; it never lacks words.

    An event of a type without words, or without what its words need, is told by what there is: an alert that
    says less is better than none. `dated` adds the moment to words that are told late and do not say it: for
    where no moment stands beside them.
    """
    words = EventWords(args, locale)
    text = _event_words().get(str(args.get("type")), {}).get(locale)
    title = text.title if text else words.unknown
    body = words.sentence(text.body if text else None, title, dated=dated)
    return Text(body=words.unanswered + body, subject=f"{words.name}: {title}", link=args.get("link"))


def _several(args: Mapping[str, Any], locale: str) -> Text:
    """One message of several events, each in a line, the first five by their words."""
    items = list(args.get("items", ()))
    lines = [event_text(item, locale, dated=True).body for item in items[:LISTED]]
    more = len(items) - LISTED
    if more > 0:
        lines.append(f"Ещё событий: {more}" if locale == "ru" else f"{more} more")
    head = f"Событий: {len(items)}" if locale == "ru" else f"{len(items)} events"
    return Text(body="\n".join(lines), subject=head, link=args.get("link"))


@cache
def _event_words() -> Mapping[str, Mapping[str, EventText]]:
    families = registry.load("tracker.notify.texts", "TEXTS").values()
    return MappingProxyType({kind: words for each in families for kind, words in each.words.items()})
