"""Fewer Machines: whom to let go, the steps by which they go, and what they leave behind."""

from collections.abc import Mapping

from autoscaler.domain.fleet import Machine, MachineState
from autoscaler.domain.names import Region
from autoscaler.domain.plan import Action
from autoscaler.domain.pool import Leave
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile import deploys, drains, leftovers, marks, steps, victims
from autoscaler.reconcile.counting import AT_REST, Member
from autoscaler.reconcile.leftovers import Stock
from autoscaler.reconcile.situation import Draft, Situation

Leavers = Mapping[Region, tuple[Member, ...]]
"""Each region's surplus Machines, those to go first in front."""


def leavers(situation: Situation) -> Leavers:
    """Whom each region could do without."""
    return {
        region: victims.choose(
            roster.serving,
            surplus=roster.capacity - situation.desired(region),
            desired=situation.desired(region),
            load=situation.load,
        )
        for region, roster in situation.rosters.items()
    }


def take_back(situation: Situation, draft: Draft, leaving: Leavers) -> None:
    """Put every Machine back into service that was to leave and is wanted again.

    None goes back into routing while a deploy decides there who gets the traffic.
    """
    why = reason(ReasonCode.RESUME_DRAINING)
    switching = deploys.switching(situation.view, situation.ledger, situation.now)
    for region, roster in situation.rosters.items():
        gone = {member.machine.id for member in leaving.get(region, ())}
        for member in roster.serving:
            wanted = member.machine.id not in gone and member.machine.state not in AT_REST
            if member.touchable and wanted and not (switching and member.machine.cordoned):
                draft.add(*steps.unmark(member.machine, why))


def plan(situation: Situation, draft: Draft, leaving: Leavers) -> None:
    """Let the surplus go, as far as the gate allows, each Machine by its next step."""
    permits = _permits(situation, leaving)
    stock = Stock(situation, draft)
    for region, members in leaving.items():
        for member in members[: permits[region]]:
            if member.touchable:
                draft.add(*_next_steps(situation, stock, member.machine))
    leftovers.clear(situation, draft, stock)


def _permits(situation: Situation, leaving: Leavers) -> Mapping[Region, int]:
    """How many Machines may go now. A region on hold may still go down to its max, and to the pool's
    as far as the others do not see to that. A restart does not hold those that were leaving before it.
    """
    if situation.gate.no_in:
        return dict.fromkeys(situation.rosters, 0)
    capacity = {region: roster.capacity for region, roster in situation.rosters.items()}
    above_total = sum(capacity.values()) - situation.decision.total.max
    permits = {}
    for region in sorted(capacity, key=lambda region: (region in situation.gate.hold_in, region)):
        count = capacity[region]
        surplus = max(0, count - situation.desired(region))
        if region in situation.gate.hold_in:
            begun = 0 if situation.held(region) else _begun(leaving[region])
            surplus = min(surplus, max(0, count - situation.bounds(region).max, above_total, begun))
        above_total -= surplus
        permits[region] = surplus
    return permits


def _begun(members: tuple[Member, ...]) -> int:
    return sum(marks.leaving(member.machine) for member in members)


def _next_steps(situation: Situation, stock: Stock, machine: Machine) -> tuple[Action, ...]:
    why = drains.may_go(situation, machine)
    if why is None:
        return drains.proceed(situation, machine)
    leave = situation.pool.leave
    if leave is Leave.DESTROY and stock.dooms(machine):
        doomed = () if marks.doomed(machine) else (steps.mark(machine, marks.doom(situation.now.wall), why),)
        return (*doomed, steps.stop(machine, why))
    if leave is Leave.SUSPEND and machine.state is MachineState.STARTED:
        return (steps.suspend(machine, why),)
    return (steps.stop(machine, why),)
