"""The raw demand: what the rules ask for, added up and shared out over the regions, before any damping."""

from autoscaler.domain.reason import ReasonCode
from autoscaler.policy.allocation import share_out, take_back
from autoscaler.policy.arithmetic import MOST
from autoscaler.policy.tick import Case, Tick
from autoscaler.policy.trail import Note, wording


def share(tick: Tick, offset: int = 0) -> None:
    """Bring every region's demand within bounds and add its share of the rest of the pool's demand.

    `offset` is an operator's correction of the whole, in Machines.
    """
    bases, bounded, spare = 0, False, 0 if tick.pool.unheard else tick.policy.pool.spare
    for case in tick.cases:
        if case.unheard or tick.pool.unheard:
            _count_capacity(case)
            if case.unheard and case.count.capacity:
                # A capacity count may contain the spare already: on top of it, it would grow without end.
                spare = 0
        base, bounds = case.asked, case.bounds
        if not bounds.min <= base <= bounds.max:
            bounded, base = True, _bound(case)
        case.base = case.raw = case.shown = base
        bases += base
    pooled = tick.pool.asked
    more = spare + max(offset, 0)
    extra = max(pooled - bases, 0) + more
    if extra or offset or tick.pool_wide:
        steps = _explained(pooled, bases, spare, offset)
        for case in tick.cases:
            case.trail.extend(steps)
    if extra or offset:
        shared = _hand_out(tick, extra, offset)
        bounded = bounded or shared != bases + extra + min(offset, 0)
    if bounded:
        _show_unbounded(tick, max(pooled - sum(case.asked for case in tick.cases), 0) + more, offset)


def _count_capacity(case: Case) -> None:
    """The capacity count stands in for a demand that was never known."""
    capacity = case.count.capacity
    case.trail.append((_LAST_KNOWN, capacity))
    case.asked = max(case.asked, capacity)


def _bound(case: Case) -> int:
    """The bound that is nearest to the region's own demand, which is outside of them."""
    word, bound = _BOUND_MAX, case.bounds.max
    if case.asked < case.bounds.min:
        word, bound = _BOUND_MIN, case.bounds.min
    case.trail.append((word, case.asked, bound))
    return bound


def _explained(pooled: int, bases: int, spare: int, offset: int) -> list[Note]:
    steps: list[Note] = [(_POOL_DEMAND, pooled, bases)]
    if spare:
        steps.append((_SPARE, spare))
    if offset:
        steps.append((_OFFSET, offset))
    return steps


def _hand_out(tick: Tick, extra: int, offset: int) -> int:
    """Give every region its share; the sum of all."""
    limits, weights = tick.limits, tick.policy.weights
    shares = share_out([case.base for case in tick.cases], limits.most, weights, extra)
    if offset < 0:
        shares = take_back(shares, limits.least, weights, -offset)
    for case, weight, machines in zip(tick.cases, weights, shares, strict=True):
        if machines != case.base:
            case.trail.append((_SHARED, case.base, weight, machines))
            case.raw = case.shown = machines
    return sum(shares)


def _show_unbounded(tick: Tick, extra: int, offset: int) -> None:
    """Bounds made a difference: keep the demand as it would be without any, for people."""
    shown = [case.asked for case in tick.cases]
    if extra:
        shown = share_out(shown, [2 * MOST] * len(shown), tick.policy.weights, extra)
    if offset < 0:
        shown = take_back(shown, [0] * len(shown), tick.policy.weights, -offset)
    for case, machines in zip(tick.cases, shown, strict=True):
        case.shown = machines


def told(tick: Tick, case: Case) -> bool:
    """Whether any rule could tell the region's demand, or the pool's. Where the pool may not run it is 0."""
    return case.told or tick.pool.told or case.region not in tick.limits.homes


_LAST_KNOWN = wording(ReasonCode.LAST_KNOWN, "capacity")
_BOUND_MIN = wording(ReasonCode.BOUND_MIN, "demand", "min")
_BOUND_MAX = wording(ReasonCode.BOUND_MAX, "demand", "max")
_POOL_DEMAND = wording(ReasonCode.POOL_DEMAND, "pool", "regional")
_SPARE = wording(ReasonCode.SPARE, "machines")
_OFFSET = wording(ReasonCode.OFFSET, "machines")
_SHARED = wording(ReasonCode.SHARED, "base", "weight", "machines")
