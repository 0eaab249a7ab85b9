"""What cannot be meant in a schedule: each finding is a Fault with its path and what would be right."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from autoscaler.domain.desired import Bounds
from autoscaler.domain.errors import Fault
from autoscaler.domain.pool import Pool, Schedule, Utilization
from autoscaler.policy.crontab import Crontab, CrontabError, parse
from autoscaler.policy.limits import limits_under


def misscheduled(pool: Pool) -> Iterator[Fault]:
    """Everything that is wrong with a pool's schedules, each looked at for itself."""
    sound = not limits_under(pool, ()).conflicts
    for index, schedule in enumerate(pool.schedules):
        path = f"schedules[{index}]"
        yield from _moments(path, schedule)
        yield from _zone(path, schedule)
        wrong = [*_bounds(path, schedule), *_places(path, schedule, pool)]
        yield from wrong
        if sound and not wrong:
            yield from _conflicts(path, schedule, pool)
            yield from _repetition(path, schedule, pool)
            yield from _asleep(path, schedule, pool)


def _moments(path: str, schedule: Schedule) -> Iterator[Fault]:
    parsed: list[Crontab] = []
    for key, text in (("start", schedule.start), ("end", schedule.end)):
        try:
            parsed.append(parse(text))
        except CrontabError as error:
            remedy = 'write minute, hour, day, month, weekday, such as "0 8 * * mon-fri"'
            yield Fault(path=f"{path}.{key}", problem=str(error), remedy=remedy)
    if len(parsed) == 2 and parsed[0].always_with(parsed[1]):
        yield Fault(
            path=path, problem="it ends whenever it starts, so it is never active", remedy="move its end"
        )


def _zone(path: str, schedule: Schedule) -> Iterator[Fault]:
    try:
        ZoneInfo(schedule.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Fault(
            path=f"{path}.timezone",
            problem=f"there is no time zone {schedule.timezone!r}",
            remedy='write an IANA name, such as "Europe/Berlin"',
        )


def _bounds(path: str, schedule: Schedule) -> Iterator[Fault]:
    if schedule.min is None and schedule.max is None and not schedule.freeze_in:
        yield Fault(
            path=path, problem="it changes nothing", remedy="give it min, max or freeze_in, or remove it"
        )
    if schedule.min is not None and schedule.max is not None and schedule.min > schedule.max:
        problem = f"min {schedule.min} is above max {schedule.max}"
        yield Fault(path=path, problem=problem, remedy="lower min or raise max")
    for key, bound in (("min", schedule.min), ("max", schedule.max)):
        if bound is not None and bound < 0:
            yield Fault(path=f"{path}.{key}", problem=f"{bound} is negative", remedy="write 0 or more")


def _places(path: str, schedule: Schedule, pool: Pool) -> Iterator[Fault]:
    for region in schedule.regions:
        if region not in pool.regions:
            yield Fault(
                path=f"{path}.regions",
                problem=f"the pool has no region {region}",
                remedy=f"name some of {', '.join(sorted(pool.regions))}",
            )


def _repetition(path: str, schedule: Schedule, pool: Pool) -> Iterator[Fault]:
    if not schedule.freeze_in and not _matters(schedule, pool):
        yield Fault(
            path=path,
            problem="it changes nothing, because the pool's own bounds are as tight",
            remedy="give it other bounds or freeze_in, or remove it",
        )


def _matters(schedule: Schedule, pool: Pool) -> bool:
    """Whether it could ever make a difference, alone or while others are active too."""
    others = [other for other in pool.schedules if other is not schedule]
    return any(
        _changes(there, active, schedule)
        for there in (pool, _loosest(pool, others))
        for active in ([], *([other] for other in others))
    )


def _loosest(pool: Pool, schedules: Sequence[Schedule]) -> Pool:
    """The pool with the widest bounds that these schedules can bring its regions to, all of them together.

    The total is clipped by what the regions sum up to, so it may take several to let one of the total matter.
    """
    regions = {}
    for region, spec in pool.regions.items():
        here = [schedule for schedule in schedules if region in schedule.regions]
        low = min([spec.bounds.min, *(one.min for one in here if one.min is not None)])
        high = max([spec.bounds.max, *(one.max for one in here if one.max is not None)])
        regions[region] = replace(spec, bounds=Bounds(min=low, max=high))
    return replace(pool, regions=regions)


def _changes(pool: Pool, active: Sequence[Schedule], schedule: Schedule) -> bool:
    without = limits_under(pool, [("", one) for one in active])
    along = limits_under(pool, [("", one) for one in (*active, schedule)])
    return (without.regions, without.total) != (along.regions, along.total)


def _asleep(path: str, schedule: Schedule, pool: Pool) -> Iterator[Fault]:
    """A schedule may not lead where a utilization alone could never leave again."""
    if not pool.rules or not all(isinstance(rule, Utilization) for rule in pool.rules):
        return
    usual, moved = (limits_under(pool, active).regions for active in ((), [(path, schedule)]))
    if any(_may_sleep(moved[region]) and not _may_sleep(usual[region]) for region in moved):
        yield Fault(
            path=f"{path}.min",
            problem="utilization cannot be told with 0 Machines, so its regions would never leave 0",
            remedy="write 1 or more, or add a rule that works from 0",
        )


def _may_sleep(bounds: Bounds) -> bool:
    return bounds.min == 0 < bounds.max


def _conflicts(path: str, schedule: Schedule, pool: Pool) -> Iterator[Fault]:
    for conflict in limits_under(pool, [(path, schedule)]).conflicts:
        numbers = dict(conflict.numbers)
        place = f"of {numbers['region']}" if "region" in numbers else "of all regions together"
        yield Fault(
            path=path,
            problem=f"it puts the minimum {place} ({numbers['min']}) above the maximum ({numbers['max']})",
            remedy="lower the one or raise the other, in this schedule or in the pool",
        )
