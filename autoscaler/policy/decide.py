"""From readings to desired counts, in the one order there is.

Schedules set the bounds. Every rule is asked, and what they ask for is shared out: the raw demand. Only raw
enters the windows. Then, region by region: bounds at once, what may not go in is held, windows, steps. At
last the total. Each step that changes a number leaves a Reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from autoscaler.domain.desired import Decision, Desired, Gate
from autoscaler.domain.fleet import Change, Fleet
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import MetricName, Region
from autoscaler.domain.reading import Answer
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.policy.allocation import give_up, share_out
from autoscaler.policy.damping import Entries, least_after_step, most_after_step
from autoscaler.policy.demand import NOTHING
from autoscaler.policy.limits import Limits
from autoscaler.policy.memory import Memory, after, entered_all, held_anew, jump
from autoscaler.policy.observing import Look, look
from autoscaler.policy.rules import Policy
from autoscaler.policy.warnings import warnings_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tick:
    """What every region's decision has in common."""

    policy: Policy
    fleet: Fleet
    gate: Gate
    memory: Memory
    now: Instant
    limits: Limits
    seen: Look


def decide(  # noqa: PLR0917 - the six values a decision is made of, in the order in which they arise
    policy: Policy,
    answers: Mapping[MetricName, Answer],
    fleet: Fleet,
    gate: Gate,
    memory: Memory,
    now: Instant,
) -> tuple[Decision, Memory]:
    """How many Machines each region should have, and what the next tick must remember.

    Pure: the same values give the same decision. No reading, however broken, makes it raise.
    """
    jumped = jump(memory, now)
    if jumped:
        memory = held_anew(policy, memory, now)
    limits = policy.limits
    asleep = _asleep(policy, limits, fleet, memory)
    seen = look(policy, answers, fleet, limits, memory.recall, asleep=asleep)
    tick = _Tick(policy=policy, fleet=fleet, gate=gate, memory=memory, now=now, limits=limits, seen=seen)
    gap = now.mono - memory.at.mono > policy.windows.fresh_s
    windows = entered_all(policy, memory.traces, seen, now.mono, gap=gap)
    damped = {region: _settled(tick, region, windows[region]) for region in policy.regions}
    desired = _within_total(tick, damped)
    warnings = tuple(warnings_of(policy, seen, answers, limits, asleep))
    if jumped:
        warnings = (*warnings, reason(ReasonCode.CLOCK_JUMP, seconds=round(jumped)))
    decision = Decision(
        regions={region: _reported(tick, region, desired[region]) for region in policy.regions},
        total=limits.total,
        metrics=seen.readings.rows(policy.unsigned),
        warnings=warnings,
        regional=seen.tally.regional,
    )
    traces = after(memory.traces, seen, windows, desired, now.mono)
    return decision, Memory(at=now, traces=traces, hold_until=memory.hold_until, recall=seen.recall)


def _asleep(policy: Policy, limits: Limits, fleet: Fleet, memory: Memory) -> frozenset[Region]:
    """Regions that are at 0, should be and may stay there: that they report nothing is normal."""
    return frozenset(
        region
        for region in policy.regions
        if memory.traces[region].desired == 0
        and limits.regions[region].min == 0
        and fleet.by_region.get(region, NOTHING).capacity == 0
    )


def _settled(tick: _Tick, region: Region, windows: tuple[Entries, Entries]) -> int:
    """One region's count after bounds, holds, window and step, starting from what was last desired."""
    trail = tick.seen.raw.trails[region]
    bounds, last = tick.limits.regions[region], tick.memory.traces[region].desired
    present = bounds.clamp(last)
    if present != last:
        code, bound = (ReasonCode.BOUND_MIN, "min") if present > last else (ReasonCode.BOUND_MAX, "max")
        trail.append(reason(code, last=last, **{bound: present}))
    raw = tick.seen.raw.machines[region]
    if raw < present:
        holds = _holds(tick, region)
        if holds:
            trail += holds
            trail.append(reason(ReasonCode.HOLD, demand=raw, last=present, kept=present))
            return present
        return _inwards(tick, region, present, windows[0])
    if raw > present:
        return _outwards(tick, region, present, windows[1])
    return present


def _holds(tick: _Tick, region: Region) -> list[Reason]:
    """Why this region may not go in. Its own unknown demand is explained already, and here only named."""
    holds = [*tick.gate.no_in, *tick.gate.hold_in.get(region, ())]
    partial = tick.seen.tally.partial
    if tick.seen.troubled(region):
        unknown = tick.seen.tally.unknown
        trouble = unknown.get(region) or unknown[None]
        holds.append(reason(ReasonCode.UNKNOWN, metric=trouble.metric, why=trouble.why.value))
    if partial and (region in partial or None in partial):
        holds.append(reason(ReasonCode.PARTIAL, metric=partial.get(region) or partial[None]))
    left_s = tick.memory.hold_until - tick.now.mono
    if left_s > 0:
        holds.append(reason(ReasonCode.RESTART_HOLD, seconds=round(left_s)))
    if region in tick.limits.frozen:
        holds.append(reason(ReasonCode.FREEZE_IN))
    return holds


def _inwards(tick: _Tick, region: Region, present: int, highs: Entries) -> int:
    trail, raw = tick.seen.raw.trails[region], tick.seen.raw.machines[region]
    target = min(present, max(raw, highs[0][1]))
    if target > raw:
        window_s = tick.policy.pool.scale_in.window_s
        trail.append(
            reason(ReasonCode.WINDOW_IN, demand=raw, highest=highs[0][1], window_s=window_s, kept=target)
        )
    step = tick.policy.pool.scale_in.step
    if step is None or target == present:
        return target
    count = tick.fleet.by_region.get(region, NOTHING)
    least = min(present, least_after_step(step, count, _changes(tick, region), tick.now.mono))
    if least <= target:
        return target
    trail.append(reason(ReasonCode.STEP_IN, demand=target, last=present, least=least))
    return least


def _outwards(tick: _Tick, region: Region, present: int, lows: Entries) -> int:
    trail, raw = tick.seen.raw.trails[region], tick.seen.raw.machines[region]
    target = max(present, min(raw, lows[0][1])) if lows else raw
    if target < raw:
        window_s = tick.policy.pool.scale_out.window_s
        trail.append(
            reason(ReasonCode.WINDOW_OUT, demand=raw, lowest=lows[0][1], window_s=window_s, kept=target)
        )
    step = tick.policy.pool.scale_out.step
    if step is None or target == present:
        return target
    count = tick.fleet.by_region.get(region, NOTHING)
    most = max(present, most_after_step(step, count, _changes(tick, region), tick.now.mono))
    if most >= target:
        return target
    trail.append(reason(ReasonCode.STEP_OUT, demand=target, last=present, most=most))
    return most


def _changes(tick: _Tick, region: Region) -> tuple[Change, ...]:
    return tuple(change for change in tick.fleet.changes if change.region == region)


def _within_total(tick: _Tick, damped: Mapping[Region, int]) -> Mapping[Region, int]:
    """The total holds for the sum at once: missing Machines are shared out, surplus ones are given up."""
    total, bounds, have = tick.limits.total, tick.limits.regions, sum(damped.values())
    if total.min <= have <= total.max:
        return damped
    if have < total.min:
        most = {region: bounds[region].max for region in damped}
        result = share_out(damped, most, tick.policy.weights, total.min - have)
        code, bound = ReasonCode.TOTAL_MIN, total.min
    else:
        least = {region: bounds[region].min for region in damped}
        late = frozenset(region for region in damped if tick.seen.troubled(region))
        result = give_up(damped, tick.seen.raw.base, least, late, have - total.max)
        code, bound = ReasonCode.TOTAL_MAX, total.max
    for region, before in damped.items():
        if result[region] != before:
            trail = tick.seen.raw.trails[region]
            trail.append(reason(code, sum=have, total=bound, before=before, machines=result[region]))
    return result


def _reported(tick: _Tick, region: Region, desired: int) -> Desired:
    return Desired(
        region=region,
        bounds=tick.limits.regions[region],
        demand=tick.seen.raw.shown[region],
        desired=desired,
        reasons=tuple(tick.seen.raw.trails[region]),
    )
