"""The raw demand: what the rules ask for, added up and shared out over the regions, before any damping."""

from collections.abc import Mapping
from dataclasses import dataclass

from autoscaler.domain.desired import Bounds
from autoscaler.domain.names import Region
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.policy.allocation import share_out, take_back
from autoscaler.policy.arithmetic import MOST
from autoscaler.policy.demand import NOTHING, Circumstances, Tally

Counts = Mapping[Region, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """One tick's demand per region. `machines` is within the bounds, `base` its part before sharing out;
    `shown` is without bounds, None where no rule could tell. `trails` explain it and grow with every step.
    """

    machines: Counts
    base: Counts
    shown: Mapping[Region, int | None]
    trails: Mapping[Region, list[Reason]]


def raw_demand(now: Circumstances, tally: Tally, offset: int = 0) -> Raw:
    """Share out what was gathered. `offset` is an operator's correction of the whole, in Machines."""
    bounds, weights = now.limits.regions, now.policy.weights
    trails = _trails(now, tally)
    asked = _asked(now, tally, trails)
    base = {region: _within(bounds[region], machines, trails[region]) for region, machines in asked.items()}
    pooled, spare = tally.counted.get(None, 0), _spare(now, tally)
    more = spare + max(offset, 0)
    extra = max(pooled - sum(base.values()), 0) + more
    machines: Counts = base
    if extra:
        machines = share_out(base, {region: bounds[region].max for region in base}, weights, extra)
    if tally.pool_wide or more:
        _explain_sharing(now, (base, machines), (pooled, spare), trails)
    if offset < 0:
        machines = take_back(machines, {region: bounds[region].min for region in base}, weights, -offset)
    shown: Counts = machines
    if asked != base or sum(machines.values()) != sum(base.values()) + extra:
        shown = _unbounded(now, asked, max(pooled - sum(asked.values()), 0) + more, offset)
    return Raw(machines=machines, base=base, shown=_told(shown, tally), trails=trails)


def _trails(now: Circumstances, tally: Tally) -> dict[Region, list[Reason]]:
    heard = tally.trail.get(None, ())
    return {
        region: [*now.limits.reasons.get(region, ()), *heard, *tally.trail.get(region, ())]
        for region in now.policy.regions
    }


def _asked(now: Circumstances, tally: Tally, trails: Mapping[Region, list[Reason]]) -> dict[Region, int]:
    """Each region's own demand; its capacity count stands in for what was never known."""
    asked = {region: tally.counted.get(region, 0) for region in now.policy.regions}
    for region in asked if None in tally.unheard else tally.unheard:
        if region is not None:
            capacity = now.fleet.by_region.get(region, NOTHING).capacity
            trails[region].append(reason(ReasonCode.LAST_KNOWN, capacity=capacity))
            asked[region] = max(asked[region], capacity)
    return asked


def _spare(now: Circumstances, tally: Tally) -> int:
    """None on top of a capacity count, which may contain it already: it would grow without end."""
    spare = now.policy.pool.spare
    if spare and tally.unheard:
        counted = [now.fleet.by_region.get(r, NOTHING).capacity for r in tally.unheard if r is not None]
        return 0 if None in tally.unheard or any(counted) else spare
    return spare


def _within(bounds: Bounds, asked: int, trail: list[Reason]) -> int:
    if asked < bounds.min:
        trail.append(reason(ReasonCode.BOUND_MIN, demand=asked, min=bounds.min))
        return bounds.min
    if asked > bounds.max:
        trail.append(reason(ReasonCode.BOUND_MAX, demand=asked, max=bounds.max))
        return bounds.max
    return asked


def _explain_sharing(
    now: Circumstances,
    counts: tuple[Counts, Counts],
    sizes: tuple[int, int],
    trails: Mapping[Region, list[Reason]],
) -> None:
    (base, machines), (pooled, spare) = counts, sizes
    bases = sum(base.values())
    whole = reason(ReasonCode.POOL_DEMAND, pool=pooled, regions=bases, larger=max(pooled, bases))
    for region, trail in trails.items():
        trail.append(whole)
        if spare:
            trail.append(reason(ReasonCode.SPARE, spare=spare))
        if machines[region] != base[region]:
            weight = now.policy.weights[region]
            got = machines[region]
            trail.append(reason(ReasonCode.SHARED, base=base[region], weight=weight, machines=got))


def _unbounded(now: Circumstances, asked: Counts, extra: int, offset: int) -> Counts:
    """The demand as it would be without any bounds, for people."""
    shared = share_out(asked, dict.fromkeys(asked, 2 * MOST), now.policy.weights, extra)
    if offset < 0:
        return take_back(shared, dict.fromkeys(asked, 0), now.policy.weights, -offset)
    return shared


def _told(shown: Counts, tally: Tally) -> Mapping[Region, int | None]:
    if None in tally.valid:
        return shown
    return {region: machines if region in tally.valid else None for region, machines in shown.items()}
