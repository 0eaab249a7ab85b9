"""Calendar windows that move the bounds, by level and not by edge.

Whether a schedule is active depends on nothing but what the clock on its wall shows, so a process that
starts late, skips ticks or lives through a change of summer time decides as any other would. Where the clock
is put back it counts as standing until it has caught up: what has begun or ended is never undone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import floor
from zoneinfo import ZoneInfo

from autoscaler.domain.pool import Pool, Schedule
from autoscaler.policy.crontab import Crontab, parse
from autoscaler.policy.limits import Limits, limits_under

HORIZON_S = 86_400.0
"""Nothing is foretold further than this, so that one change of summer time at most lies ahead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """One schedule, compiled. `path` is its place in the configuration."""

    path: str
    schedule: Schedule
    start: Crontab
    end: Crontab
    zone: ZoneInfo

    def active(self, wall: float) -> bool:
        """Whether its last start at or before unix time `wall` is later than its last end."""
        clock = self._clock(wall)
        started, ended = self.start.latest(clock), self.end.latest(clock)
        return started is not None and (ended is None or started > ended)

    def changes_after(self, wall: float) -> float:
        """Unix time until which `active` stays as it is, at most a day ahead."""
        clock, shown, horizon = self._clock(wall), self._shown(wall), wall + HORIZON_S
        if self._offset(horizon) != self._offset(wall):
            horizon = self._shift(wall, horizon)
        following = min(self.start.following(clock), self.end.following(clock), self.start.forgotten(clock))
        return min(horizon, wall + (following - shown).total_seconds())

    def _clock(self, wall: float) -> datetime:
        """What the clock shows; put back, the last it showed until it has caught up."""
        shown = datetime.fromtimestamp(wall, self.zone)
        if not shown.fold:
            return self._shown(wall)
        first = shown.replace(fold=0).timestamp()
        return self._clock(self._shift(first, wall) - 1.0)

    def _shown(self, wall: float) -> datetime:
        return datetime.fromtimestamp(wall, self.zone).replace(tzinfo=UTC)

    def _offset(self, wall: float) -> timedelta | None:
        return datetime.fromtimestamp(wall, self.zone).utcoffset()

    def _shift(self, low: float, high: float) -> float:
        """The moment at which the clock on the wall is set."""
        offset = self._offset(low)
        while high - low > 0.5:
            middle = (low + high) / 2
            if self._offset(middle) == offset:
                low = middle
            else:
                high = middle
        return float(floor(high))


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """The limits in force at unix times from `since` to before `until`."""

    since: float
    until: float
    limits: Limits


def compile_schedule(schedule: Schedule, path: str) -> Calendar:
    """Parse the expressions and find the zone. Raises CrontabError or ZoneInfoNotFoundError."""
    return Calendar(
        path=path,
        schedule=schedule,
        start=parse(schedule.start),
        end=parse(schedule.end),
        zone=ZoneInfo(schedule.timezone),
    )


def timetable(
    pool: Pool, calendars: Sequence[Calendar], wall: float, known: Timetable | None = None
) -> Timetable:
    """What the schedules say at unix time `wall`; `known` is returned as it is while it lasts."""
    if known is not None and known.since <= wall < known.until:
        return known
    active = [calendar for calendar in calendars if calendar.active(wall)]
    until = min((calendar.changes_after(wall) for calendar in calendars), default=float("inf"))
    return Timetable(
        since=wall, until=until, limits=limits_under(pool, [(one.path, one.schedule) for one in active])
    )
