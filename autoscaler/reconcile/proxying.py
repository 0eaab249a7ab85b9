"""A pool whose Machines Fly Proxy starts and stops: we see to it that enough of them exist.

They are created stopped, so that the proxy can start them; only what is at rest is destroyed, after a
mark and another look.
"""

from collections.abc import Collection, Mapping

from autoscaler.domain.fleet import HostStatus, Machine, MachineState
from autoscaler.domain.names import MachineId, Region
from autoscaler.domain.plan import Create
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile import creating, marks, steps
from autoscaler.reconcile.counting import AWAKE, HALTED, NEW, Roster, stuck
from autoscaler.reconcile.deploys import release
from autoscaler.reconcile.inward import permits
from autoscaler.reconcile.leftovers import Stock, discard_never_ran, lasting, never_ran
from autoscaler.reconcile.placing import create_at_home
from autoscaler.reconcile.situation import Draft, Situation, share
from autoscaler.reconcile.starting import candidates, startable


def plan(situation: Situation, draft: Draft) -> None:
    """Create the stopped Machines that are lacking, wake what got stuck, destroy what is too much."""
    existing = {region: _existing(situation, region) for region in situation.rosters}
    targets = _with_spares(situation)
    able = {region: count - len(_failed(situation, region)) for region, count in existing.items()}
    wanted = {region: max(0, targets[region] - able[region]) for region in situation.rosters}
    _make_room(situation, draft, existing)
    _repeat(situation, draft, wanted)
    allowed = share(draft.total_room, wanted)
    for region, machines in wanted.items():
        draft.lack(region, machines - allowed[region], reason(ReasonCode.TOTAL_MAX))
    lacking = {region: _revive(situation, draft, region, machines) for region, machines in allowed.items()}
    for region, overflow in create_at_home(situation, draft, lacking, asleep=True).items():
        draft.lack(region, overflow.machines, overflow.reason)
    _wake(situation, draft)
    discard_never_ran(situation, draft, Stock(situation, draft))
    _shrink(situation, draft, _within_total(situation, targets))


def _existing(situation: Situation, region: Region) -> int:
    """Machines that are physically in the region or on their way there, and not given up."""
    serving = {member.machine.id for roster in situation.rosters.values() for member in roster.serving}
    listed = sum(one.id in serving or _lives(situation, one) for one in _here(situation, region))
    ids: set[MachineId | None] = {machine.id for machine in situation.view.survey.machines}
    names = {machine.name for machine in situation.view.survey.machines}
    return listed + sum(
        entry.region == region and entry.machine not in ids and entry.name not in names
        for entry in situation.ledger.on_the_way
    )


def _lives(situation: Situation, machine: Machine) -> bool:
    """Whether it is on a host that answers, and neither hangs between two states nor will never launch."""
    hangs = stuck(machine, situation.ledger, situation.now)
    return machine.host is HostStatus.OK and not hangs and never_ran(situation, machine) is None


def _failed(situation: Situation, region: Region) -> list[Machine]:
    """Machines that exist, but that the proxy will not start."""
    here = _here(situation, region)
    return [one for one in here if one.state is MachineState.FAILED and one.host is HostStatus.OK]


def _here(situation: Situation, region: Region) -> list[Machine]:
    """The pool's Machines that are physically in the region."""
    return [one.machine for one in situation.view.members if one.machine.region == region]


def _needed(situation: Situation) -> dict[Region, int]:
    """How many Machines have to exist, without any spare."""
    return {
        region: max(situation.desired(region), _in_state(situation, region, AWAKE))
        for region in situation.rosters
    }


def _with_spares(situation: Situation) -> dict[Region, int]:
    """How many Machines should exist."""
    reserve = situation.pool.reserve
    return {
        region: min(situation.bounds(region).max, count + reserve)
        for region, count in _needed(situation).items()
    }


def _within_total(situation: Situation, targets: Mapping[Region, int]) -> dict[Region, int]:
    """How many Machines may exist: the region with the most spares gives up one first, ties by name."""
    needed, kept = _needed(situation), dict(targets)
    for _ in range(sum(kept.values()) - situation.decision.total.max):
        giver = max(sorted(kept), key=lambda region: kept[region] - needed[region])
        if kept[giver] <= needed[giver]:
            break
        kept[giver] -= 1
    return kept


def _in_state(situation: Situation, region: Region, states: Collection[MachineState]) -> int:
    here = _here(situation, region)
    return sum(machine.state in states and machine.host is HostStatus.OK for machine in here)


def _make_room(situation: Situation, draft: Draft, existing: Mapping[Region, int]) -> None:
    """Bounds are about existing Machines here, not about those that serve."""
    uncertain = situation.ledger.uncertain
    for region, count in existing.items():
        reserved = sum(one.region == region for one in uncertain)
        draft.room[region] = situation.bounds(region).max - count - reserved
    draft.total_room = situation.decision.total.max - sum(existing.values()) - len(uncertain)


def _repeat(situation: Situation, draft: Draft, wanted: dict[Region, int]) -> None:
    for former in situation.ledger.uncertain:
        lacking = wanted.get(former.region, 0)
        if lacking and isinstance(former, Create) and creating.again(situation, draft, former):
            wanted[former.region] = lacking - 1


def _revive(situation: Situation, draft: Draft, region: Region, wanted: int) -> int:
    """Start what has failed before anything is created in its place; how many are still lacking."""
    failed = {machine.id for machine in _failed(situation, region)}
    able = [one for one in candidates(situation, draft, region) if one.machine.id in failed][:wanted]
    for member in able:
        draft.add(*steps.start(member, situation.demand(region), home=member.home))
    return wanted - len(able)


def _wake(situation: Situation, draft: Draft) -> None:
    """The proxy cannot start what has never left `created`."""
    for roster in situation.rosters.values():
        for member in roster.resting:
            if member.machine.state in NEW and startable(situation, member):
                draft.add(*steps.start(member, reason(ReasonCode.STUCK), home=member.home))


def _shrink(situation: Situation, draft: Draft, targets: Mapping[Region, int]) -> None:
    able = {region: _destroyable(roster) for region, roster in situation.rosters.items()}
    # What is between two states may hang there: it is no reason to destroy what rests.
    counts = {region: _in_state(situation, region, AWAKE | HALTED) for region in able}
    surplus = {region: max(0, min(counts[region] - targets[region], len(able[region]))) for region in able}
    doomed = {region: sum(marks.doomed(one) for one in machines) for region, machines in able.items()}
    permitted = permits(situation, counts=counts, surplus=surplus, begun=doomed)
    staying = lasting(situation.view)
    for region, machines in able.items():
        for place, machine in enumerate(machines):
            if place >= surplus[region] or not staying - {machine.id}:
                draft.add(*steps.unmark(machine, reason(ReasonCode.RESERVE)))
                continue
            staying -= {machine.id}
            if place >= permitted[region]:
                continue
            if marks.doomed(machine):
                draft.add(steps.destroy(machine, reason(ReasonCode.DOOMED)))
            else:
                draft.add(steps.mark(machine, marks.doom(situation.now.wall), reason(ReasonCode.SURPLUS)))


def _destroyable(roster: Roster) -> list[Machine]:
    """What is at rest and may be touched, what is missed least in front."""
    resting = (one.machine for one in roster.resting if one.touchable)
    return sorted((machine for machine in resting if machine.state in HALTED), key=_least_missed)


def _least_missed(machine: Machine) -> tuple[bool, int, float, str]:
    return (not marks.doomed(machine), release(machine), -(machine.created_at or 0.0), machine.id)
