"""More Machines: repeated, started, created, in this order, at home or in the next region."""

from collections.abc import Mapping

from autoscaler.domain.names import Region
from autoscaler.domain.plan import Create, Start
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile import creating, spill, steps
from autoscaler.reconcile.creating import Order
from autoscaler.reconcile.situation import Draft, Situation, share
from autoscaler.reconcile.spill import Overflow
from autoscaler.reconcile.starting import candidates, keeps_place, passed_over, startable


def plan(situation: Situation, draft: Draft) -> None:
    """Fill the draft with what the regions lack, and note what cannot be had and why."""
    wanted = {region: _repeat(situation, draft, region) for region in sorted(situation.rosters)}
    allowed = share(draft.total_room, wanted)
    for region, machines in wanted.items():
        draft.lack(region, machines - allowed[region], reason(ReasonCode.TOTAL_MAX))
    lacking = {region: _start(situation, draft, region, machines) for region, machines in allowed.items()}
    spill.plan(situation, draft, _create(situation, draft, lacking))


def _repeat(situation: Situation, draft: Draft, region: Region) -> int:
    """Repeat what is uncertain while it is still wanted; how many Machines are wanted beside."""
    wanted = max(0, situation.desired(region) - situation.rosters[region].capacity)
    for former in situation.ledger.uncertain:
        if wanted == 0:
            break
        if isinstance(former, Create):
            repeated = _create_again(situation, draft, former, region)
        else:
            repeated = _start_again(situation, draft, former, region)
        wanted -= repeated
    return wanted


def _create_again(situation: Situation, draft: Draft, former: Create, home: Region) -> bool:
    if former.stopped or former.home != home or creating.forbidden(situation, former.region) is not None:
        return False
    creating.again(situation, draft, former)
    return True


def _start_again(situation: Situation, draft: Draft, former: Start, home: Region) -> bool:
    roster = situation.rosters.get(former.region)
    for member in roster.resting if roster is not None else ():
        if member.machine.id == former.machine and member.home == home and startable(situation, member):
            draft.add(*steps.start(member, reason(ReasonCode.REPEAT), home=home))
            return True
    return False


def _start(situation: Situation, draft: Draft, region: Region, wanted: int) -> int:
    """Start what rests in the region; how many are still lacking."""
    roster = situation.rosters[region]
    why = reason(ReasonCode.DEMAND, desired=situation.desired(region), capacity=roster.capacity)
    able = candidates(situation, draft, region)[: max(0, min(wanted, draft.room[region]))]
    for member in able:
        draft.add(*steps.start(member, why, home=region))
        draft.room[region] -= 1
    lacking = wanted - len(able)
    leased = min(lacking, sum(keeps_place(situation, member) for member in roster.resting))
    draft.lack(region, leased, reason(ReasonCode.LEASED))
    settling = min(lacking - leased, len(roster.settling))
    draft.lack(region, settling, reason(ReasonCode.STOPPING))
    return lacking - leased - settling


def _create(situation: Situation, draft: Draft, lacking: Mapping[Region, int]) -> Mapping[Region, Overflow]:
    """Create at home what is lacking, and tell what has no place there."""
    orders: dict[Region, int] = {}
    overflows: dict[Region, Overflow] = {}
    for region, machines in lacking.items():
        fitting = max(0, min(machines, draft.room[region]))
        if machines > fitting:
            overflows[region] = Overflow(machines=machines - fitting, reason=reason(ReasonCode.AT_MAX))
        why = creating.forbidden(situation, region) if fitting else None
        if why is None:
            orders[region] = fitting
        elif creating.full(situation, region) and not situation.gate.no_create:
            overflows[region] = Overflow(machines=machines, reason=why)
        else:
            rest = (
                passed_over(situation, draft, region, fitting)
                if why.code is ReasonCode.CREATE_OFF
                else fitting
            )
            draft.lack(region, rest, why)
    for region, granted in share(draft.creations_left or 0, orders).items():
        draft.lack(region, orders[region] - granted, reason(ReasonCode.BUDGET))
        why = reason(
            ReasonCode.DEMAND, desired=situation.desired(region), capacity=situation.rosters[region].capacity
        )
        creating.place(situation, draft, Order(region=region, home=region, machines=granted, reason=why))
    return overflows
