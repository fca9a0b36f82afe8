"""What may stand in a contact: each field read from what a form or call gives."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from tracker.accounts import phones
from tracker.accounts.policy import LOCALES, SignInPolicy
from tracker.domain.errors import Invalid
from tracker.domain.names import clean_name
from tracker.domain.network import is_surely_private
from tracker.domain.notification import Contact
from tracker.domain.rule import Urgency
from tracker.domain.schedule import Schedule
from tracker.domain.time_zones import zone_names

EMAIL_LENGTH = 254
ReadSchedule = Callable[[Any, date], Schedule | None]
"""Reads a document of quiet hours; raises Invalid for ("quiet...", why)."""

_FIELDS = frozenset(
    {
        *("name", "phone", "email", "mqtt_device_id", "locale", "time_zone", "channels"),
        *("position", "quiet", "quiet_breaks_at", "per_hour_most"),
    }
)
_MAY_BE_NONE = frozenset({"phone", "email", "mqtt_device_id", "quiet"})
_EMAIL = re.compile(r"[^\s@<>\",;:\\()\[\]]{1,64}@[^\s@<>\",;:\\()\[\]]+\.[^\s@<>\",;:\\()\[\].]{2,}")


class ContactFields:
    """Reads the fields of contacts of one deployment; `channels` are those that it has."""

    def __init__(self, policy: SignInPolicy, channels: Collection[str], read_schedule: ReadSchedule) -> None:
        self._policy = policy
        self._channels = frozenset(channels)
        self._read_schedule = read_schedule

    def changed(
        self, old: Contact, given: Mapping[str, Any], today: date, device_of: Callable[[str], str]
    ) -> Contact:
        """Return a contact with the given fields; null takes away what may be none, else changes nothing.

        `device_of` returns the id of a device of the account.

        Raises:
            Invalid: (field, why), or no way is left to reach him.
            NotFound: by `device_of`.
        """
        unknown = sorted(set(given) - _FIELDS)
        if unknown:
            raise Invalid(*((name, "There is no such field.") for name in unknown))
        is_owner = old.contact_id == old.account_id
        read: Mapping[str, Callable[[Any], Any]] = {
            "name": clean_name,
            "phone": self._phone,
            "email": _email,
            "mqtt_device_id": lambda each: device_of(each) if each else None,
            "locale": lambda each: _one_of("locale", each, LOCALES),
            "time_zone": lambda each: _one_of("time_zone", each, zone_names()),
            "channels": self._channel_names,
            "position": lambda each: _whole("position", each, 0 if is_owner else 1, 1000),
            "quiet": lambda each: self._read_schedule(each, today),
            "quiet_breaks_at": _urgency,
            "per_hour_most": lambda each: _whole("per_hour_most", each, 1, 1000),
        }
        values = {
            name: read[name](each) for name, each in given.items() if each is not None or name in _MAY_BE_NONE
        }
        new = replace(old, **values)
        if (new.phone, new.email, new.mqtt_device_id) == (None, None, None):
            raise Invalid(("phone", "Give a number, an address or a device."))
        return new

    def _phone(self, given: str | None) -> str | None:
        if not given:
            return None
        number = phones.normal(given, self._policy.home_region)
        if not phones.may_get_codes(number, self._policy.regions):
            raise Invalid(("phone", "Messages do not go to this number."))
        return number

    def _channel_names(self, given: Collection[str]) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(given))
        strange = [number for number, each in enumerate(names) if each not in self._channels]
        if strange:
            raise Invalid(*((f"channels.{number}", "There is no such channel.") for number in strange))
        return names


def check_endpoint(endpoint: str) -> None:
    """Pass if a browser's endpoint can be a push service: https on the usual port, not surely private.

    Raises:
        Invalid: ("endpoint", ...).
    """
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        raise Invalid(("endpoint", "This is no push service.")) from None
    host = parts.hostname or ""
    if parts.scheme != "https" or parts.username or port not in {None, 443}:
        raise Invalid(("endpoint", "This is no push service."))
    if "." not in host or is_surely_private(host):
        raise Invalid(("endpoint", "This is no push service on the public internet."))


def _email(given: str | None) -> str | None:
    if not given:
        return None
    text = given.strip()
    if len(text) > EMAIL_LENGTH or not text.isprintable() or not _EMAIL.fullmatch(text):
        raise Invalid(("email", "This is not an e-mail address."))
    return text


def _one_of(name: str, given: str, known: Collection[str]) -> str:
    if given not in known:
        raise Invalid((name, "There is no such choice."))
    return given


def _whole(name: str, given: int, least: int, most: int) -> int:
    if given < least:
        raise Invalid((name, "is too small"))
    if given > most:
        raise Invalid((name, "is too large"))
    return given


def _urgency(given: str | Urgency) -> Urgency:
    try:
        return given if isinstance(given, Urgency) else Urgency[given.upper()]
    except KeyError:
        raise Invalid(("quiet_breaks_at", "There is no such choice.")) from None
