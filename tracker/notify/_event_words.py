"""How an event's values are written in a message: moments in the reader's zone, amounts with their units."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

NAME_SHOWN = 30
"""Characters of a name that a message shows: names may have 80, an SMS 70."""

HELD = timedelta(minutes=10)
"""Words that do not say when ("15 % of the battery is left") need no moment if they are told within this."""
_HOURS_OF_THE_PLACE = frozenset({"by", "until"})
"""Values that are times of day at the place. Moments beside them are of its zone too, not of the reader's."""

_UNITS: Mapping[str, Mapping[str, str]] = {
    "ru": {"s": "с", "min": "мин", "h": "ч", "d": "сут", "m": "м", "km": "км", "kmh": "км/ч", "a": "м/с²"},
    "en": {"s": "s", "min": "min", "h": "h", "d": "d", "m": "m", "km": "km", "kmh": "km/h", "a": "m/s²"},
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WORDS = {
    "ru": {"unknown": "событие", "unanswered": "Никто не ответил. "},
    "en": {"unknown": "event", "unanswered": "Nobody answered. "},
}


class EventWords:
    """Fills the words of one event, whose arguments are those of `compose.event_args`, in "ru" or "en"."""

    def __init__(self, args: Mapping[str, Any], locale: str) -> None:
        self._args = args
        self._locale = locale
        data = args.get("data") or {}
        of_place = data.get("time_zone") if data.keys() & _HOURS_OF_THE_PLACE else None
        self._zone = _zone(of_place or args.get("time_zone"))

    @property
    def name(self) -> str:
        """Whom it is about."""
        return _shown(self._args.get("subject")) or "?"

    @property
    def unknown(self) -> str:
        """The title of an event that has no words."""
        return _WORDS[self._locale]["unknown"]

    @property
    def unanswered(self) -> str:
        """What precedes the words when it is told because others did not answer."""
        return _WORDS[self._locale]["unanswered"] if self._args.get("step") else ""

    def sentence(self, template: str | None, title: str, *, dated: bool = False) -> str:
        """Return the template filled; without one, or if it needs what is not there: name, title, moment.

        `dated`: where the template says no moment, it is added to what is told later than `HELD`.
        """
        if template is not None:
            try:
                filled = template.format_map(_Values(self))
                return filled + self._date(template) if dated else filled
            except (LookupError, ValueError, TypeError, OverflowError, AttributeError):
                pass
        return f"{self.name}: {title.lower()} {self.when()}".rstrip()

    def _date(self, template: str) -> str:
        """Return the moment, to follow words that lack it; those that name an hour lack only the day."""
        at, told_at = self._moment(self._args.get("at")), self._moment(self._args.get("told_at"))
        if at is None or told_at is None or told_at - at <= HELD or _has_moment(template):
            return ""
        names_hour = any(f"{{{each}}}" in template for each in _HOURS_OF_THE_PLACE)
        return "" if names_hour and self._is_today(at) else f" ({self._clock(at)})"

    def when(self) -> str:
        """Return "at 8:31", or "between 8:05 and 8:40", with the day if it is not the day of telling."""
        at = self._moment(self._args.get("at"))
        if at is None:
            return ""
        earliest = self._moment(self._args.get("earliest"))
        ru = self._locale == "ru"
        if earliest is not None and earliest < at:
            first, last = self._clock(earliest), self._clock(at)
            return f"между {first} и {last}" if ru else f"between {first} and {last}"
        if self._is_today(at):
            return f"в {_hours(at)}" if ru else f"at {_hours(at)}"
        return f"{_day(at, self._locale)} в {_hours(at)}" if ru else f"on {self._clock(at)}"

    def value(self, key: str) -> str:
        """Return one value as it is written.

        Raises:
            LookupError: the event does not have it.
        """
        if key == "when":
            return self.when()
        if key in {"subject", "place", "rule"}:
            given = self._args.get(key) or (self._args.get("data") or {}).get(key)
            if not given:
                raise KeyError(key)
            return _shown(given)
        given = (self._args.get("data") or {})[key]
        if given is None:
            raise KeyError(key)
        return self._written(key, given)

    def _written(self, key: str, given: Any) -> str:
        _, _, unit = key.rpartition("_")
        if unit == "at":
            moment = self._moment(given)
            if moment is None:
                raise KeyError(key)
            return self._clock(moment)
        if isinstance(given, bool) or not isinstance(given, int | float):
            return _shown(given)
        return self._amount(unit, given)

    def _amount(self, unit: str, given: float) -> str:
        units = _UNITS[self._locale]
        if unit == "s":
            return _duration(given, units)
        if unit == "m":
            return self._way(given, units)
        written = {
            "km": f"{self._number(given)} {units['km']}",
            "mps": f"{round(given * 3.6)} {units['kmh']}",
            "mps2": f"{self._number(round(given, 1))} {units['a']}",
            "pct": f"{round(given)} %",
        }
        return written.get(unit) or self._number(given)

    def _way(self, metres: float, units: Mapping[str, str]) -> str:
        if metres < 995:
            return f"{round(metres) if metres < 20 else round(metres, -1):.0f} {units['m']}"
        return f"{self._number(round(metres / 1000, 1 if metres < 99_950 else None))} {units['km']}"

    def _number(self, given: float) -> str:
        written = f"{given:,.10g}" if abs(given) >= 10_000 else f"{given:g}"
        return written.replace(",", " ").replace(".", ",") if self._locale == "ru" else written

    def _moment(self, given: Any) -> datetime | None:
        if isinstance(given, str):
            try:
                moment = datetime.fromisoformat(given)
            except ValueError:
                return None
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(self._zone)
        if isinstance(given, int | float) and not isinstance(given, bool):
            return datetime.fromtimestamp(given, tz=self._zone)
        return None

    def _clock(self, moment: datetime) -> str:
        if self._is_today(moment):
            return _hours(moment)
        joint = " " if self._locale == "ru" else " at "
        return f"{_day(moment, self._locale)}{joint}{_hours(moment)}"

    def _is_today(self, moment: datetime) -> bool:
        told_at = self._moment(self._args.get("told_at"))
        return told_at is None or told_at.date() == moment.date()


class _Values(dict[str, str]):
    """What a template's names stand for, written when they are asked for."""

    def __init__(self, words: EventWords) -> None:
        super().__init__()
        self._words = words

    def __missing__(self, key: str) -> str:
        return self._words.value(key)


def _has_moment(template: str) -> bool:
    return "{when}" in template or "_at}" in template


def _zone(name: Any) -> ZoneInfo:
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _shown(given: Any) -> str:
    text = " ".join(str(given or "").split())
    return text if len(text) <= NAME_SHOWN else text[: NAME_SHOWN - 1].rstrip() + "…"


def _hours(moment: datetime) -> str:
    return f"{moment.hour}:{moment.minute:02d}"


def _day(moment: datetime, locale: str) -> str:
    if locale == "ru":
        return f"{moment.day:02d}.{moment.month:02d}"
    return f"{moment.day} {_MONTHS[moment.month - 1]}"


def _duration(seconds: float, units: Mapping[str, str]) -> str:
    """Return up to two units: "45 s", "40 min", "2 h 10 min", "3 d 4 h"."""
    if seconds < 90:
        return f"{round(seconds)} {units['s']}"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} {units['min']}"
    if minutes < 48 * 60:
        return _two(minutes // 60, "h", minutes % 60, "min", units)
    hours = round(minutes / 60)
    return _two(hours // 24, "d", hours % 24, "h", units)


def _two(many: int, large: str, few: int, small: str, units: Mapping[str, str]) -> str:
    written = f"{many} {units[large]}"
    return f"{written} {few} {units[small]}" if few else written
