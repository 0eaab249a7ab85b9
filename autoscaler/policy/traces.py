"""What each region's tick leaves to the next: its windows, its last known demand, its desired count."""

from autoscaler.policy.damping import Trace, push_high, push_low
from autoscaler.policy.tick import Case, Tick


def enter(tick: Tick, mono: float, *, gap: bool) -> None:
    """Put every region's raw demand into its windows.

    One that could not be told enters as the last known demand while that is fresh, else as the last
    desired count: or the first low reading after an outage would empty the window. So does a `gap`.
    """
    windows = tick.policy.windows
    for case in tick.cases:
        trace = case.trace
        high = low = _certain(tick, case, mono)
        if gap:
            high, low = max(high, trace.desired), min(low, trace.desired)
        case.highs = push_high(trace.highs, mono, high, windows.in_s)
        if windows.out_s:
            case.lows = push_low(trace.lows, mono, low, windows.out_s)


def leave(tick: Tick, case: Case, mono: float) -> Trace:
    """What the region's next tick must know."""
    if tick.troubled(case):
        return Trace(case.desired, case.highs, case.lows, case.trace.raw, case.trace.raw_at)
    return Trace(case.desired, case.highs, case.lows, case.raw, mono)


def _certain(tick: Tick, case: Case, mono: float) -> int:
    if not tick.troubled(case):
        return case.raw
    trace = case.trace
    fresh = mono - trace.raw_at <= tick.policy.windows.fresh_s
    return trace.raw if trace.raw is not None and fresh else trace.desired
