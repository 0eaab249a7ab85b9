"""More Machines: repeated, started, created, in this order, at home or in the next region."""

from autoscaler.domain.names import Region
from autoscaler.domain.plan import Create, Start
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile import creating, spill, steps
from autoscaler.reconcile.placing import create_at_home
from autoscaler.reconcile.situation import Draft, Situation, share
from autoscaler.reconcile.starting import candidates, keeps_place, startable


def plan(situation: Situation, draft: Draft) -> None:
    """Fill the draft with what the regions lack, and note what cannot be had and why."""
    wanted = {region: _repeat(situation, draft, region) for region in sorted(situation.rosters)}
    allowed = share(draft.total_room, wanted)
    for region, machines in wanted.items():
        draft.lack(region, machines - allowed[region], reason(ReasonCode.TOTAL_MAX))
    lacking = {region: _start(situation, draft, region, machines) for region, machines in allowed.items()}
    spill.plan(situation, draft, create_at_home(situation, draft, lacking))


def _repeat(situation: Situation, draft: Draft, region: Region) -> int:
    """Repeat what is uncertain while it is still wanted; how many Machines are wanted beside."""
    wanted = max(0, situation.desired(region) - situation.rosters[region].capacity)
    for former in situation.ledger.uncertain:
        if wanted == 0:
            break
        if isinstance(former, Create):
            ours = former.home == region and not former.stopped
            repeated = ours and creating.again(situation, draft, former)
        else:
            repeated = _start_again(situation, draft, former, region)
        wanted -= repeated
    return wanted


def _start_again(situation: Situation, draft: Draft, former: Start, home: Region) -> bool:
    if not draft.has_kept_room(former.region):
        return False
    for member in situation.rosters[former.region].resting:
        if member.machine.id == former.machine and member.home == home and startable(situation, member):
            draft.add(*steps.start(member, reason(ReasonCode.REPEAT), home=home))
            return True
    return False


def _start(situation: Situation, draft: Draft, region: Region, wanted: int) -> int:
    """Start what rests in the region; how many are still lacking."""
    roster = situation.rosters[region]
    able = candidates(situation, draft, region)[: max(0, min(wanted, draft.room[region]))]
    for member in able:
        draft.add(*steps.start(member, situation.demand(region), home=region))
        draft.room[region] -= 1
    lacking = wanted - len(able)
    leased = min(lacking, sum(keeps_place(situation, member) for member in roster.resting))
    draft.lack(region, leased, reason(ReasonCode.LEASED))
    settling = min(lacking - leased, len(roster.settling))
    draft.lack(region, settling, reason(ReasonCode.STOPPING))
    return lacking - leased - settling
