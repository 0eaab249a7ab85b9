"""Machines that were told to stop or to suspend and stay: what was refused is not asked for ever."""

from collections.abc import Iterable, Mapping

from autoscaler.domain.fleet import Machine
from autoscaler.domain.names import MachineId
from autoscaler.domain.outcome import AlreadySo, Applied, NotSent, Outcome, Refusal, Refused, Result
from autoscaler.domain.plan import Stop, Suspend
from autoscaler.reconcile.counting import AWAKE
from autoscaler.reconcile.ledger import Ledger, Stay

SUSPENDS = 2
"""After so many attempts in a row a Machine is stopped rather than suspended."""
FORGOTTEN_AFTER_S = 3600.0
"""How long after its last attempt a Machine that still runs is taken for one like the others again."""

ITS_MOMENT = frozenset({Refusal.LEASED, Refusal.RATE_LIMITED})
"""Refusals that say nothing of the Machine; they pass by themselves."""


def after(ledger: Ledger, outcomes: Iterable[Outcome], mono: float) -> dict[MachineId, Stay]:
    """The attempts once a tick has acted. A suspend and the stop that follows it are one."""
    ended = {one.action.machine: one.result for one in outcomes if isinstance(one.action, Stop | Suspend)}
    stays = dict(ledger.stays)
    for machine, result in ended.items():
        if isinstance(result, Applied | AlreadySo):
            stays.pop(machine, None)
        elif not _passes(result):
            times = stays[machine].times if machine in stays else 0
            stays[machine] = Stay(times=times + 1, last=mono)
    return stays


def still(
    stays: Mapping[MachineId, Stay], members: Iterable[Machine], updated: frozenset[MachineId], mono: float
) -> dict[MachineId, Stay]:
    """The attempts upon Machines that a survey shows running yet, in the same version as then."""
    if not stays:
        return {}
    awake = {machine.id for machine in members if machine.state in AWAKE} - updated
    return {
        machine: stay
        for machine, stay in stays.items()
        if machine in awake and mono - stay.last < FORGOTTEN_AFTER_S
    }


def suspends(ledger: Ledger, machine: Machine) -> bool:
    """Whether it is worth trying to suspend a Machine."""
    stay = ledger.stays.get(machine.id)
    return stay is None or stay.times < SUSPENDS


def _passes(result: Result) -> bool:
    return isinstance(result, NotSent) or (isinstance(result, Refused) and result.refusal in ITS_MOMENT)
