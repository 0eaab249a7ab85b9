"""What the policy carries from tick to tick, as one value, and how a new process comes by it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from autoscaler.domain.fleet import Fleet, RegionCount
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import MetricName, Region
from autoscaler.domain.reading import Answer, History
from autoscaler.policy.damping import Entries, Trace, entered
from autoscaler.policy.observing import Look, Recall, look
from autoscaler.policy.rules import Policy

CLOCK_TOLERANCE_S = 30.0
"""A wall clock that moved further than this from the monotonic one has jumped."""

Traces = Mapping[Region, Trace]


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """`at` is the last tick. Until monotonic `hold_until` nothing goes in: the windows know too little."""

    at: Instant
    traces: Traces
    hold_until: float
    recall: Recall = field(default_factory=Recall)


def initial(policy: Policy, fleet: Fleet, now: Instant, *, hold: bool = True) -> Memory:
    """Before a process's first tick: what runs is what was last desired, moved inside the bounds.

    Machines marked to leave count as gone, so that their drains go on. Unless `hold` is False nothing
    goes in for one window, except towards bounds.
    """
    traces = {}
    for region in policy.regions:
        count = fleet.by_region.get(region, RegionCount())
        bounds = policy.limits.regions[region]
        traces[region] = Trace(desired=bounds.clamp(count.capacity - count.draining))
    held = policy.pool.scale_in.window_s if hold else 0.0
    return Memory(at=now, traces=traces, hold_until=now.mono + held)


def refillable(policy: Policy) -> bool:
    """Whether the past of the metrics tells the past of the demand: no rule asks about the fleet itself."""
    return not any(question.fleet_bound for question in policy.questions)


def refill(policy: Policy, memory: Memory, histories: Mapping[MetricName, History], now: Instant) -> Memory:
    """Replay the metrics' past into the windows; if it covers a whole window nothing needs to be held.

    `memory` is an `initial` one. Samples in the future or before the window are left out.
    """
    if not refillable(policy):
        return memory
    patience_s = policy.windows.fresh_s
    previous = now.wall - policy.pool.scale_in.window_s - patience_s
    covered, traces, recall = True, memory.traces, memory.recall
    for at, answers in _moments(histories, previous, now.wall):
        covered = covered and at - previous <= patience_s
        previous = at
        seen = look(policy, answers, Fleet(by_region={}), policy.limits, recall)
        recall = seen.recall
        mono = now.mono - (now.wall - at)
        windows = entered_all(policy, traces, seen, mono)
        traces = after(
            traces, seen, windows, {region: trace.desired for region, trace in traces.items()}, mono
        )
    covered = covered and now.wall - previous <= patience_s
    hold_until = now.mono if covered else memory.hold_until
    return Memory(at=now, traces=traces, hold_until=hold_until, recall=recall)


def entered_all(
    policy: Policy, traces: Traces, seen: Look, mono: float, *, gap: bool = False
) -> Mapping[Region, tuple[Entries, Entries]]:
    """Every region's windows after a look."""
    raw = seen.raw.machines
    return {
        region: entered(trace, raw[region], mono, policy.windows, told=not seen.troubled(region), gap=gap)
        for region, trace in traces.items()
    }


def after(
    traces: Traces,
    seen: Look,
    windows: Mapping[Region, tuple[Entries, Entries]],
    desired: Mapping[Region, int],
    mono: float,
) -> Traces:
    """What every region leaves behind after a look and what was decided upon it."""
    left = {}
    for region, trace in traces.items():
        certain = not seen.troubled(region)
        highs, lows = windows[region]
        left[region] = Trace(
            desired=desired[region],
            highs=highs,
            lows=lows,
            raw=seen.raw.machines[region] if certain else trace.raw,
            raw_at=mono if certain else trace.raw_at,
        )
    return left


def jump(memory: Memory, now: Instant) -> float:
    """By how many seconds the wall clock jumped since the last tick; 0 for the little that clocks differ."""
    drift = (now.wall - memory.at.wall) - (now.mono - memory.at.mono)
    return drift if abs(drift) > CLOCK_TOLERANCE_S else 0.0


def held_anew(policy: Policy, memory: Memory, now: Instant) -> Memory:
    """A jump of the clock counts as a restart: nothing goes in for one window from now."""
    return replace(memory, hold_until=max(memory.hold_until, now.mono + policy.pool.scale_in.window_s))


def _moments(
    histories: Mapping[MetricName, History], start: float, end: float
) -> list[tuple[float, Mapping[MetricName, Answer]]]:
    """The answers of all metrics at each moment of their common past, oldest first."""
    moments: dict[float, dict[MetricName, Answer]] = {}
    for name, history in histories.items():
        for sample in history.samples:
            if start <= sample.at <= end:
                moments.setdefault(sample.at, {})[name] = sample.answer
    return sorted(moments.items())
