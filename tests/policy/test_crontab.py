"""Crontab expressions: crontab's meaning, whatever the library's."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.policy.crontab import WEEKDAYS, CrontabError, parse

SUNDAY = datetime(2026, 3, 29, 9, 30, 20, tzinfo=UTC)


def at(day: int, hour: int = 8, *, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "latest", "following"),
    [
        ("0 8 * * mon-fri", at(27), at(30)),
        ("0 8 * * 1-5", at(27), at(30)),
        ("0 8 * * 0", at(29), at(5, month=4)),
        ("0 8 * * 7", at(29), at(5, month=4)),
        ("0 8 * * SUN", at(29), at(5, month=4)),
        ("0 8 * * 5-7", at(29), at(3, month=4)),
        ("0 8 * * fri-sun", at(29), at(3, month=4)),
        ("0 8 * * */2", at(29), at(31)),
        ("0 8 * * mon,wed", at(25), at(30)),
        ("0 8 1 * *", at(1), at(1, month=4)),
        ("0 8 1 jan-mar *", at(1), datetime(2027, 1, 1, 8, tzinfo=UTC)),
        ("30 9 29 3 *", datetime(2026, 3, 29, 9, 30, tzinfo=UTC), datetime(2027, 3, 29, 9, 30, tzinfo=UTC)),
    ],
)
def test_the_last_and_the_next_moment_are_crontabs(text: str, latest: datetime, following: datetime) -> None:
    crontab = parse(text)
    assert (crontab.latest(SUNDAY), crontab.following(SUNDAY)) == (latest, following)


ITEMS = st.one_of(st.just("*"), st.integers(1, 12).map(str), st.sampled_from(["*/2", "1-5", "2-10/3", "3,7"]))
DAYS = st.sampled_from(["*", "0", "7", "mon", "1-5", "sat-sun", "tue,thu", "*/3"])
EXPRESSIONS = st.one_of(
    st.builds("{} {} {} {} *".format, ITEMS, ITEMS, ITEMS, ITEMS),
    st.builds("{} {} * {} {}".format, ITEMS, ITEMS, ITEMS, DAYS),
)


@given(EXPRESSIONS)
def test_what_an_expression_names_is_when_it_comes(text: str) -> None:
    crontab, clock = parse(text), SUNDAY
    named = crontab.moments
    for _ in range(5):
        clock = crontab.following(clock)
        assert (clock.month, clock.day) in named.dates
        assert WEEKDAYS[clock.isoweekday() % 7] in named.weekdays
        assert (clock.minute in named.minutes, clock.hour in named.hours) == (True, True)
    assert crontab.always_with(crontab)
    assert crontab.always_with(parse("* * * * *"))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("0 8 * * *", "00 08 * * 0-7", True),
        ("0 8 * * 7", "0 8 * * sun", True),
        ("*/20 8 * * *", "0,20,40 8 1-31 jan-dec *", True),
        ("0 8 31 * *", "0 8 29-31 1,3,5,7,8,10,12 *", True),
        ("0 8 29 * *", "0 8 29-31 1,3,5,7,8,10,12 *", False),
        ("0 8 * * mon", "0 8 * * *", True),
        ("0 8 * * *", "0 8 * * mon", False),
        ("0 8 1 * *", "0 8 * * mon", False),
        ("0 8 * * mon", "0 8 1 * *", False),
        ("0 8 * * mon", "0 8 */1 * *", True),
    ],
)
def test_one_comes_always_with_another_whatever_the_spelling(one: str, other: str, expected: bool) -> None:
    assert parse(one).always_with(parse(other)) is expected


def test_a_moment_counts_as_come_from_its_very_minute_on() -> None:
    crontab = parse("0 8 * * *")
    assert crontab.latest(at(29)) == at(29)
    assert crontab.following(at(29)) == at(30)


def test_what_came_more_than_366_days_ago_is_forgotten() -> None:
    assert parse("0 0 29 2 *").latest(SUNDAY) is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("0 8 * *", "has 4 fields instead of five"),
        ("0 8 1 * 1", "sets the day of the month and the day of the week: set one of them"),
        ("0 8 */2 * mon", "sets the day of the month and the day of the week"),
        ("0 24 * * *", "is no crontab expression"),
        ("60 8 * * *", "is no crontab expression"),
        ("0 8 * * 8", "has '8' as its day of the week"),
        ("0 8 * * fri-mon", "has 'fri-mon', which names no day"),
        ("0 8 * * 1-5/0", "has '1-5/0', which names no day"),
        ("0 8 last * *", "has 'last' as its day of the month"),
        ("5/15 * * * *", "has '5/15' as its minute"),
        ("@daily", "has 1 fields instead of five"),
        ("0 8 31 2 *", "never comes: no such day exists"),
    ],
)
def test_what_crontab_does_not_know_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(CrontabError) as caught:
        parse(text)
    assert complaint in str(caught.value)
