"""Which starts and creates have shown themselves, which are still awaited, and which are lost."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from autoscaler.domain.fleet import Machine, MachineState, Survey
from autoscaler.domain.names import MachineId, MachineName, PoolName
from autoscaler.domain.plan import Create, Start
from autoscaler.reconcile import marks
from autoscaler.reconcile.counting import HALTED
from autoscaler.reconcile.ledger import Ledger, OnTheWay

AWAITED_S = 120.0
"""How long an answered start or create counts without being seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """What is still on its way, and what has been awaited for too long."""

    still: tuple[OnTheWay, ...]
    lost: tuple[OnTheWay, ...]


def sort_arrivals(ledger: Ledger, survey: Survey, mono: float) -> Arrivals:
    """Part what a survey leaves on its way from what it shows (dropped) and what is lost."""
    by_id, by_name = _index(survey)
    awaited = [
        entry
        for entry in ledger.on_the_way
        if not _shows(entry, machine=_find(entry, by_id, by_name), started=ledger.our_starts)
    ]
    return Arrivals(
        still=tuple(entry for entry in awaited if mono - entry.since < AWAITED_S),
        lost=tuple(entry for entry in awaited if mono - entry.since >= AWAITED_S),
    )


def unshown(
    uncertain: Iterable[Start | Create], survey: Survey, pool: PoolName
) -> tuple[Start | Create, ...]:
    """Starts and creates of unknown result that had no effect as far as the survey can tell."""
    by_id, by_name = _index(survey)
    return tuple(action for action in uncertain if not _took_effect(action, by_id, by_name, pool))


def _index(survey: Survey) -> tuple[Mapping[MachineId, Machine], Mapping[MachineName, Machine]]:
    live = [machine for machine in survey.machines if machine.state is not MachineState.DESTROYED]
    return {machine.id: machine for machine in survey.machines}, {machine.name: machine for machine in live}


def _find(
    entry: OnTheWay, by_id: Mapping[MachineId, Machine], by_name: Mapping[MachineName, Machine]
) -> Machine | None:
    if entry.machine is not None and entry.machine in by_id:
        return by_id[entry.machine]
    return None if entry.name is None else by_name.get(entry.name)


def _shows(entry: OnTheWay, *, machine: Machine | None, started: Mapping[MachineId, float]) -> bool:
    """A halted Machine may be an old picture of it, unless it has ended since we started it."""
    if machine is None:
        return False
    if entry.stopped or machine.state not in HALTED:
        return True
    ended = machine.last_exit
    return machine.id in started and ended is not None and ended.at >= started[machine.id]


def _took_effect(
    action: Start | Create,
    by_id: Mapping[MachineId, Machine],
    by_name: Mapping[MachineName, Machine],
    pool: PoolName,
) -> bool:
    if isinstance(action, Create):
        made = by_name.get(action.name)
        return made is not None and marks.bears(made, pool)
    machine = by_id.get(action.machine)
    return machine is None or machine.state not in HALTED
