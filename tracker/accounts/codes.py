"""Codes: how they are made, how many wrong entries block them, and which an owner may choose.

An entry is one code given by a caller. Three wrong ones in a row block the code they were tried on; from
then on the right one is refused too, without being looked at:

    wrong entries so far | right code        | wrong code
    0                    | opens, back to 0  | 1, two left
    1                    | opens, back to 0  | 2, one left
    2                    | opens, back to 0  | 3, blocked
    3                    | blocked           | blocked
"""

import secrets
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources

from tracker.domain.errors import Invalid

ENTRIES_ALLOWED = 3
SMS_CODE_DIGITS = 8
OWN_CODE_MIN = 8
OWN_CODE_MAX = 128

_SERVICE_WORDS = ("ryadom", "рядом", "tracker", "3339")
_RUNS = (
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "йцукенгшщзхъфывапролджэячсмитьбю",
)
_TEXTS = {
    "short": {
        "ru": "Слишком коротко: нужно не меньше 8 букв и цифр.",
        "en": "Too short: at least 8 letters and digits.",
    },
    "long": {"ru": "Слишком длинно: не больше 128 знаков.", "en": "Too long: at most 128 characters."},
    "control": {
        "ru": "В коде есть невидимые знаки: наберите его буквами и цифрами.",
        "en": "The code holds invisible characters: use letters and digits.",
    },
    "phone": {
        "ru": "Код похож на номер телефона, его легко угадать.",
        "en": "It is much like the phone number, which is easy to guess.",
    },
    "service": {
        "ru": "Код похож на название сервиса, его легко угадать.",
        "en": "It is much like the name of the service, which is easy to guess.",
    },
    "simple": {
        "ru": "Знаки подряд или повторы легко угадать: придумайте другой код.",
        "en": "Runs and repeats are easy to guess: choose another code.",
    },
    "common": {
        "ru": "Этот код из списка самых частых, его пробуют первым.",
        "en": "It is on the list of the most common codes, which are tried first.",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryOutcome:
    """What one entry does: whether it opens or is blocked, and the count that results."""

    opened: bool
    blocked: bool
    wrong_entries: int

    @property
    def attempts_left(self) -> int:
        """How many more wrong or right entries will be looked at, 0..3."""
        return max(0, ENTRIES_ALLOWED - self.wrong_entries)


def after_entry(wrong_entries: int, right: bool) -> EntryOutcome:
    """Return what an entry does after `wrong_entries` wrong ones in a row; see the table above."""
    if wrong_entries >= ENTRIES_ALLOWED:
        return EntryOutcome(opened=False, blocked=True, wrong_entries=wrong_entries)
    if right:
        return EntryOutcome(opened=True, blocked=False, wrong_entries=0)
    count = wrong_entries + 1
    return EntryOutcome(opened=False, blocked=count >= ENTRIES_ALLOWED, wrong_entries=count)


def new_sms_code() -> str:
    """Return 8 random decimal digits, 26.6 bits; leading zeros count."""
    return f"{secrets.randbelow(10**SMS_CODE_DIGITS):0{SMS_CODE_DIGITS}d}"


def sms_code(entered: str) -> str:
    """Return an entered SMS code without the blanks and hyphens that people and keyboards add."""
    return "".join(each for each in own_code(entered) if not each.isspace() and each != "-")


def own_code(entered: str) -> str:
    """Return an own code as it is hashed: NFKC, no blanks around, case kept, never cut.

    What is longer than any own code gives "", which matches none.
    """
    if len(entered) > 4 * OWN_CODE_MAX:
        return ""
    text = unicodedata.normalize("NFKC", entered).strip()
    return text if len(text) <= OWN_CODE_MAX else ""


def check_own_code(code: str, *, phone: str, locale: str) -> None:
    """Pass if `code` may be an own code: 8..128 characters, not easy to guess.

    Letters and digits of any script are taken, other visible characters too. `phone` is E.164.

    Raises:
        Invalid: ("code", why), in the language of `locale`.
    """
    text = unicodedata.normalize("NFKC", code).strip()
    why = _fault(text, phone)
    if why is not None:
        raise Invalid(("code", _TEXTS[why]["en" if locale == "en" else "ru"]))


def _fault(text: str, phone: str) -> str | None:
    folded = text.casefold()
    digits = phone.lstrip("+")
    faults = (
        ("short", len(text) < OWN_CODE_MIN),
        ("long", len(text) > OWN_CODE_MAX),
        ("control", any(unicodedata.category(each) in {"Cc", "Cf", "Cs", "Co", "Cn"} for each in text)),
        ("phone", folded.lstrip("+") in digits or digits[-7:] in folded),
        ("service", any(word in folded and len(folded.replace(word, "")) < 5 for word in _SERVICE_WORDS)),
        ("simple", _is_simple(folded)),
        ("common", folded in _common()),
    )
    return next((name for name, holds in faults if holds), None)


def _is_simple(folded: str) -> bool:
    repeats = any(folded == (folded[:size] * len(folded))[: len(folded)] for size in (1, 2, 3, 4))
    runs = any(folded in run or folded in run[::-1] for run in _RUNS)
    return repeats or runs


@cache
def _common() -> frozenset[str]:
    text = resources.files("tracker.accounts").joinpath("common_codes.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("# "))
