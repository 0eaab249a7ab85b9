"""What cannot be meant in a schedule: each finding is a Fault with its path and what would be right."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from autoscaler.domain.errors import Fault
from autoscaler.domain.pool import Pool, Schedule, Utilization
from autoscaler.policy.crontab import CrontabError, parse
from autoscaler.policy.limits import limits_under


def misscheduled(pool: Pool) -> Iterator[Fault]:
    """Everything that is wrong with a pool's schedules, each looked at for itself."""
    sound = not limits_under(pool, ()).conflicts
    for index, schedule in enumerate(pool.schedules):
        path = f"schedules[{index}]"
        yield from _moments(path, schedule)
        yield from _effect(path, schedule, pool)
        if sound and all(region in pool.regions for region in schedule.regions):
            yield from _conflicts(path, schedule, pool)


def _moments(path: str, schedule: Schedule) -> Iterator[Fault]:
    for key, text in (("start", schedule.start), ("end", schedule.end)):
        try:
            parse(text)
        except CrontabError as error:
            remedy = 'write minute, hour, day, month, weekday, such as "0 8 * * mon-fri"'
            yield Fault(path=f"{path}.{key}", problem=str(error), remedy=remedy)
    if schedule.start.split() == schedule.end.split():
        yield Fault(path=path, problem="it ends when it starts, so it is never active", remedy="move its end")
    try:
        ZoneInfo(schedule.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Fault(
            path=f"{path}.timezone",
            problem=f"there is no time zone {schedule.timezone!r}",
            remedy='write an IANA name, such as "Europe/Berlin"',
        )


def _effect(path: str, schedule: Schedule, pool: Pool) -> Iterator[Fault]:
    if schedule.min is None and schedule.max is None and not schedule.freeze_in:
        yield Fault(
            path=path, problem="it changes nothing", remedy="give it min, max or freeze_in, or remove it"
        )
    for region in schedule.regions:
        if region not in pool.regions:
            yield Fault(
                path=f"{path}.regions",
                problem=f"the pool has no region {region}",
                remedy=f"name some of {', '.join(sorted(pool.regions))}",
            )
    for key, bound in (("min", schedule.min), ("max", schedule.max)):
        if bound is not None and bound < 0:
            yield Fault(path=f"{path}.{key}", problem=f"{bound} is negative", remedy="write 0 or more")
    only_utilization = bool(pool.rules) and all(isinstance(rule, Utilization) for rule in pool.rules)
    if only_utilization and schedule.regions and schedule.min == 0 and schedule.max != 0:
        yield Fault(
            path=f"{path}.min",
            problem="utilization cannot be told with 0 Machines, so its regions would never leave 0",
            remedy="write 1 or more, or add a rule that works from 0",
        )


def _conflicts(path: str, schedule: Schedule, pool: Pool) -> Iterator[Fault]:
    for conflict in limits_under(pool, [(path, schedule)]).conflicts:
        numbers = dict(conflict.numbers)
        place = f"of {numbers['region']}" if "region" in numbers else "of all regions together"
        yield Fault(
            path=path,
            problem=f"it puts the minimum {place} ({numbers['min']}) above the maximum ({numbers['max']})",
            remedy="lower the one or raise the other, in this schedule or in the pool",
        )
