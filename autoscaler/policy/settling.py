"""One region's way from what was last desired towards its raw demand: bounds, holds, window, step."""

from collections.abc import Sequence
from dataclasses import dataclass

from autoscaler.domain.desired import Gate
from autoscaler.domain.fleet import Change
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.policy.damping import least_after_step, most_after_step
from autoscaler.policy.overrides import Commands
from autoscaler.policy.tick import Case, Tick
from autoscaler.policy.trail import wording


@dataclass(slots=True)
class Orders:
    """What stands above the rules in this tick: the gate, operators' commands, and for how many seconds a
    restart still holds. `mono` is now. `pinned` has every region's share of a commanded sum.
    """

    gate: Gate
    commands: Commands
    held_s: float
    mono: float
    pinned: Sequence[int] | None


def settle(tick: Tick, orders: Orders) -> None:
    """Set every region's desired count, before the total. Each step that changes it joins the trail."""
    held = _may_be_held(tick, orders)
    for index, case in enumerate(tick.cases):
        present = case.trace.desired
        if not case.bounds.min <= present <= case.bounds.max:
            present = _inside_bounds(case)
        if orders.pinned is not None:
            case.desired = _commanded(case, orders, present, orders.pinned[index])
        elif case.raw < present:
            holds = _holds(tick, case, orders) if held or case.unknown or case.partial else ()
            case.desired = _held(case, present, holds) if holds else _inwards(tick, case, orders, present)
        elif case.raw > present:
            holds = orders.commands.pause_out
            case.desired = _held(case, present, holds) if holds else _outwards(tick, case, orders, present)
        else:
            case.desired = present


def _may_be_held(tick: Tick, orders: Orders) -> bool:
    """Whether anything beyond a region's own readings could keep it from going in; in most ticks nothing."""
    gate, pool = orders.gate, tick.pool
    forbidden = gate.no_in or gate.hold_in or orders.commands.pause_in or tick.limits.frozen
    return bool(forbidden or orders.held_s > 0 or pool.unknown or pool.partial)


def _inside_bounds(case: Case) -> int:
    last, bounds = case.trace.desired, case.bounds
    if last < bounds.min:
        case.trail.append(reason(ReasonCode.BOUND_MIN, last=last, min=bounds.min))
        return bounds.min
    case.trail.append(reason(ReasonCode.BOUND_MAX, last=last, max=bounds.max))
    return bounds.max


def _commanded(case: Case, orders: Orders, present: int, share: int) -> int:
    """A pin is obeyed at once, without windows and steps, unless the fleet must not change that way."""
    case.trail.append(reason(ReasonCode.PIN, sum=orders.commands.pin, share=share))
    if share == present:
        return share
    holds = _forbidden(case, orders) if share < present else orders.commands.pause_out
    return _held(case, present, holds) if holds else share


def _held(case: Case, present: int, holds: Sequence[Reason]) -> int:
    case.trail.extend(holds)
    case.trail.append(reason(ReasonCode.HOLD, kept=present))
    return present


def _forbidden(case: Case, orders: Orders) -> Sequence[Reason]:
    """What keeps even a command from going in."""
    holds = (*orders.gate.no_in, *orders.gate.hold_in.get(case.region, ()))
    return (*holds, *(why for why in orders.commands.pause_in if why not in holds))


def _holds(tick: Tick, case: Case, orders: Orders) -> Sequence[Reason]:
    """Why this region may not go in. A demand that cannot be told is explained already, and here named."""
    holds = list(_forbidden(case, orders))
    for tally in (case, tick.pool):
        if tally.unknown is not None and not tally.excused:
            why = tally.unknown.why.value
            holds.append(reason(ReasonCode.UNKNOWN, metric=tally.unknown.metric, why=why))
        if tally.partial is not None:
            holds.append(reason(ReasonCode.PARTIAL, metric=tally.partial))
    if orders.held_s > 0:
        holds.append(reason(ReasonCode.RESTART_HOLD, seconds=round(orders.held_s)))
    if case.region in tick.limits.frozen:
        holds.append(reason(ReasonCode.FREEZE_IN))
    return holds


def _inwards(tick: Tick, case: Case, orders: Orders, present: int) -> int:
    highest, damping = case.highs[0][1], tick.policy.pool.scale_in
    target = min(present, max(case.raw, highest))
    if target > case.raw:
        case.trail.append((_WINDOW_IN, damping.window_s, highest, target))
    if damping.step is None or target == present:
        return target
    least, began = least_after_step(damping.step, case.count, _changes(tick, case), orders.mono)
    if least <= target:
        return target
    kept = min(present, least)
    case.trail.append((_STEP_IN, present, began, least, kept))
    return kept


def _outwards(tick: Tick, case: Case, orders: Orders, present: int) -> int:
    lowest, damping = case.lows[0][1] if case.lows else case.raw, tick.policy.pool.scale_out
    target = max(present, min(case.raw, lowest))
    if target < case.raw:
        case.trail.append((_WINDOW_OUT, damping.window_s, lowest, target))
    if damping.step is None or target == present:
        return target
    most, began = most_after_step(damping.step, case.count, _changes(tick, case), orders.mono)
    if most >= target:
        return target
    reached = max(present, most)
    case.trail.append((_STEP_OUT, present, began, most, reached))
    return reached


def _changes(tick: Tick, case: Case) -> Sequence[Change]:
    return [change for change in tick.fleet.changes if change.region == case.region]


_WINDOW_IN = wording(ReasonCode.WINDOW_IN, "window_s", "highest", "machines")
_WINDOW_OUT = wording(ReasonCode.WINDOW_OUT, "window_s", "lowest", "machines")
_STEP_IN = wording(ReasonCode.STEP_IN, "last", "began", "least", "machines")
_STEP_OUT = wording(ReasonCode.STEP_OUT, "last", "began", "most", "machines")
