"""The words of every notification, in Russian and English. Pure.

An SMS in Cyrillic holds 70 characters, two joined ones 134: the texts stay within two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tracker.domain.errors import Refused
from tracker.domain.notification import Notification

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
    }
)

KINDS = tuple(_TEXTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What a person reads; `subject` only where the channel has one."""

    body: str
    subject: str | None = None


def compose(notification: Notification) -> Text:
    """Return the text of a notification in its locale ("en", else Russian).

    A code's last line is what browsers read codes by: `@host #code` (WICG, "Origin-bound one-time codes").

    Raises:
        Refused: there are no words for its kind, or an argument that they need is missing.
    """
    texts = _TEXTS.get(notification.kind)
    if texts is None:
        raise Refused(f"no words for {notification.kind}")
    args = notification.args
    try:
        body = texts["en" if notification.locale == "en" else "ru"].format_map(args)
    except KeyError as error:
        raise Refused(f"{notification.kind} lacks {error.args[0]}") from None
    if notification.kind == "login_code" and args.get("host"):
        body += f"\n\n@{args['host']} #{args['code']}"
    return Text(body=body)
