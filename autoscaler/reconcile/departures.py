"""Machines that we have stopped and that a list which is behind still shows as running.

They would count as capacity, and somebody else would be chosen to leave in their place.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from autoscaler.domain.fleet import Machine, MachineState, Survey
from autoscaler.domain.names import MachineId
from autoscaler.domain.outcome import AlreadySo, Applied, Outcome
from autoscaler.domain.plan import Start, Stop, Suspend
from autoscaler.reconcile.ledger import Departure, Ledger

BEHIND_S = 120.0
"""How far a list is believed to be behind."""
DISBELIEVED_FOR_S = 1800.0
"""For how long a list that still shows what has ended is taken for an old one, and not for news."""

RUNNING = frozenset({MachineState.STARTED, MachineState.STARTING})


def corrected(survey: Survey, ledger: Ledger, mono: float) -> Survey:
    """The survey with Machines that we stopped since shown as stopping.

    A Machine that has been started again is believed: it names another start than the one we ended. Of one
    that we stopped before it was up no list can tell which start that was.
    """
    leaving = _younger(ledger.departures, mono, BEHIND_S)
    if not leaving:
        return survey
    machines = (_as_we_left_it(machine, leaving.get(machine.id)) for machine in survey.machines)
    return replace(survey, machines=tuple(machines))


def denied(survey: Survey, ledger: Ledger) -> int:
    """How many Machines a list shows in a run that we ended so long ago that it cannot just be behind.

    `survey` is a corrected one. Whatever else such a list shows may be just as old.
    """
    return sum(_runs_as_before(machine, ledger.departures.get(machine.id)) for machine in survey.machines)


def recent(departures: Mapping[MachineId, Departure], mono: float) -> dict[MachineId, Departure]:
    """Those that a list may not show yet."""
    return _younger(departures, mono, DISBELIEVED_FOR_S)


def _younger(
    departures: Mapping[MachineId, Departure], mono: float, age_s: float
) -> dict[MachineId, Departure]:
    return {machine: left for machine, left in departures.items() if mono - left.since < age_s}


def after(ledger: Ledger, outcomes: Iterable[Outcome], mono: float) -> dict[MachineId, Departure]:
    """The departures once a tick has acted.

    A stop of unknown result is none: the Machine may still run, and its place must not be given away.
    """
    departures = dict(ledger.departures)
    for outcome in outcomes:
        action = outcome.action
        if not isinstance(outcome.result, Applied | AlreadySo):
            continue
        if isinstance(action, Stop | Suspend):
            departures[action.machine] = of(ledger, action.machine, mono)
        elif isinstance(action, Start):
            departures.pop(action.machine, None)
    return departures


def of(ledger: Ledger, machine: MachineId, mono: float) -> Departure:
    """The departure of a Machine that left in the run in which the last survey showed it."""
    seen = ledger.seen.get(machine)
    if seen is None:
        return Departure(since=mono, started_at=None)
    starting = seen.state is MachineState.STARTING
    return Departure(since=mono, started_at=seen.started_at, starting=starting)


def _as_we_left_it(machine: Machine, left: Departure | None) -> Machine:
    if left is None:
        return machine
    came_up_before_it_left = left.starting and machine.state in RUNNING
    if came_up_before_it_left or _in_the_same_run(machine, left):
        return replace(machine, state=MachineState.STOPPING)
    return machine


def _runs_as_before(machine: Machine, left: Departure | None) -> bool:
    return left is not None and left.started_at is not None and _in_the_same_run(machine, left)


def _in_the_same_run(machine: Machine, left: Departure) -> bool:
    """One that starts again names its former start until it is up."""
    up = machine.state is MachineState.STARTED or left.starting
    return up and machine.state in RUNNING and machine.started_at == left.started_at
