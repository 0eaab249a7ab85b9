"""Creating at home what a region lacks, and telling what has no place there."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from autoscaler.domain.names import Region
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.reconcile import creating
from autoscaler.reconcile.creating import Order
from autoscaler.reconcile.situation import Draft, Situation, share
from autoscaler.reconcile.starting import refusals


@dataclass(frozen=True, slots=True, kw_only=True)
class Overflow:
    """Machines that a region has no place for, and why."""

    machines: int
    reason: Reason


def create_at_home(
    situation: Situation, draft: Draft, lacking: Mapping[Region, int], *, asleep: bool = False
) -> Mapping[Region, Overflow]:
    """Create what each region lacks, within budget and room; what a full region leaves over.

    Where nothing may be created, that is what did not start there for want of room.
    """
    orders: dict[Region, int] = {}
    overflows: dict[Region, Overflow] = {}
    for region, machines in lacking.items():
        fitting = max(0, min(machines, draft.room[region]))
        if machines > fitting:
            overflows[region] = Overflow(machines=machines - fitting, reason=reason(ReasonCode.AT_MAX))
        why = creating.forbidden(situation, draft, region) if fitting else None
        if why is None:
            orders[region] = fitting
        elif creating.full(situation, region) and not situation.gate.no_create:
            overflows[region] = Overflow(machines=machines, reason=why)
        elif why.code is ReasonCode.CREATE_OFF:
            refused = _only_to_start(situation, draft, region, fitting)
            if refused is not None:
                overflows[region] = replace(refused, machines=refused.machines + machines - fitting)
        else:
            draft.lack(region, fitting, why)
    for region, granted in share(draft.creations_left, orders).items():
        draft.lack(region, orders[region] - granted, reason(ReasonCode.BUDGET))
        why = situation.demand(region)
        order = Order(region=region, home=region, machines=granted, reason=why, asleep=asleep)
        creating.place(situation, draft, order)
    return overflows


def _only_to_start(situation: Situation, draft: Draft, region: Region, machines: int) -> Overflow | None:
    """What a pool that may not create lacks: before all else the Machines that refuse to start.

    Those that refuse for want of room are left over, for another region may have something to start; and so
    are those that serve another region, for which one there may have room again.
    """
    codes = sorted(refusals(situation, region), key=lambda code: code not in creating.NO_ROOM)[:machines]
    roomless = [code for code in codes if code in creating.NO_ROOM]
    for code in codes[len(roomless) :]:
        draft.lack(region, 1, reason(ReasonCode.PASSED_OVER, why=code))
    lent = min(machines - len(codes), _lent(situation, region))
    draft.lack(region, machines - len(codes) - lent, reason(ReasonCode.CREATE_OFF))
    if not roomless and not lent:
        return None
    off, full = reason(ReasonCode.CREATE_OFF), [reason(ReasonCode.PASSED_OVER, why=why) for why in roomless]
    return Overflow(machines=len(roomless) + lent, reason=full[0] if full else off)


def _lent(situation: Situation, region: Region) -> int:
    """Machines of the region that serve another one's demand."""
    serving = (member for roster in situation.rosters.values() for member in roster.serving)
    return sum(member.machine.region == region != member.home for member in serving)
