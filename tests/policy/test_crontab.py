"""Crontab expressions: crontab's meaning, whatever the library's."""

from datetime import UTC, datetime

import pytest

from autoscaler.policy.crontab import CrontabError, parse

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
