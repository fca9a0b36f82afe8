import random
import re
from datetime import date, datetime, time, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr

from tracker.domain.errors import Invalid
from tracker.domain.recurrence import COUNTED_DAYS, bounded, dates, matches, parse

FIRST = date(2026, 9, 1)
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def random_rule(chance: random.Random) -> str:
    freq = chance.choice(("DAILY", "WEEKLY", "MONTHLY", "YEARLY"))
    parts = [f"FREQ={freq}"]
    if chance.random() < 0.5:
        parts.append(f"INTERVAL={chance.choice((1, 2, 3, 7))}")
    if chance.random() < 0.5:
        numbers = ("1", "-1", "2", "5") if freq == "MONTHLY" and chance.random() < 0.5 else ("",)
        parts.append("BYDAY=" + ",".join({chance.choice(numbers) + chance.choice(DAYS) for _ in range(3)}))
    if chance.random() < 0.3 and freq != "WEEKLY":
        parts.append(f"BYMONTHDAY={chance.choice((1, 15, 28))},{chance.choice((30, 31, -1, -2))}")
    if chance.random() < 0.3:
        parts.append("BYMONTH=" + ",".join(str(each) for each in {chance.randint(1, 12) for _ in range(4)}))
    if chance.random() < 0.2:
        parts.append("UNTIL=20270301")
    elif chance.random() < 0.2:
        parts.append(f"COUNT={chance.randint(1, 40)}")
    if chance.random() < 0.3:
        parts.append("WKST=SU")
    return ";".join(parts)


@pytest.mark.parametrize("seed", range(12))
def test_dates_are_those_of_dateutil(seed: int) -> None:
    chance = random.Random(seed)
    since, until = date(2026, 11, 1), date(2027, 12, 1)
    compared = 0
    for _ in range(25):
        text = random_rule(chance)
        first = date(2026, chance.randint(1, 12), chance.randint(1, 28))
        ours = list(dates(parse(text), first, since, until))
        if not any(dates(parse(text), first, first, first + timedelta(days=1500))):
            # The oracle walks to the year 9999 for a rule without a date.
            continue
        oracle = rrulestr(f"RRULE:{text}", dtstart=datetime.combine(first, time()))
        end = datetime.combine(until, time())
        theirs = [each.date() for each in oracle.between(datetime.combine(since, time()), end, inc=True)]
        assert ours == theirs, f"{text} from {first}"
        compared += 1
    assert compared >= 10


def test_an_impossible_rule_costs_no_more_than_the_span_looked_at() -> None:
    began = perf_counter()
    assert list(dates(parse("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), FIRST, FIRST, date(2027, 10, 1))) == []
    assert perf_counter() - began < 1.0


def test_every_second_week_turns_on_the_day_weeks_begin() -> None:
    monday, sunday = (
        parse("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,TU"),
        parse("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,TU;WKST=SU"),
    )
    first = date(1997, 8, 5)  # the example of RFC 5545, 3.3.10, with another pair of days
    assert list(dates(monday, first, first, date(1997, 8, 24))) == [
        date(1997, 8, 5),
        date(1997, 8, 10),
        date(1997, 8, 19),
        date(1997, 8, 24),
    ]
    assert list(dates(sunday, first, first, date(1997, 8, 24))) == [
        date(1997, 8, 5),
        date(1997, 8, 17),
        date(1997, 8, 19),
    ]


def test_a_count_is_counted_from_the_first_day_and_not_from_the_span() -> None:
    rule = parse("FREQ=DAILY;COUNT=10")
    assert list(dates(rule, FIRST, FIRST + timedelta(days=8), FIRST + timedelta(days=30))) == [
        FIRST + timedelta(days=8),
        FIRST + timedelta(days=9),
    ]


@pytest.mark.parametrize("text", ["FREQ=DAILY;COUNT=10", "FREQ=WEEKLY;BYDAY=MO,FR;COUNT=7", "FREQ=DAILY"])
def test_a_count_is_the_until_that_it_comes_to(text: str) -> None:
    span = (FIRST, FIRST, FIRST + timedelta(days=100))
    rule = bounded(text, FIRST, ZoneInfo("Europe/Moscow"))
    assert rule.count is None
    assert list(dates(rule, *span)) == list(dates(parse(text), *span))


def test_a_count_of_no_days_is_bounded_too() -> None:
    rule = bounded("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=1", FIRST, ZoneInfo("Europe/Moscow"))
    assert list(dates(rule, FIRST, FIRST, FIRST + timedelta(days=900))) == []


def test_a_count_that_never_comes_to_an_end_is_not_walked_for_ever() -> None:
    rule = parse("FREQ=YEARLY;COUNT=3660")
    far = FIRST + timedelta(days=COUNTED_DAYS + 4000)
    assert list(dates(rule, FIRST, far, far + timedelta(days=400))) == []


def test_until_in_utc_ends_by_the_date_where_the_rule_is() -> None:
    text = "FREQ=DAILY;UNTIL=20260910T220000Z"
    assert parse(text, ZoneInfo("Europe/Moscow")).until == date(2026, 9, 11)
    assert parse(text, ZoneInfo("America/New_York")).until == date(2026, 9, 10)
    assert parse("FREQ=DAILY;UNTIL=20260910", ZoneInfo("Asia/Tokyo")).until == date(2026, 9, 10)


def test_nothing_is_before_the_first_day() -> None:
    assert not matches(parse("FREQ=DAILY"), FIRST, FIRST - timedelta(days=1))


@pytest.mark.parametrize(
    ("text", "field", "why"),
    [
        ("FREQ=SECONDLY", "rrule", "FREQ must be"),
        ("FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30", "rrule", "FREQ must be"),
        ("INTERVAL=2", "rrule", "FREQ must be"),
        ("", "rrule", "NAME=VALUE"),
        ("RRULE:", "rrule", "NAME=VALUE"),
        ("FREQ", "rrule", "NAME=VALUE"),
        ("FREQ=DAILY;FREQ=DAILY", "rrule", "each name once"),
        ("FREQ=DAILY;BYSETPOS=3", "rrule.BYSETPOS", "not supported"),
        ("FREQ=DAILY;BYHOUR=3", "rrule.BYHOUR", "not supported"),
        ("FREQ=DAILY;INTERVAL=0", "rrule.INTERVAL", "out of range"),
        ("FREQ=DAILY;INTERVAL=-1", "rrule.INTERVAL", "out of range"),
        ("FREQ=DAILY;INTERVAL=1,2", "rrule.INTERVAL", "whole numbers"),
        ("FREQ=DAILY;INTERVAL=x", "rrule.INTERVAL", "whole numbers"),
        ("FREQ=DAILY;COUNT=99999999999", "rrule.COUNT", "whole numbers"),
        ("FREQ=DAILY;COUNT=3661", "rrule.COUNT", "out of range"),
        ("FREQ=DAILY;BYMONTH=13", "rrule.BYMONTH", "out of range"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "rrule.BYMONTHDAY", "out of range"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "rrule", "does not go with WEEKLY"),
        ("FREQ=WEEKLY;BYDAY=XX", "rrule", "BYDAY names"),
        ("FREQ=MONTHLY;BYDAY=6MO", "rrule", "BYDAY names"),
        ("FREQ=WEEKLY;BYDAY=1MO", "rrule", "only with MONTHLY"),
        ("FREQ=MONTHLY;BYDAY=WE,1WE", "rrule", "mixes"),
        ("FREQ=DAILY;UNTIL=20270101;COUNT=3", "rrule", "exclude each other"),
        ("FREQ=DAILY;UNTIL=20271301", "rrule", "UNTIL must be"),
        ("FREQ=DAILY;UNTIL=tomorrow", "rrule", "UNTIL must be"),
        ("FREQ=DAILY;WKST=X", "rrule", "WKST must be"),
        ("FREQ=DAILY;" + "BYMONTH=1," * 50, "rrule", "too long"),
    ],
)
def test_what_is_not_taken_is_refused_with_its_reason(text: str, field: str, why: str) -> None:
    with pytest.raises(Invalid, match=re.escape(why)) as refused:
        parse(text)
    assert [name for name, _ in refused.value.errors] == [field]


@pytest.mark.parametrize("text", ["rrule:freq=weekly;byday=mo", " FREQ=DAILY; "])
def test_case_and_the_leading_word_do_not_matter(text: str) -> None:
    assert matches(parse(text), date(2026, 9, 7), date(2026, 9, 14))
