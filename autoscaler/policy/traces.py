"""What each region's tick leaves to the next: its windows, its last known demand, its desired count."""

from autoscaler.policy.damping import Trace, push_high, push_low
from autoscaler.policy.tick import Case, Tick


def enter(tick: Tick, mono: float, *, gap: bool) -> None:
    """Put every region's raw demand into its windows.

    One that could not be told enters as the last known demand while that is fresh, else as the last
    desired count: or the first low reading after an outage would empty the window. So does a `gap`.
    """
    in_s, out_s = tick.policy.windows.in_s, tick.policy.windows.out_s
    oldest, dark = mono - tick.policy.windows.fresh_s, tick.pool.troubled
    for case in tick.cases:
        trace, high, low = case.trace, case.raw, case.raw
        if dark or case.troubled:
            case.certain = False
            high = low = _stand_in(trace, oldest)
        if gap:
            high, low = max(high, trace.desired), min(low, trace.desired)
        case.highs = push_high(trace.highs, mono, high, in_s)
        if out_s:
            case.lows = push_low(trace.lows, mono, low, out_s)


def leave(case: Case, mono: float) -> Trace:
    """What the region's next tick must know."""
    if case.certain:
        return Trace(case.desired, case.highs, case.lows, case.raw, mono)
    return Trace(case.desired, case.highs, case.lows, case.trace.raw, case.trace.raw_at)


def _stand_in(trace: Trace, oldest: float) -> int:
    return trace.raw if trace.raw is not None and trace.raw_at >= oldest else trace.desired
