"""The bounds in force at one moment: those of the configuration, as active schedules move them.

A schedule's bound takes the place of the configured one, and a total that nobody configured follows the
regions. Where several are active the highest minimum and the lowest maximum hold, and where these contradict
each other, the minimum.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from autoscaler.domain.desired import Bounds, sums
from autoscaler.domain.names import Region
from autoscaler.domain.pool import Pool, Schedule
from autoscaler.domain.reason import Reason, ReasonCode, reason

Active = Sequence[tuple[str, Schedule]]
"""Schedules in force, each with its place in the configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds per region and for the sum, free of contradictions; where going in is frozen; and why.

    `least` and `most` are the bounds once more, in the order of the regions' names. `homes` are the regions
    where the pool may run, by name.
    """

    regions: Mapping[Region, Bounds]
    least: tuple[int, ...]
    most: tuple[int, ...]
    homes: tuple[Region, ...]
    total: Bounds
    frozen: frozenset[Region] = frozenset()
    reasons: Mapping[Region, tuple[Reason, ...]] = field(default_factory=dict)
    conflicts: tuple[Reason, ...] = ()


def limits_under(pool: Pool, active: Active) -> Limits:
    """The limits while these schedules are active."""
    regions, conflicts = {}, list[Reason]()
    for region in sorted(pool.regions):
        here = [schedule for _, schedule in active if region in schedule.regions]
        low, high = _asked(pool.regions[region].bounds, here)
        if low > high:
            conflicts.append(reason(ReasonCode.SCHEDULE_CONFLICT, region=region, min=low, max=high, used=low))
        regions[region] = Bounds(min=low, max=max(low, high))
    everywhere = [schedule for _, schedule in active if not schedule.regions]
    total = _asked(pool.total or sums(regions.values()), everywhere)
    return Limits(
        regions=regions,
        least=tuple(bounds.min for bounds in regions.values()),
        most=tuple(bounds.max for bounds in regions.values()),
        homes=tuple(region for region, bounds in regions.items() if bounds.max > 0),
        total=_possible_total(total, regions, conflicts),
        frozen=frozenset(
            region
            for region in regions
            for _, schedule in active
            if schedule.freeze_in and (not schedule.regions or region in schedule.regions)
        ),
        reasons={region: _reasons(active, region) for region in regions},
        conflicts=tuple(conflicts),
    )


def _asked(configured: Bounds, schedules: Sequence[Schedule]) -> tuple[int, int]:
    low = max((one.min for one in schedules if one.min is not None), default=configured.min)
    high = min((one.max for one in schedules if one.max is not None), default=configured.max)
    return low, high


def _possible_total(
    asked: tuple[int, int], regions: Mapping[Region, Bounds], conflicts: list[Reason]
) -> Bounds:
    """The total as far as the regions' own bounds allow it."""
    possible = sums(regions.values())
    low, high = max(asked[0], possible.min), min(asked[1], possible.max)
    if low > high:
        used = min(low, possible.max)
        conflicts.append(reason(ReasonCode.SCHEDULE_CONFLICT, min=low, max=high, used=used))
        low = used
    return Bounds(min=low, max=max(low, high))


def _reasons(active: Active, region: Region) -> tuple[Reason, ...]:
    return tuple(
        reason(
            ReasonCode.SCHEDULE,
            schedule=path,
            of="region" if schedule.regions else "total",
            min=schedule.min,
            max=schedule.max,
        )
        for path, schedule in active
        if not schedule.regions or region in schedule.regions
    )
