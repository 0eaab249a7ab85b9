"""Crontab expressions as moments of a wall clock, without any zone.

The arithmetic is APScheduler's; its weekdays are not crontab's (there Monday is 0, and 7 unknown), and
where both day fields are set it means AND and crontab means OR. The numbers are translated here, and
both fields together are refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.triggers.cron import CronTrigger

LOOKBACK = timedelta(days=366)
FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MOST_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

_MINUTE = timedelta(minutes=1)
_END = datetime(2100, 1, 1, tzinfo=UTC)
_ITEM = re.compile(r"\*(/\d+)?|\d+(-\d+(/\d+)?)?", re.ASCII)
_NAMES = "|".join(MONTHS)
_MONTH = re.compile(rf"\*(/\d+)?|(\d+|{_NAMES})(-(\d+|{_NAMES})(/\d+)?)?", re.ASCII)
_DAY = f"[0-7]|{'|'.join(WEEKDAYS)}"
_WEEKDAY = re.compile(
    rf"\*(?:/(?P<every>\d+))?|(?P<first>{_DAY})(?:-(?P<last>{_DAY})(?:/(?P<step>\d+))?)?", re.ASCII
)


class CrontabError(Exception):
    """The text is no crontab expression, or one that never comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """All that an expression names: every minute with every hour, on a date that is one of those weekdays."""

    minutes: frozenset[int]
    hours: frozenset[int]
    dates: frozenset[tuple[int, int]]
    weekdays: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crontab:
    """When a wall clock shows what the expression says. Clock times are datetimes in UTC, of any zone."""

    text: str
    trigger: CronTrigger
    moments: Moments

    def always_with(self, other: "Crontab") -> bool:
        """Whether every one of its moments is one of the other's too, however the two are written."""
        # Every date falls on every weekday in some year, so each part can be compared for itself.
        mine, theirs = self.moments, other.moments
        return (
            mine.minutes <= theirs.minutes
            and mine.hours <= theirs.hours
            and mine.dates <= theirs.dates
            and mine.weekdays <= theirs.weekdays
        )

    def following(self, clock: datetime) -> datetime:
        """The first moment after this one; the end of the century if there is none."""
        return self._at_or_after(clock + timedelta(microseconds=1)) or _END

    def latest(self, clock: datetime) -> datetime | None:
        """The last moment at or before this one, searched back 366 days."""
        minutes = int(LOOKBACK / _MINUTE)
        end = clock.replace(second=0, microsecond=0)
        if not self._comes_within(end, minutes):
            return None
        known, unknown = minutes, -1
        while known - unknown > 1:
            middle = (known + unknown) // 2
            if self._comes_within(end, middle):
                known = middle
            else:
                unknown = middle
        return end - known * _MINUTE

    def forgotten(self, clock: datetime) -> datetime:
        """The moment from which the latest one is too long ago; the end of the century if there is none."""
        latest = self.latest(clock)
        return _END if latest is None else latest + LOOKBACK + _MINUTE

    def _comes_within(self, end: datetime, minutes: int) -> bool:
        moment = self._at_or_after(end - minutes * _MINUTE)
        return moment is not None and moment <= end

    def _at_or_after(self, clock: datetime) -> datetime | None:
        moment: datetime | None = self.trigger.get_next_fire_time(None, clock)
        return moment


def parse(text: str) -> Crontab:
    """Parse five fields. Raises CrontabError with what is wrong."""
    fields = text.lower().split()
    if len(fields) != len(FIELDS):
        raise CrontabError(f"{text!r} has {len(fields)} fields instead of five ({', '.join(FIELDS)})")
    minute, hour, day, month, weekday = fields
    if day != "*" and weekday != "*":
        raise CrontabError(f"{text!r} sets the day of the month and the day of the week: set one of them")
    for name, field, pattern in zip(FIELDS, fields, (_ITEM, _ITEM, _ITEM, _MONTH, _WEEKDAY), strict=True):
        if not all(pattern.fullmatch(item) for item in field.split(",")):
            raise CrontabError(f"{text!r} has {field!r} as its {name}")
    names = frozenset(_translated(text, weekday))
    try:
        trigger = CronTrigger(
            minute=minute,
            hour=hour,
            day=day,
            month=month,
            day_of_week="*" if len(names) == len(WEEKDAYS) else ",".join(sorted(names)),
            timezone=UTC,
            end_date=_END,
        )
    except ValueError as error:
        raise CrontabError(f"{text!r} is no crontab expression ({error})") from error
    moments = Moments(
        minutes=frozenset(_numbers(minute, range(60))),
        hours=frozenset(_numbers(hour, range(24))),
        dates=frozenset(_dates(day, month)),
        weekdays=names,
    )
    if not moments.dates:
        raise CrontabError(f"{text!r} never comes: no such day exists")
    return Crontab(text=text, trigger=trigger, moments=moments)


def _numbers(field: str, span: range) -> Iterator[int]:
    """What a field without names stands for, where a star is the whole span."""
    for item in field.split(","):
        sides, _, step = item.partition("/")
        low, _, high = sides.partition("-")
        whole = sides == "*"
        first, last = (span[0], span[-1]) if whole else (int(low), int(high or low))
        yield from range(first, last + 1, int(step or 1))


def _dates(day: str, month: str) -> Iterator[tuple[int, int]]:
    """Month and day of every date there is in some year."""
    for number, name in enumerate(MONTHS, start=1):
        month = month.replace(name, str(number))
    days = frozenset(_numbers(day, range(1, 32)))
    for number in _numbers(month, range(1, 13)):
        yield from ((number, each) for each in days if each <= MOST_DAYS[number - 1])


def _translated(text: str, field: str) -> Iterator[str]:
    """The names of the weekdays a crontab field means; both libraries agree on names."""
    for item in field.split(","):
        match = _WEEKDAY.fullmatch(item)
        if match is None:
            raise CrontabError(f"{text!r} has {item!r} as a {FIELDS[-1]}")
        first, last = _day(match["first"] or "0"), _day(match["last"] or match["first"] or "6")
        step = int(match["step"] or match["every"] or 1)
        if last == 0 < first:
            last = 7
        if last < first or step < 1:
            raise CrontabError(f"{text!r} has {item!r}, which names no day")
        yield from (WEEKDAYS[day % 7] for day in range(first, last + 1, step))


def _day(name: str) -> int:
    return int(name) if name.isdigit() else WEEKDAYS.index(name)
