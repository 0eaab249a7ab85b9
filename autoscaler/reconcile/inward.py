"""Fewer Machines: whom to let go, the steps by which they go, and what they leave behind."""

from collections.abc import Mapping

from autoscaler.domain.fleet import Machine, MachineState
from autoscaler.domain.names import Region
from autoscaler.domain.plan import Action
from autoscaler.domain.pool import Leave
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile import deploys, drains, leftovers, marks, staying, steps, victims
from autoscaler.reconcile.counting import AT_REST, Member, within_reach
from autoscaler.reconcile.leftovers import Stock
from autoscaler.reconcile.situation import Draft, Situation

Leavers = Mapping[Region, tuple[Member, ...]]
"""Each region's surplus Machines, those to go first in front."""


def leavers(situation: Situation) -> Leavers:
    """Whom each region could do without."""

    def stays(machine: Machine) -> bool:
        return staying.serves_on(situation.ledger, machine, situation.now.mono)

    return {
        region: victims.choose(
            roster.serving,
            surplus=roster.capacity - situation.desired(region),
            desired=situation.desired(region),
            load=situation.load,
            stays=stays,
        )
        for region, roster in situation.rosters.items()
    }


def take_back(situation: Situation, draft: Draft, leaving: Leavers) -> None:
    """Put every Machine back into service that was to leave and is wanted again, or protected meanwhile.

    None goes back into routing while a deploy decides there who gets the traffic.
    """
    why = reason(ReasonCode.RESUME_DRAINING)
    switching = deploys.switching(situation.view, situation.ledger, situation.now)
    for region, roster in situation.rosters.items():
        gone = {member.machine.id for member in leaving.get(region, ())}
        for member in roster.serving:
            wanted = member.machine.id not in gone and member.machine.state not in AT_REST
            reached = within_reach(member.machine, situation.view.survey.at)
            if reached and wanted and not (switching and member.machine.cordoned):
                draft.add(*steps.unmark(member.machine, why))


def plan(situation: Situation, draft: Draft, leaving: Leavers) -> None:
    """Let the surplus go, as far as the gate allows, each Machine by its next step."""
    permitted = _permits(situation, leaving)
    stock = Stock(situation, draft)
    for region, members in leaving.items():
        for member in members[: permitted[region]]:
            if member.touchable and not staying.rests(situation.ledger, member.machine, situation.now.mono):
                draft.add(*_next_steps(situation, stock, member.machine))
    leftovers.clear(situation, draft, stock)


def permits(
    situation: Situation,
    *,
    counts: Mapping[Region, int],
    surplus: Mapping[Region, int],
    begun: Mapping[Region, int],
) -> Mapping[Region, int]:
    """How many Machines may go now of each region's `surplus`; `begun` is how many are leaving already.

    A region on hold may still go down to its max, and to the pool's as far as the others do not see to
    that. A restart does not hold those that were leaving before it.
    """
    if situation.gate.no_in:
        return dict.fromkeys(counts, 0)
    above_total = sum(counts.values()) - situation.decision.total.max
    permitted = {}
    for region in sorted(counts, key=lambda region: (region in situation.gate.hold_in, region)):
        going = surplus[region]
        if region in situation.gate.hold_in:
            old = 0 if situation.held(region) else begun[region]
            going = min(going, max(0, counts[region] - situation.bounds(region).max, above_total, old))
        above_total -= going
        permitted[region] = going
    return permitted


def _permits(situation: Situation, leaving: Leavers) -> Mapping[Region, int]:
    counts = {region: roster.capacity for region, roster in situation.rosters.items()}
    return permits(
        situation,
        counts=counts,
        surplus={region: max(0, count - situation.desired(region)) for region, count in counts.items()},
        begun={region: sum(marks.leaving(one.machine) for one in leaving[region]) for region in counts},
    )


def _next_steps(situation: Situation, stock: Stock, machine: Machine) -> tuple[Action, ...]:
    why = drains.may_go(situation, machine)
    if why is None:
        return drains.proceed(situation, machine)
    leave = situation.pool.leave
    if leave is Leave.DESTROY and stock.dooms(machine):
        doomed = () if marks.doomed(machine) else (steps.mark(machine, marks.doom(situation.now.wall), why),)
        return (*doomed, steps.stop(machine, why))
    started = machine.state is MachineState.STARTED
    if leave is Leave.SUSPEND and started and staying.suspends(situation.ledger, machine):
        return (steps.suspend(machine, why),)
    return (steps.stop(machine, why),)
