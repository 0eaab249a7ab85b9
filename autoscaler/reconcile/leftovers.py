"""What rests after it has left: kept in reserve, cleaned of its marks, or destroyed.

Destroyed is only what carries our own mark (or never launched and is ours), and never the last Machine
of a group: nothing could be copied any more.
"""

from collections.abc import Iterable

from autoscaler.domain.fleet import HostStatus, Machine, MachineState
from autoscaler.domain.names import MachineId, Region
from autoscaler.domain.pool import Leave, Pool
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.reconcile import deploys, marks, steps
from autoscaler.reconcile.counting import AT_REST, HALTED, NEW, Member, PoolView, stuck
from autoscaler.reconcile.situation import Draft, Situation
from autoscaler.reconcile.starting import never_launched


class Stock:
    """How many Machines rest in each region to be kept, and which of the group are to last."""

    def __init__(self, situation: Situation, draft: Draft) -> None:
        """Count what rests and is not about to be started."""
        self._reserve = situation.pool.reserve
        self._kept: dict[Region, int] = {}
        for region, roster in situation.rosters.items():
            rest = [one for one in roster.resting if one.machine.state in HALTED]
            idle = [one for one in (*rest, *roster.settling) if draft.untouched(one.machine.id)]
            self._kept[region] = sum(not marks.protected(one.machine) for one in idle if _stays(one))
        self._lasting = lasting(situation.view)

    def dooms(self, machine: Machine) -> bool:
        """Whether a Machine that is to rest is to be destroyed then; if not, it is taken into stock."""
        if marks.doomed(machine):
            return True
        if self._kept[machine.region] < self._reserve or not self.spares(machine):
            self._kept[machine.region] += 1
            return False
        return True

    def spares(self, machine: Machine) -> bool:
        """Whether the group can do without a Machine; if so, it has to from now on."""
        if not self._lasting - {machine.id}:
            return False
        self._lasting -= {machine.id}
        return True

    def saves(self, machine: Machine) -> bool:
        """Whether a doomed Machine at rest is better kept; if so, it is taken into stock."""
        if self._lasting and self._kept[machine.region] >= self._reserve:
            return False
        self._kept[machine.region] += 1
        self._lasting |= {machine.id}
        return True


def lasting(view: PoolView) -> frozenset[MachineId]:
    """The Machines that could be copied one day and are not to be destroyed: one of them has to remain."""
    return frozenset(
        member.machine.id for member in view.members if _stays(member) and _is_sound(member.machine)
    )


def _stays(member: Member) -> bool:
    return not marks.doomed(member.machine)


def _is_sound(machine: Machine) -> bool:
    return (
        bool(machine.config)
        and machine.host is HostStatus.OK
        and not marks.protected(machine)
        and machine.state not in NEW | {MachineState.FAILED}
        and not (machine.state in HALTED and machine.crashed)
    )


def clear(situation: Situation, draft: Draft, stock: Stock) -> None:
    """Clean up or destroy what rests and is not wanted. Destroying is a way in, so the gate may forbid it."""
    switching = deploys.switching(situation.view, situation.ledger, situation.now)
    for region, roster in situation.rosters.items():
        may_destroy = _may_destroy(situation, region)
        for member in _idle(draft, roster.resting):
            if switching and member.machine.cordoned:
                continue
            _clear_one(situation, draft, stock, member.machine, may_destroy=may_destroy)
    if situation.pool.force:
        _force(situation, draft, stock)


def discard_never_ran(situation: Situation, draft: Draft, stock: Stock) -> None:
    """Destroy what will never launch, where it is ours and the gate allows it."""
    for region, roster in situation.rosters.items():
        for member in _idle(draft, roster.resting) if _may_destroy(situation, region) else ():
            _discard(situation, draft, stock, member.machine)


def _discard(situation: Situation, draft: Draft, stock: Stock, machine: Machine) -> None:
    # In the hold after a restart or a jump of the clock it may be younger than it seems.
    why = None if machine.region in situation.gate.hold_in else never_ran(situation, machine)
    if why is not None and marks.made_by(machine, situation.pool.name) and stock.spares(machine):
        draft.add(steps.destroy(machine, why))


def _force(situation: Situation, draft: Draft, stock: Stock) -> None:
    """Where the operator allows it, what is doomed and does not manage to stop is not asked again."""
    for member in _idle(draft, situation.view.members):
        machine = member.machine
        late = machine.state is MachineState.STOPPING and stuck(machine, situation.ledger, situation.now)
        doomed = late and marks.doomed(machine) and _may_destroy(situation, machine.region)
        if doomed and not stock.saves(machine):
            draft.add(steps.destroy(machine, reason(ReasonCode.STUCK, state=machine.state), force=True))


def _idle(draft: Draft, members: Iterable[Member]) -> list[Member]:
    return [member for member in members if member.touchable and draft.untouched(member.machine.id)]


def _may_destroy(situation: Situation, region: Region) -> bool:
    return not situation.gate.no_in and not situation.held(region)


def _clear_one(
    situation: Situation, draft: Draft, stock: Stock, machine: Machine, *, may_destroy: bool
) -> None:
    if _is_due(situation.pool, machine):
        if stock.saves(machine):
            draft.add(*steps.unmark(machine, reason(ReasonCode.RESERVE)))
        elif may_destroy:
            draft.add(steps.destroy(machine, reason(ReasonCode.DOOMED)))
    elif never_ran(situation, machine) is not None:
        if may_destroy:
            _discard(situation, draft, stock, machine)
    else:
        draft.add(*steps.unmark(machine, reason(ReasonCode.DRAINED)))


def _is_due(pool: Pool, machine: Machine) -> bool:
    """Whether a Machine has left and was to be destroyed then. What others made has to have run."""
    left = machine.state in AT_REST or marks.made_by(machine, pool.name)
    return pool.leave is Leave.DESTROY and marks.doomed(machine) and left


def abandoned(situation: Situation, member: Member) -> bool:
    """Whether a Machine will never launch and is not ours to destroy: people have to look at it."""
    machine = member.machine
    return never_ran(situation, machine) is not None and not marks.made_by(machine, situation.pool.name)


def never_ran(situation: Situation, machine: Machine) -> Reason | None:
    """Why a Machine is known never to launch, None for all others."""
    refused = situation.ledger.passed_over.get(machine.id)
    stays = machine.state in NEW and refused is not None and never_launched(refused)
    return refused.reason if refused is not None and stays else None
