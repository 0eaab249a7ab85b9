"""What the policy carries from tick to tick, as one value, and how a new process comes by it."""

from collections.abc import Mapping
from typing import NamedTuple

from autoscaler.domain.fleet import Fleet, RegionCount
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import MetricName, Region
from autoscaler.domain.reading import Answer, History
from autoscaler.policy.damping import Trace
from autoscaler.policy.demand import gather
from autoscaler.policy.raw import share
from autoscaler.policy.rules import Policy
from autoscaler.policy.schedule import Timetable, timetable
from autoscaler.policy.tick import Recall, begin
from autoscaler.policy.traces import enter, leave

CLOCK_TOLERANCE_S = 30.0
"""A wall clock that moved further than this from the monotonic one has jumped."""


class Memory(NamedTuple):
    """`at` is the last tick. Until monotonic `hold_until` nothing goes in: the windows know too little."""

    at: Instant
    traces: Mapping[Region, Trace]
    hold_until: float
    times: Timetable
    recall: Recall = Recall()


def initial(policy: Policy, fleet: Fleet, now: Instant, *, hold: bool = True) -> Memory:
    """Before a process's first tick: what runs is what was last desired, moved inside the bounds.

    Machines marked to leave count as gone, so that their drains go on. Unless `hold` is False nothing
    goes in for one window, except towards bounds.
    """
    times = timetable(policy.pool, policy.calendars, now.wall)
    traces = {}
    for region in policy.regions:
        count = fleet.by_region.get(region, RegionCount())
        bounds = times.limits.regions[region]
        traces[region] = Trace(desired=bounds.clamp(count.capacity - count.draining))
    held = policy.pool.scale_in.window_s if hold else 0.0
    return Memory(at=now, traces=traces, hold_until=now.mono + held, times=times)


def refillable(policy: Policy) -> bool:
    """Whether the past of the metrics tells the past of the demand: no rule asks about the fleet itself."""
    return not policy.fleet_bound


def refill(policy: Policy, memory: Memory, histories: Mapping[MetricName, History], now: Instant) -> Memory:
    """Replay the metrics' past into the windows; if it covers the whole way in nothing needs to be held.

    `memory` is an `initial` one. Samples before both windows are left out, and so are those of the last
    interval: the tick at hand reads the present itself, and one scrape must not confirm its own first zero.
    """
    if not refillable(policy):
        return memory
    windows, patience_s = policy.windows, policy.windows.fresh_s
    start = now.wall - max(windows.in_s, windows.out_s) - patience_s
    previous = now.wall - windows.in_s - patience_s
    covered, traces, recall, times = True, memory.traces, memory.recall, memory.times
    for at, answers in _moments(histories, start, now.wall - policy.pool.interval_s):
        covered = covered and at - previous <= patience_s
        previous = max(previous, at)
        times = timetable(policy.pool, policy.calendars, at, times)
        tick = begin(policy, answers, Fleet(by_region={}), times.limits, (traces, recall))
        heard = gather(tick)
        share(tick)
        mono = now.mono - (now.wall - at)
        enter(tick, mono, gap=False)
        traces = {case.region: leave(case, mono) for case in tick.cases}
        recall = tick.remembered(heard)
    covered = covered and now.wall - previous <= patience_s
    hold_until = now.mono if covered else memory.hold_until
    # Trouble of the past is over or will show again: it does not bring on_absent any nearer.
    recall = recall._replace(failing={})
    return memory._replace(traces=traces, hold_until=hold_until, recall=recall)


def jump(memory: Memory, now: Instant) -> float:
    """By how many seconds the wall clock jumped since the last tick; 0 for the little that clocks differ."""
    drift = (now.wall - memory.at.wall) - (now.mono - memory.at.mono)
    return drift if abs(drift) > CLOCK_TOLERANCE_S else 0.0


def resumed(policy: Policy, memory: Memory, now: Instant) -> Memory:
    """A jump of the clock counts as a restart: nothing goes in for one window from now."""
    return memory._replace(hold_until=max(memory.hold_until, now.mono + policy.pool.scale_in.window_s))


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
