"""The words of events: every type that a rule may raise has them, and they are told whatever is missing."""

import re
import string
from typing import Any

import pytest

from tests.notify.moments import NOW
from tracker import registry
from tracker.domain.notification import Notification
from tracker.notify._event_words import EventWords
from tracker.notify.compose import EVENT, compose, event_args, event_text
from tracker.notify.texts._text import LOCALES, EventText

KINDS = {
    **registry.load("tracker.geofence.rules", "RULE"),
    **registry.load("tracker.watch.rules", "RULE"),
}
FAMILIES = registry.load("tracker.notify.texts", "TEXTS")
WORDS = {
    (kind, locale): text
    for each in FAMILIES.values()
    for kind, words in each.words.items()
    for locale, text in words.items()
}
IDS = [f"{kind}-{locale}" for kind, locale in WORDS]
SAMPLES: dict[str, Any] = {
    "s": 7800,
    "m": 1434,
    "km": 12000,
    "mps": 18.2,
    "mps2": 4.21,
    "pct": 14.6,
    "at": "2026-11-21T05:31:00+00:00",
}


def names_of(body: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(body) if name}


def told(event_type: str, locale: str, **given: Any) -> str:
    return event_text(args_of(event_type, **given), locale).body


def args_of(event_type: str, **given: Any) -> dict[str, Any]:
    args = {
        "event_type": event_type,
        "subject": "Маша",
        "place": "Школа",
        "rule": "К 8:30",
        "at": "2026-11-21T05:31:00+00:00",
        "earliest": None,
        "told_at": "2026-11-21T05:32:00+00:00",
        "time_zone": "Europe/Moscow",
        "data": {},
        "link": "https://ryadom.example/alerts/00000000000000a1",
        "step": 0,
        **given,
    }
    return event_args(**args)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("locale", LOCALES)
def test_every_event_that_a_rule_raises_has_words(kind: str, locale: str) -> None:
    assert [each for each in KINDS[kind].types if (each, locale) not in WORDS] == []


def test_no_type_has_words_in_two_families() -> None:
    types = [kind for each in FAMILIES.values() for kind in each.words]
    assert len(types) == len(set(types))


@pytest.mark.parametrize(("key", "text"), WORDS.items(), ids=IDS)
def test_the_words_are_short_and_full(key: tuple[str, str], text: EventText) -> None:
    kind, locale = key
    data = {name: SAMPLES.get(name.rpartition("_")[2], "8:30") for name in names_of(text.body)}
    body = told(kind, locale, data=data)
    assert "{" not in body
    assert not body.endswith("."), "a link or another event follows"
    # With a new line and a link of 62 characters, as to ryadom.example, within two joined SMS in Cyrillic.
    assert len(body) <= 71, body
    assert 3 <= len(text.title) <= 40
    assert "{" not in text.title


@pytest.mark.parametrize(("key", "text"), WORDS.items(), ids=IDS)
def test_a_text_that_lacks_something_falls_back_on_its_title(key: tuple[str, str], text: EventText) -> None:
    kind, locale = key
    body = told(kind, locale, place=None, rule=None)
    assert body.startswith("Маша") or "Маша" in body
    assert "{" not in body


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in WORDS}))
def test_russian_is_russian_and_english_is_english(kind: str) -> None:
    assert re.search("[а-яё]", WORDS[kind, "ru"].title + WORDS[kind, "ru"].body)
    assert not re.search("[а-яё]", WORDS[kind, "en"].title + WORDS[kind, "en"].body)


def test_an_event_without_words_is_told_all_the_same() -> None:
    assert told("pigeon", "ru") == "Маша: событие в 8:31"
    assert told("pigeon", "en") == "Маша: event at 8:31"


@pytest.mark.parametrize(
    ("given", "ru", "en"),
    [
        ({}, "в 8:31", "at 8:31"),
        ({"told_at": "2026-11-22T05:32:00+00:00"}, "21.11 в 8:31", "on 21 Nov at 8:31"),
        ({"told_at": "2026-11-21T20:59:00+00:00"}, "в 8:31", "at 8:31"),
        ({"earliest": "2026-11-21T05:05:00+00:00"}, "между 8:05 и 8:31", "between 8:05 and 8:31"),
        ({"time_zone": "Asia/Novosibirsk"}, "в 12:31", "at 12:31"),
        ({"time_zone": "Nowhere/Atall"}, "в 5:31", "at 5:31"),
    ],
)
def test_moments_are_the_reader_s(given: dict[str, str], ru: str, en: str) -> None:
    assert told("pigeon", "ru", **given) == f"Маша: событие {ru}"
    assert told("pigeon", "en", **given) == f"Маша: event {en}"


@pytest.mark.parametrize(
    ("kind", "data", "en"),
    [
        ("left_early", {"until": "14:30"}, "Маша left Школа at 8:31, before 14:30"),
        ("arrived_late", {"by": "08:30"}, "Маша reached Школа after all, at 8:31; expected by 08:30"),
        ("arrived", {}, "Маша arrived at Школа at 15:31"),
    ],
)
def test_beside_an_hour_of_the_place_moments_are_of_the_place_too(
    kind: str, data: dict[str, str], en: str
) -> None:
    data = {**data, "time_zone": "Europe/Moscow"}
    assert told(kind, "en", time_zone="Asia/Vladivostok", data=data) == en


@pytest.mark.parametrize(
    ("told_at", "ru", "en"),
    [
        ("2026-11-21T05:40:00+00:00", "осталось 15 % заряда", "15 % of the battery is left"),
        ("2026-11-21T05:42:00+00:00", "осталось 15 % заряда (8:31)", "15 % of the battery is left (8:31)"),
        (
            "2026-11-22T04:00:00+00:00",
            "осталось 15 % заряда (21.11 8:31)",
            "15 % of the battery is left (21 Nov at 8:31)",
        ),
    ],
)
def test_a_message_that_was_held_says_of_when_it_is(told_at: str, ru: str, en: str) -> None:
    for locale, words in (("ru", ru), ("en", en)):
        message = Notification(
            channel="sms",
            kind=EVENT,
            to="+79161234567",
            locale=locale,
            args=args_of("battery_low", told_at=told_at, data={"battery_pct": 15}),
            expires_at=NOW,
        )
        assert compose(message).body == f"Маша: {words}"


@pytest.mark.parametrize(
    ("told_at", "added"),
    [("2026-11-21T09:00:00+00:00", ""), ("2026-11-22T09:00:00+00:00", " (21 Nov at 8:31)")],
)
def test_words_that_name_an_hour_lack_only_the_day(told_at: str, added: str) -> None:
    args = args_of("not_arrived", told_at=told_at, data={"by": "08:30"})
    message = Notification(channel="sms", kind=EVENT, to="", locale="en", args=args, expires_at=NOW)
    assert compose(message).body == f"Маша is not at Школа by 08:30; the device is in touch{added}"


def test_who_is_told_the_moment_is_not_told_it_twice() -> None:
    args = args_of("ignition_on", told_at="2026-11-21T09:00:00+00:00")
    message = Notification(channel="sms", kind=EVENT, to="", locale="en", args=args, expires_at=NOW)
    assert compose(message).body == "Маша: ignition on at 8:31"


@pytest.mark.parametrize(
    ("name", "given", "ru", "en"),
    [
        ("for_s", 45, "45 с", "45 s"),
        ("for_s", 2400, "40 мин", "40 min"),
        ("for_s", 7200, "2 ч", "2 h"),
        ("for_s", 7800, "2 ч 10 мин", "2 h 10 min"),
        ("for_s", 270_000, "3 сут 3 ч", "3 d 3 h"),
        ("way_m", 7, "7 м", "7 m"),
        ("way_m", 347.2, "350 м", "350 m"),
        ("way_m", 1434, "1,4 км", "1.4 km"),
        ("way_m", 250_000, "250 км", "250 km"),
        ("since_km", 12_000, "12 000 км", "12,000 km"),
        ("speed_mps", 18.2, "66 км/ч", "66 km/h"),
        ("brake_mps2", 4.21, "4,2 м/с²", "4.2 m/s²"),
        ("battery_pct", 14.6, "15 %", "15 %"),
        ("since_at", "2026-11-21T05:00:00+00:00", "8:00", "8:00"),
        ("since_at", 1_795_237_200, "8:00", "8:00"),
        ("since_at", "2026-11-20T05:00:00+00:00", "20.11 8:00", "20 Nov at 8:00"),
        ("by", "08:30", "08:30", "08:30"),
        ("number", 3, "3", "3"),
    ],
)
def test_values_are_written_with_their_units(name: str, given: object, ru: str, en: str) -> None:
    args = event_args(
        event_type="x",
        subject="Маша",
        place=None,
        rule=None,
        at="2026-11-21T05:31:00+00:00",
        earliest=None,
        told_at="2026-11-21T05:32:00+00:00",
        time_zone="Europe/Moscow",
        data={name: given},
        link="",
        step=0,
    )
    assert EventWords(args, "ru").value(name) == ru
    assert EventWords(args, "en").value(name) == en


def test_who_is_told_because_others_did_not_answer_is_told_so() -> None:
    assert told("pigeon", "ru", step=1).startswith("Никто не ответил. ")
    assert told("pigeon", "en", step=1).startswith("Nobody answered. ")


def test_a_long_name_is_cut_and_its_breaks_are_folded() -> None:
    body = told("pigeon", "ru", subject="Очень\nдлинное " + "имя " * 20)
    assert body.startswith("Очень длинное имя имя")
    assert len(body) < 60


def test_braces_in_a_name_are_only_braces() -> None:
    assert told("pigeon", "en", subject="{place}") == "{place}: event at 8:31"
