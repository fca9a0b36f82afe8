"""What a deployment decides about signing in."""

from dataclasses import dataclass, field
from datetime import timedelta

TERMS_VERSION = "2026-11-01"
"""The version of the terms of service that a sign-in accepts; the text is the page /terms."""

CODE_LIVES_FOR = timedelta(minutes=10)
RESEND_AFTER = timedelta(seconds=60)
SESSION_LIVES_FOR = timedelta(days=30)
TOKEN_LIVES_FOR = timedelta(days=365)
LOCALES = ("ru", "en")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPolicy:
    """How codes are sent, and how many.

    `regions` holds ISO 3166 alpha-2 codes, or "*" for every region: whose mobile numbers get codes.
    `host` is what a browser ties the code of a message to; empty: the message has no such line.
    Amounts per address are for its /24 (IPv4) or /56 (IPv6).
    """

    sender: str
    regions: frozenset[str] = field(default_factory=lambda: frozenset({"RU"}))
    sms_per_hour: int = 1000
    host: str = ""
    sms_per_number_hour: int = 5
    sms_per_number_day: int = 10
    sms_per_address_hour: int = 20
    sms_per_number_and_address_hour: int = 3
    sms_per_number_and_address_day: int = 6
    sms_per_block_hour: int = 100
    requests_per_address_hour: int = 1000
    entries_per_address_10min: int = 60
    loopback_factor: int = 10

    @property
    def home_region(self) -> str | None:
        """The region that a number without a country code is read in, or None if there are several."""
        return next(iter(self.regions)) if len(self.regions) == 1 and "*" not in self.regions else None


def locale_of(text: str | None) -> str:
    """Return the language of a locale such as "en-GB"; Russian when there is none of ours."""
    language = (text or "").replace("_", "-").partition("-")[0].lower()
    return language if language in LOCALES else LOCALES[0]
