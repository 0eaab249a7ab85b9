"""From readings to desired counts, in the one order there is.

Schedules set the bounds. Every rule is asked, and what they ask for is shared out: the raw demand. Only raw
enters the windows. Then, region by region: bounds at once, what may not go in is held, windows, steps. At
last the total. Each step that changes a number leaves a Reason.
"""

from collections.abc import Mapping, Sequence

from autoscaler.domain.deferred import Deferred
from autoscaler.domain.desired import Decision, Desired, Gate
from autoscaler.domain.fleet import Fleet
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import MetricName
from autoscaler.domain.reading import Answer
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.policy.allocation import give_up, share_out
from autoscaler.policy.demand import gather
from autoscaler.policy.limits import Limits
from autoscaler.policy.memory import Memory, jump, resumed
from autoscaler.policy.overrides import commands
from autoscaler.policy.raw import share, told
from autoscaler.policy.rules import Policy
from autoscaler.policy.schedule import timetable
from autoscaler.policy.settling import Orders, settle
from autoscaler.policy.tick import Case, Tick, begin
from autoscaler.policy.traces import enter, leave
from autoscaler.policy.trail import worded
from autoscaler.policy.warnings import warnings_of


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
    jumped_s, gap = jump(memory, now), now.mono - memory.at.mono > policy.windows.fresh_s
    memory = resumed(policy, memory, now) if jumped_s else memory
    ordered = commands(gate.overrides, now.wall)

    times = timetable(policy.pool, policy.calendars, now.wall, memory.times)
    tick = begin(policy, answers, fleet, times.limits, (memory.traces, memory.recall))
    heard = gather(tick)
    share(tick, ordered.offset)
    enter(tick, now.mono, gap=gap)
    pinned = _pinned(policy, times.limits, ordered.pin)
    settle(tick, Orders(gate, ordered, memory.hold_until - now.mono, now.mono, pinned))
    _keep_total(tick)

    return _report(tick, gate, tuple(warnings_of(tick, answers, jumped_s))), Memory(
        at=now,
        traces={case.region: leave(case, now.mono) for case in tick.cases},
        hold_until=memory.hold_until,
        times=times,
        recall=tick.remembered(heard),
    )


def _pinned(policy: Policy, limits: Limits, pin: int | None) -> Sequence[int] | None:
    """Every region's share of a commanded sum."""
    if pin is None:
        return None
    return share_out(limits.least, limits.most, policy.weights, pin - sum(limits.least))


def _keep_total(tick: Tick) -> None:
    """The total holds for the sum at once: missing Machines are shared out, surplus ones are given up."""
    total, have = tick.limits.total, sum([case.desired for case in tick.cases])
    if total.min <= have <= total.max:
        return
    desired = [case.desired for case in tick.cases]
    if have < total.min:
        kept = share_out(desired, tick.limits.most, tick.policy.weights, total.min - have)
    else:
        late = [not case.certain for case in tick.cases]
        base = [case.base for case in tick.cases]
        kept = give_up(desired, base, tick.limits.least, late, have - total.max)
    for case, machines in zip(tick.cases, kept, strict=True):
        if machines < case.desired:
            case.trail.append(reason(ReasonCode.TOTAL_MAX, sum=have, max=total.max, machines=machines))
        elif machines > case.desired:
            case.trail.append(reason(ReasonCode.TOTAL_MIN, sum=have, min=total.min, machines=machines))
        case.desired = machines


def _report(tick: Tick, gate: Gate, warnings: tuple[Reason, ...]) -> Decision:
    regions = {}
    for case in tick.cases:
        demand = case.shown if told(tick, case) else None
        reasons = Deferred(_reasons, tick, case, gate)
        regions[case.region] = Desired(case.region, case.bounds, demand, case.desired, reasons)
    return Decision(
        regions=regions,
        total=tick.limits.total,
        metrics=Deferred(tick.readings.rows),
        warnings=warnings,
        regional=tick.regional,
    )


def _reasons(tick: Tick, case: Case, gate: Gate) -> tuple[Reason, ...]:
    scheduled, paused = tick.limits.reasons[case.region], () if gate.paused is None else (gate.paused,)
    return (*scheduled, *worded(tick.pool.trail), *worded(case.trail), *paused)
