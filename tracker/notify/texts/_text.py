"""What a file of event texts announces: the words of each event type, in Russian and English.

A body may name in braces:

    {subject}   the name of whom it is about
    {place}     the fence's name
    {when}      "at 8:31", "between 8:05 and 8:40" after a gap, with the day when it is another one
    {rule}      the rule's name
    any name of the event's `data`; its ending says how it is written:
        _s      seconds           "40 min", "2 h 10 min"
        _m      metres            "350 m", "1.4 km"
        _km     kilometres        "12,000 km"
        _mps    metres a second   "65 km/h"
        _mps2   metres a second²  "3.5 m/s²"
        _pct    per cent          "15 %"
        _at     a moment, ISO 8601 or epoch seconds: as {when} writes one, without "at"
        any other: as it is

A body that needs something the event lacks is not told; its title, subject and moment are, instead. Bodies
are short and without a full stop: beside a link of 62 characters two joined SMS in Cyrillic (134 characters)
leave 71. They avoid what must agree with a person's gender ("на месте", not "пришёл").
"""

from collections.abc import Mapping
from dataclasses import dataclass

LOCALES = ("ru", "en")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventText:
    """One event type's words in one language.

    `title` is at most 40 characters, without names: the subject of a mail, the head of a push. `body` is one
    sentence.
    """

    title: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTexts:
    """The words of a family of rules, by event type and then by language ("ru", "en")."""

    name: str
    words: Mapping[str, Mapping[str, EventText]]
