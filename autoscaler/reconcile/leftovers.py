"""What rests after it has left: kept in reserve, cleaned of its marks, or destroyed.

Destroyed is only what carries our own mark (or never launched and is ours), and never the last Machine
of a group: nothing could be copied any more.
"""

from collections.abc import Iterable

from autoscaler.domain.fleet import HostStatus, Machine
from autoscaler.domain.names import Region
from autoscaler.domain.pool import Leave
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.reconcile import marks, steps
from autoscaler.reconcile.counting import NEW, Member, stuck
from autoscaler.reconcile.situation import Draft, Situation
from autoscaler.reconcile.starting import never_launched


class Stock:
    """How many Machines rest in each region to be kept, and how many of the group are not doomed."""

    def __init__(self, situation: Situation, draft: Draft) -> None:
        """Count what rests and is not about to be started."""
        self._reserve = situation.pool.reserve
        self._kept: dict[Region, int] = {}
        for region, roster in situation.rosters.items():
            rest = [member.machine for member in (*roster.resting, *roster.settling)]
            self._kept[region] = sum(draft.untouched(one.id) and not marks.doomed(one) for one in rest)
        self._lasting = sum(
            not marks.doomed(member.machine) and _worth_keeping(member) for member in situation.view.members
        )

    def dooms(self, machine: Machine) -> bool:
        """Whether a Machine that is to rest is to be destroyed then; if not, it is taken into stock."""
        if marks.doomed(machine):
            return True
        if self._kept[machine.region] < self._reserve or not self.spares():
            self._kept[machine.region] += 1
            return False
        return True

    def spares(self) -> bool:
        """Whether the group can do without one Machine more; if so, it has to from now on."""
        if self._lasting <= 1:
            return False
        self._lasting -= 1
        return True

    def saves(self, machine: Machine) -> bool:
        """Whether a doomed Machine at rest is better kept; if so, it is taken into stock."""
        if self._lasting >= 1 and self._kept[machine.region] >= self._reserve:
            return False
        self._kept[machine.region] += 1
        self._lasting += 1
        return True


def _worth_keeping(member: Member) -> bool:
    machine = member.machine
    return machine.host is HostStatus.OK and not marks.protected(machine)


def clear(situation: Situation, draft: Draft, stock: Stock) -> None:
    """Clean up or destroy what rests and is not wanted. Destroying is a way in, so the gate may forbid it."""
    for region, roster in situation.rosters.items():
        may_destroy = not situation.gate.no_in and region not in situation.gate.hold_in
        for member in _idle(draft, roster.resting):
            _clear_one(situation, draft, stock, member.machine, may_destroy=may_destroy)
    if situation.pool.force and not situation.gate.no_in:
        _force(situation, draft)


def _idle(draft: Draft, members: Iterable[Member]) -> list[Member]:
    return [member for member in members if member.touchable and draft.untouched(member.machine.id)]


def _clear_one(
    situation: Situation, draft: Draft, stock: Stock, machine: Machine, *, may_destroy: bool
) -> None:
    never_ran = _never_ran(situation, machine)
    if marks.doomed(machine) and situation.pool.leave is Leave.DESTROY:
        if stock.saves(machine):
            draft.add(*steps.unmark(machine, reason(ReasonCode.RESERVE)))
        elif may_destroy:
            draft.add(steps.destroy(machine, reason(ReasonCode.DOOMED)))
    elif never_ran is not None:
        if may_destroy and marks.made_by(machine, situation.pool.name) and stock.spares():
            draft.add(steps.destroy(machine, never_ran))
    else:
        draft.add(*steps.unmark(machine, reason(ReasonCode.DRAINED)))


def abandoned(situation: Situation, member: Member) -> bool:
    """Whether a Machine will never launch and is not ours to destroy: people have to look at it."""
    machine = member.machine
    return _never_ran(situation, machine) is not None and not marks.made_by(machine, situation.pool.name)


def _never_ran(situation: Situation, machine: Machine) -> Reason | None:
    refused = situation.ledger.passed_over.get(machine.id)
    stays = machine.state in NEW and refused is not None and never_launched(refused)
    return refused.reason if refused is not None and stays else None


def _force(situation: Situation, draft: Draft) -> None:
    """The operator allows force: what is doomed and does not manage to stop goes without being asked."""
    for member in situation.view.members:
        machine = member.machine
        if member.touchable and marks.doomed(machine) and stuck(machine, situation.ledger, situation.now):
            draft.add(steps.destroy(machine, reason(ReasonCode.STUCK, state=machine.state), force=True))
